"""``hierattn runs``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hierattn.cli.console import (
    JsonFlag,
    Verbose,
    number,
    print_json,
    set_up_logging,
    standard_console,
)
from hierattn.cli.tables import WideFlag, make_table, print_table
from hierattn.errors import one_line

if TYPE_CHECKING:
    from hierattn.run_list import ListedRun

_COLUMNS = ("run", "model", "data", "epochs", "balanced accuracy", "judged on", "date", "status")


def runs(
    folder: Annotated[Path, typer.Argument(help="Folder that holds run folders.")] = Path(),
    wide: WideFlag = False,
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """List the runs below a folder, finished and unfinished, the best balanced accuracy first."""
    set_up_logging(verbose)
    from hierattn.run_list import list_runs

    found = list_runs(folder)
    if json_output:
        rows = [
            {
                **asdict(run),
                "path": str(run.path),
                "changed": run.changed.isoformat() if run.changed else None,
            }
            for run in found
        ]
        print_json({"folder": str(folder), "runs": rows})
        return
    show_runs(found, folder, wide=wide)


def show_runs(found: list[ListedRun], folder: Path, *, wide: bool = False) -> None:
    """Print a row a run, and what the figures are worth."""
    console = standard_console()
    if not found:
        console.print(f"{folder}: no run in it, nor up to four folders below", soft_wrap=True)
        return
    count = f"{len(found)} run{'s' * (len(found) != 1)}"
    table = make_table(f"{folder}: {count}", [(name, "left") for name in _COLUMNS])
    for run in found:
        table.add_row(*_cells(run, folder))
    print_table(console, table, wide=wide)
    console.print(
        "Balanced accuracy with its 95 % interval, none where the images are too few or too alike "
        "to differ. Runs judged on different images cannot be "
        "compared by it; 'validation' flatters."
    )
    for run in found:
        if run.caveat is not None:
            console.print(one_line(f"* {run.path}: {run.caveat}"))


def _cells(run: ListedRun, folder: Path) -> list[str]:
    accuracy = number(run.balanced_accuracy)
    if run.interval is not None:
        accuracy += f" [{run.interval[0]:.3f}, {run.interval[1]:.3f}]"
    if run.caveat is not None:
        accuracy += " *"
    epochs = "–" if run.epochs is None else str(run.epochs)
    if run.of_epochs is not None:
        epochs += f"/{run.of_epochs}"
    return [
        one_line(str(run.path.relative_to(folder))),
        one_line(run.model or "–"),
        one_line(run.data or "–"),
        epochs,
        accuracy,
        _judged_on(run),
        f"{run.changed:%Y-%m-%d}" if run.changed else "–",
        run.status,
    ]


def _judged_on(run: ListedRun) -> str:
    if run.judged_on == "test" and run.fold:
        return f"fold {one_line(run.fold)}"
    if run.pooled is not None:
        done, count = run.pooled
        return "all folds" if done == count else f"{done} of {count} folds"
    return {"cross_validation": "all folds", None: "–"}.get(run.judged_on, str(run.judged_on))
