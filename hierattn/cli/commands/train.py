"""``hierattn train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from hierattn.cli.next_steps import (
    photos_of_run,
    steps_after_fold,
    told_stop,
    training_again,
)
from hierattn.errors import ConfigError

if TYPE_CHECKING:
    from hierattn.training.run.request import TrainingOutcome

_TITLES = {
    "test": "test images, whose labels the training never saw",
    "validation": "validation images, by which the epoch was chosen and calibrated (flattering)",
    "cross_validation": "folds of the same recipe, by which the operating point was fitted; this "
    "run itself learnt from all images",
}


_FIGURES = ("curves.png", "confusion.png", "roc.png", "reliability.png")


def train(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Data folder: CLASS/PHOTO.jpg; again for more, which are joined."),
    ] = None,
    map_class: MapClass = None,
    no_synonyms: NoSynonyms = False,
    model: Annotated[
        str | None, typer.Option(help="See 'hierattn models'; by default hierattn_xs.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="'default', or 'paper' for the published one.")] = (
        "default"
    ),
    config: Annotated[Path | None, typer.Option(help="JSON file of training fields.")] = None,
    init: Annotated[Path | None, typer.Option(help="Weights to start from.")] = None,
    teacher: Annotated[
        list[str] | None,
        typer.Option(help="Run or shipped checkpoint to learn the answers of; again for more."),
    ] = None,
    initialisation: Annotated[
        str | None,
        typer.Option(help="First weights: default, dirac, whitening or whitening_dirac."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training part; by default 60.")
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Side of the input, pixels; by default 256.")
    ] = None,
    start_image_size: Annotated[
        int | None, typer.Option(help="Smaller side to begin with (progressive resizing).")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Photos a step, all processes; by default 32.")
    ] = None,
    lr: Annotated[
        float | None, typer.Option(help="Highest learning rate; by default 0.001.")
    ] = None,
    freeze_epochs: Annotated[
        int | None, typer.Option(help="Epochs in which tensors from --init stay as they are.")
    ] = None,
    target_class: Annotated[
        list[str] | None,
        typer.Option(
            help="Class that is melanoma, which threshold, gate and app watch; again for several, "
            "'none' for none. Default: the class called MEL or melanoma."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of splits and training; by default 0.")
    ] = None,
    fold: Annotated[str | None, typer.Option(help="I/K: judge on fold I of K.")] = None,
    validation_fraction: Annotated[
        float | None, typer.Option(help="Share kept to choose and calibrate by; by default 0.15.")
    ] = None,
    test_fraction: Annotated[
        float | None, typer.Option(help="Share kept to judge by, without --fold; by default 0.15.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="auto, bf16 or fp32; by default auto.")
    ] = None,
    selection: Annotated[
        str | None,
        typer.Option(
            help="The epoch kept: best balanced_accuracy or accuracy, or last; by default "
            "balanced_accuracy."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave unreadable photos out.")
    ] = False,
    allow_seen: Annotated[
        bool,
        typer.Option("--allow-seen", help="Let --init and --teacher know photos of its test part."),
    ] = False,
    calibrate_from: Annotated[
        Path | None, typer.Option(help="Folder of 'hierattn pool': its operating point.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    export: Annotated[
        Path | None, typer.Option(help="Go on to export the run into this folder.")
    ] = None,
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Train a network on a data folder and judge it on photos kept aside.

    Several processes or machines: torchrun --nproc-per-node N -m hierattn.cli train ...
    """
    from hierattn.metrics.target_classes import named_targets

    set_up_logging(verbose)
    from hierattn.data.joined.class_table import parse_class_map

    roots = tuple(data or ())
    flags: dict[str, Any] = {
        "model": model,
        "initialisation": initialisation,
        "epochs": epochs,
        "image_size": image_size,
        "start_image_size": start_image_size,
        "batch_size": batch_size,
        "lr": lr,
        "freeze_epochs": freeze_epochs,
        "target_classes": named_targets(target_class),
        "seed": seed,
        "fold": fold,
        "validation_fraction": validation_fraction,
        "test_fraction": test_fraction,
        "precision": precision,
        "selection": selection,
        "class_map": parse_class_map(map_class) if map_class else None,
        "synonyms": False if no_synonyms else None,
    }
    asked = any(value is not None for value in (*flags.values(), config)) or recipe != "default"
    if not roots and not resume:
        raise ConfigError("a new run needs --data FOLDER (or --resume to go on with one)")
    if export is not None:
        from hierattn.outputs import claimed_output

        claim = claimed_output(export, *roots, out, option="--export")
        context.with_resource(claim)
        if len(roots) > 1:
            raise ConfigError(
                "--export judges its files on one --data folder, and several are given; train "
                "without it, then: hierattn export RUN --data FOLDER"
            )
        if export.exists():
            raise ConfigError(f"--export {export}: already there; choose another folder")

    from hierattn.cli.progress import RichObserver
    from hierattn.cli.reports import print_report
    from hierattn.evaluation.pooling import read_pooled
    from hierattn.training.recipe.config import build_config
    from hierattn.training.run.request import TrainingRequest
    from hierattn.training.trainer import train as run_training

    request = TrainingRequest(
        config=build_config(recipe, config, **flags) if asked or not resume else None,
        data=roots,
        out=out,
        init=init,
        resume=resume,
        skip_unreadable=skip_unreadable,
        device=device,
        calibration=read_pooled(calibrate_from) if calibrate_from else None,
        allow_seen=allow_seen,
        teachers=tuple(teacher or ()),
        changed=None
        if config or recipe != "default"
        else frozenset(name for name, value in flags.items() if value is not None),
    )
    with told_stop(out, training_again("--resume", "--out", out)), RichObserver() as observer:
        outcome = run_training(request, observer)
    if not outcome.is_main:
        return
    exported = None
    if export is not None:
        from export.request import ExportRequest
        from hierattn.cli.commands.export import export_with_progress, show_export

        exported = export_with_progress(
            ExportRequest(
                str(out), export, data=roots[0] if roots else None, skip_unreadable=skip_unreadable
            )
        )
    if json_output:
        print_json(
            {
                "run": str(out),
                "epochs": outcome.epochs,
                "best_epoch": outcome.best_epoch,
                "skipped": list(outcome.skipped),
                "remarks": list(outcome.remarks),
                "passed_over": [entry.model_dump() for entry in outcome.passed_over],
                "reports": {k: v.model_dump(mode="json") for k, v in outcome.reports.items()},
                "export": exported.manifest.model_dump(mode="json", by_alias=True)
                if exported
                else None,
            }
        )
    else:
        console = standard_console()
        for reason in outcome.skipped:
            console.print(f"skipped: {reason}")
        for remark in outcome.remarks:
            console.print(remark)
        print_passed_over(console, outcome.passed_over)
        for name, report in list(outcome.reports.items())[:1]:
            title = _TITLES[name] if report.caveat is None else _TITLES[name].split(",")[0]
            print_report(console, report, title)
        if not outcome.reports:
            console.print(
                "Nothing was judged: no photo was kept apart, by --test-fraction, "
                "--validation-fraction, or the folder's own split."
            )
        told_photos: list[object] = [word for root in roots for word in ("--data", root)]
        photos = told_photos or photos_of_run(out)[0]  # --resume needs no --data
        leaving_out = ["--skip-unreadable"] if outcome.skipped else []
        steps = []
        if folds := steps_after_fold(context, out):
            steps += folds
        elif not photos:  # moved since
            steps.append(command("runs", out.parent))
        if exported is None and not folds:
            told = command("export", out, *photos[:2], *leaving_out, "--out")
            steps.append(f"{told} {beside(out, 'export')}")
        best = f"epoch {outcome.best_epoch} of {outcome.epochs}, {_chosen_by(outcome)}"
        figures = [name for name in _FIGURES if (out / name).is_file()]
        console.print(f"Run folder: {out}", soft_wrap=True)
        console.print(f"It holds {best}; to look at: {', '.join(figures)}")
        for place, step in enumerate(steps):
            console.print(f"{'      ' if place else 'Next: '}{step}", soft_wrap=True)
        if photos.count("--data") > 1 and not folds:
            told = f"An export is judged by the photos of one folder, here of {photos[1]}."
            console.print(told, soft_wrap=True)
        if exported is not None and export is not None:
            show_export(exported, export, data=roots[0] if roots else None)
    if exported is not None and not exported.manifest.passed:
        raise typer.Exit(1)


def _chosen_by(outcome: TrainingOutcome) -> str:
    """By what the epoch was chosen whose weights the run keeps."""
    from hierattn.run_files import CONFIG
    from hierattn.runs import read_config

    selection = read_config(outcome.out / CONFIG).training.selection
    if selection == "last" or "validation" not in outcome.reports:
        return "the last"
    told = f"the best by {selection.replace('_', ' ')} of the validation images"
    return f"{told}, of ties the latest"
