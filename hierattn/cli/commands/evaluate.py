"""``hierattn evaluate`` and ``hierattn pool``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hierattn.cli.console import (
    JsonFlag,
    MapClass,
    NoSynonyms,
    Verbose,
    beside,
    command,
    print_json,
    print_passed_over,
    set_up_logging,
    standard_console,
)
from hierattn.cli.next_steps import photos_of_run
from hierattn.cli.tables import WideFlag


def evaluate(
    context: typer.Context,
    run: Annotated[
        str, typer.Argument(help="Run folder, name of a shipped checkpoint, or exported file.")
    ],
    data: Annotated[
        list[Path], typer.Option(help="Data folder to judge on; again for more, which are joined.")
    ],
    map_class: MapClass = None,
    no_synonyms: NoSynonyms = False,
    split: Annotated[
        str,
        typer.Option(
            help="auto: only photos the run did not learn from, where its splits.csv lists "
            "them; or all, train, validation, test."
        ),
    ] = "auto",
    out: Annotated[Path | None, typer.Option(help="Folder for figures and predictions.")] = None,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write JSON here; - for stdout.")
    ] = None,
    replicates: Annotated[int, typer.Option(help="Of the bootstrap.", min=1, max=100_000)] = 1000,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave unreadable photos out.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "cpu",
    wide: WideFlag = False,
    verbose: Verbose = False,
) -> None:
    """Judge a trained run, or an exported file, on a data folder with every metric."""
    set_up_logging(verbose)
    from export.formats.registry import suffixes
    from hierattn.cli.progress import counting
    from hierattn.cli.reports import print_report
    from hierattn.common.files import write_json
    from hierattn.data.joined.class_table import ClassTable, parse_class_map
    from hierattn.errors import ConfigError
    from hierattn.evaluation.evaluate import evaluate_run, write_evaluation
    from hierattn.outputs import check_output, claimed_output, given_path
    from hierattn.runs import refuse_run_folder

    table = ClassTable(parse_class_map(map_class or ()), not no_synonyms)
    if out is not None:
        refuse_run_folder(out)
        context.with_resource(claimed_output(out, *data, given_path(run)))
    if json_file not in (None, "-"):
        refuse_run_folder(Path(json_file).parent)
        check_output(Path(json_file), *data, given_path(run), option="--json", file=True)
    with counting("evaluating") as progress:
        if Path(run).suffix in suffixes():
            if split not in ("auto", "all"):
                raise ConfigError(
                    f"--split {split}: an exported file knows no splits; judge its run"
                )
            from export.evaluate_artefact import evaluate_artefact

            evaluation = evaluate_artefact(
                Path(run),
                data,
                table=table,
                split=split,
                replicates=replicates,
                skip_unreadable=skip_unreadable,
                progress=progress,
            )
        else:
            evaluation = evaluate_run(
                run,
                data,
                table=table,
                split=split,
                replicates=replicates,
                skip_unreadable=skip_unreadable,
                device=device,
                progress=progress,
            )
    document = evaluation.document()
    if out is not None:
        write_evaluation(out, evaluation)
    if json_file == "-":
        print_json(document)
        return
    if json_file is not None:
        write_json(json_file, document)
    console = standard_console()
    for reason in evaluation.skipped:
        console.print(f"skipped: {reason}")
    print_passed_over(console, evaluation.passed_over)
    for remark in evaluation.remarks:
        console.print(remark)
    names = "+".join(folder.name for folder in data)
    title = f"{run} on {names}, {evaluation.chosen}"
    print_report(console, evaluation.report, title, wide=wide)
    if out is not None:
        console.print(f"Written: {out}, figures and predictions", soft_wrap=True)
    mapped = map_class or no_synonyms or len(data) > 1
    photos = [] if mapped else ["--data", data[0]]
    photos += ["--skip-unreadable"] * bool(photos and evaluation.skipped)
    of_file = Path(run).suffix in suffixes()
    folder = Path(run).parent if of_file else Path(run)
    told = command("benchmark" if of_file else "export", folder, *photos, "--out")
    made = beside(folder, "report" if of_file else "export")
    console.print(f"Next: {told} {made}", soft_wrap=True)


def pool(
    runs: Annotated[list[Path], typer.Argument(help="Run folders of the folds.")],
    out: Annotated[Path, typer.Option(help="Folder to write the pooled result to.")],
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="Take some of the folds; the result says so.")
    ] = False,
    replicates: Annotated[int, typer.Option(help="Of the bootstrap.", min=1, max=100_000)] = 1000,
    json_output: JsonFlag = False,
    wide: WideFlag = False,
    verbose: Verbose = False,
) -> None:
    """Join the folds of a cross-validation: each photo judged by the run that never saw it."""
    set_up_logging(verbose)
    from hierattn.cli.reports import print_report
    from hierattn.evaluation.pooling import pool_runs

    pooled = pool_runs(runs, out, replicates=replicates, incomplete=incomplete)
    if json_output:
        print_json(pooled.model_dump(mode="json"))
        return
    console = standard_console()
    targets = pooled.operating_point.target_classes or ("none",)
    watched = [word for name in targets for word in ("--target-class", name)]
    from hierattn.run_files import RECIPE

    recipe = ("--config", out / RECIPE, "--calibrate-from", out)
    photos, lacking = photos_of_run(runs[0])
    told = command("train", *photos, *recipe, *watched, "--out")
    added = f"; add {' and '.join(lacking)} of the folds" if lacking else ""
    print_report(
        console,
        pooled.report,
        f"{pooled.folds} of {pooled.of_folds} folds pooled, by which the operating point was "
        "fitted",
        wide=wide,
    )
    console.print(
        f"Written: {out}",
        "      pooled.json, recipe.json, predictions.csv and figures",
        f"Next: their recipe on all photos{added}:",
        f"      {told} {beside(out, 'run')}",
        sep="\n",
        soft_wrap=True,
    )
