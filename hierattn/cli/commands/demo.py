"""``hierattn demo``: the whole chain on built-in data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hierattn.cli.console import (
    JsonFlag,
    Verbose,
    command,
    print_json,
    set_up_logging,
    standard_console,
)
from hierattn.errors import ConfigError


def demo(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder for everything the demo makes.")] = Path("demo"),
    data: Annotated[
        Path | None, typer.Option(help="Your own data folder instead of painted pictures.")
    ] = None,
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Paint lesion-like pictures, train HierAttn-xs, export it, verify and time the files."""
    set_up_logging(verbose)
    from hierattn.outputs import claimed_output

    context.with_resource(claimed_output(out, data))
    run, exported, report = out / "run", out / "export", out / "report"
    for made in (run, exported, report):
        if made.exists():
            raise ConfigError(f"{made} exists; remove it or give another --out")

    from benchmarks.plan import Plan
    from benchmarks.run import BenchmarkRequest, run_benchmark
    from export.request import ExportRequest
    from export.verify import verify
    from hierattn.cli.commands.benchmark import benchmark_document, show_outcome
    from hierattn.cli.commands.export import export_with_progress, show_export
    from hierattn.cli.commands.verify import show_verification
    from hierattn.cli.export_tables import verification_document
    from hierattn.cli.next_steps import told_stop
    from hierattn.cli.progress import PartsProgress, RichObserver, counting, turns_progress
    from hierattn.cli.reports import print_report
    from hierattn.data.synth.dataset import write_synthetic
    from hierattn.training.recipe.config import build_config
    from hierattn.training.run.request import TrainingRequest
    from hierattn.training.trainer import train

    folder = data or out / "painted"
    if data is None and not folder.exists():
        with counting("painting") as progress:
            write_synthetic(folder, per_class=400, size=72, seed=0, progress=progress)
    config = build_config(
        model="hierattn_xs",
        image_size=64,
        epochs=12,
        batch_size=32,
        lr=2e-3,
        augmentation="light",
    )
    again = command("train", "--resume", "--out", run)
    with told_stop(run, again), RichObserver() as observer:
        outcome = train(TrainingRequest(config=config, data=folder, out=run), observer)
    console = standard_console()
    if not json_output:
        title = "painted pictures, not photographs" if data is None else folder.name
        print_report(console, outcome.reports["test"], f"held-out {title}")
    files = export_with_progress(ExportRequest(str(run), exported, data=folder))
    if not json_output:
        show_export(files, exported, data=folder, next_steps=False)
    with PartsProgress() as parts:
        found = verify(exported, progress=parts.follow)
    if not json_output:
        show_verification(found, exported)
    timing = BenchmarkRequest(
        (exported,),
        report,
        folder,
        threads=(1,),
        plan=Plan(runs=100, launches=3),
        runs=(str(run),),
        command=f"hierattn demo --out {out}",
    )
    with turns_progress() as show:
        timed = run_benchmark(timing, show)
    if json_output:
        print_json(
            {
                "data": str(folder),
                "run": str(run),
                "report": outcome.reports["test"].model_dump(mode="json"),
                "export": files.manifest.model_dump(mode="json", by_alias=True),
                "verification": verification_document(found, {}),
                "benchmark": benchmark_document(timed),
            }
        )
    else:
        show_outcome(timed, timing)
        console.print(
            f"Look at {report}/report.html, at {exported}/MODEL_CARD.md and at "
            f"{run}/confusion.png.",
            f"Next: {command('predict', run, _unseen(run, folder), '--saliency', out / 'maps')}",
            "Then your own photographs, in folders named after their classes: see README.md",
            sep="\n",
            soft_wrap=True,
        )
    if not found.passed or timed.unmeasured:
        raise typer.Exit(1)


def _unseen(run: Path, folder: Path) -> Path:
    """One of the pictures that the training never used."""
    from hierattn.data.splits import Split
    from hierattn.metrics.predictions import read_csv
    from hierattn.run_files import PREDICTIONS

    return folder / read_csv(run / PREDICTIONS).of_split(Split.TEST).files[0]
