"""``python -m benchmarks.paper --data PHOTOS --recipe FILE --work DIR --out RESULTS``."""

from __future__ import annotations

import datetime
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.environment import describe_host
from benchmarks.paper.curves import draw_learning_curves, read_losses
from benchmarks.paper.judging import (
    export_system,
    keep_held_out,
    make_row,
    parts_of,
    time_systems,
)
from benchmarks.paper.published import SYSTEMS
from benchmarks.paper.study import Study, read_recipe
from benchmarks.paper.table import Comparison, SystemsTable, compare_systems, to_markdown
from benchmarks.paper.trainings import train_system
from benchmarks.results import RESULTS_JSON, Results
from hierattn.cli.console import progress_console
from hierattn.cli.progress import RichObserver
from hierattn.common.files import write_text
from hierattn.errors import HierAttnError, UnknownNameError
from hierattn.metrics.predictions import Predictions
from hierattn.run_files import HISTORY, METRICS
from hierattn.runs import load_run


def main(
    data: Annotated[list[Path], typer.Option(help="Data folder; again for more, as one set.")],
    recipe: Annotated[Path, typer.Option(help="JSON: what all systems share.")],
    work: Annotated[Path, typer.Option(help="Folder of runs and exports; a killed study goes on.")],
    out: Annotated[Path, typer.Option(help="Folder of the results, small enough to keep.")],
    teacher: Annotated[
        str | None, typer.Option(help="Of the features, where the recipe learns them first.")
    ] = None,
    feature_data: Annotated[
        list[Path] | None, typer.Option(help="Photos of the features; again for more.")
    ] = None,
    init_from: Annotated[
        Path | None, typer.Option(help="Work folder of a study whose first folds are gone on from.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Train this system and stop; again for more.")
    ] = None,
    runs: Annotated[int, typer.Option(help="Timed runs of each row.", min=1)] = 200,
) -> None:
    """Train the eight systems with one recipe, export (gated), time, compare."""
    models = [system.model for system in SYSTEMS]
    if unknown := [name for name in only or () if name not in models]:
        raise UnknownNameError("system", unknown[0], models)
    photos = tuple(feature_data or ())
    study = Study(tuple(data), read_recipe(recipe), work, teacher, photos, init_from)
    console = progress_console()
    for number, model in enumerate(only or models, start=1):
        console.print(f"training {model}, {number} of {len(only or models)}")
        with RichObserver() as observer:
            train_system(study, model, observer)
    if only:
        return
    for number, model in enumerate(models, start=1):
        console.print(f"exporting {model}, {number} of {len(models)}")
        export_system(study, model)
    console.print("timing all of them in turn")
    taught = [f"--teacher {Path(teacher).name}"] if teacher else []
    taught += [f"--feature-data {folder.name}" for folder in study.feature_data]
    taught += [f"--init-from {init_from.name}"] if init_from else []
    command = " ".join(
        [
            "python -m benchmarks.paper",
            *(f"--data {folder.name}" for folder in data),
            f"--recipe {recipe.name}",
            *taught,
            f"--work {work.name} --out {out.name} --runs {runs}",
        ]
    )
    timed = time_systems(study, command, runs)
    predictions = {model: keep_held_out(study, model, out) for model in models}
    table = _table(study, command, predictions, timed)
    write_text(out / "table.json", table.model_dump_json(indent=2) + "\n")
    write_text(out / "table.md", to_markdown(table))
    shutil.copy(study.report / RESULTS_JSON, out / "latency.json")
    for model in models:
        for fold in study.folds(model):
            shutil.copy(fold / HISTORY, out / f"{model}.{fold.name}.{HISTORY}")
            shutil.copy(fold / METRICS, out / f"{model}.{fold.name}.{METRICS}")
    losses = {
        model: read_losses([fold / HISTORY for fold in study.folds(model)]) for model in models
    }
    draw_learning_curves(losses, out / "curves.png")
    print(to_markdown(table))


def _table(
    study: Study, command: str, predictions: dict[str, Predictions], timed: Results
) -> SystemsTable:
    names = list(predictions)
    config = load_run(study.folds(names[0])[0]).config
    first = predictions[names[0]]
    host = describe_host()
    return SystemsTable(
        data=study.name,
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        command=command,
        machine=f"{host.cpu}, {host.cores} cores",
        recipe=study.recipe.model_dump(mode="json"),
        initialisation=study.initialisation,
        image_size=config.image_size,
        images=len(first),
        groups=len(set(first.groups)),
        rows=[make_row(study, name, said, timed) for name, said in predictions.items()],
        comparisons=[*compare_systems(predictions), *_on_parts(study, predictions)],
    )


def _on_parts(study: Study, predictions: dict[str, Predictions]) -> list[Comparison]:
    parts = {model: parts_of(study, said) for model, said in predictions.items()}
    return [
        found
        for name in next(iter(parts.values()))
        for found in compare_systems(
            {model: said[name] for model, said in parts.items()}, part=name
        )
    ]


if __name__ == "__main__":
    try:
        typer.run(main)
    except (HierAttnError, OSError) as error:
        sys.exit(f"error: {error}")
