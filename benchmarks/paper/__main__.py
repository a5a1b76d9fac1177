"""``python -m benchmarks.paper --data PHOTOS --recipe FILE --work DIR --out RESULTS``."""

from __future__ import annotations

import datetime
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.environment import describe_host
from benchmarks.paper.published import SYSTEMS
from benchmarks.paper.stages import (
    Study,
    export_system,
    keep_held_out,
    make_row,
    time_systems,
    train_system,
)
from benchmarks.paper.table import SystemsTable, compare_systems, to_markdown
from benchmarks.results import RESULTS_JSON, Results
from hierattn.cli.console import progress_console
from hierattn.common.files import write_text
from hierattn.errors import HierAttnError
from hierattn.metrics.predictions import Predictions
from hierattn.runs import METRICS, load_run


def main(
    data: Annotated[Path, typer.Option(help="Data folder.")],
    recipe: Annotated[Path, typer.Option(help="JSON of training fields for all systems.")],
    work: Annotated[Path, typer.Option(help="Folder of runs and exports; a killed study goes on.")],
    out: Annotated[Path, typer.Option(help="Folder of the results, small enough to keep.")],
    runs: Annotated[int, typer.Option(help="Timed runs of each row.", min=1)] = 200,
) -> None:
    """Train the eight systems with one recipe from scratch, export (gated), time, compare."""
    study = Study(data, recipe, work)
    console = progress_console()
    command = (
        f"python -m benchmarks.paper --data {data.name} --recipe {recipe.name} "
        f"--work {work.name} --out {out.name} --runs {runs}"
    )
    for stage, act in (("training", train_system), ("exporting", export_system)):
        for number, system in enumerate(SYSTEMS, start=1):
            console.print(f"{stage} {system.model}, {number} of {len(SYSTEMS)}")
            act(study, system.model)
    console.print("timing all of them in turn")
    timed = time_systems(study, command, runs)
    predictions = {s.model: keep_held_out(study, s.model, out) for s in SYSTEMS}
    table = _table(study, command, predictions, timed)
    write_text(out / "table.json", table.model_dump_json(indent=2) + "\n")
    write_text(out / "table.md", to_markdown(table))
    shutil.copy(study.report / RESULTS_JSON, out / "latency.json")
    for system in SYSTEMS:
        shutil.copy(study.run(system.model) / METRICS, out / f"{system.model}.{METRICS}")
    print(to_markdown(table))


def _table(
    study: Study, command: str, predictions: dict[str, Predictions], timed: Results
) -> SystemsTable:
    names = list(predictions)
    config = load_run(study.run(names[0])).config
    first = predictions[names[0]]
    host = describe_host()
    recipe = config.training.model_dump(mode="json", exclude={"model"})
    return SystemsTable(
        data=study.data.name,
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        command=command,
        machine=f"{host.cpu}, {host.cores} cores",
        recipe=recipe,
        initialisation="random weights for all",
        image_size=config.image_size,
        images=len(first),
        groups=len(set(first.groups)),
        rows=[make_row(study, name, said, timed) for name, said in predictions.items()],
        comparisons=compare_systems(predictions),
    )


if __name__ == "__main__":
    try:
        typer.run(main)
    except HierAttnError as error:
        sys.exit(f"error: {error}")
