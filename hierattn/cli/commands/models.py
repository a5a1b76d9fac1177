"""``hierattn models``."""

from __future__ import annotations

import fnmatch
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from hierattn.cli.console import (
    JsonFlag,
    Verbose,
    print_json,
    set_up_logging,
    standard_console,
)
from hierattn.cli.tables import make_table, print_table
from hierattn.errors import UnknownNameError


@dataclass(frozen=True)
class _Row:
    name: str
    parameters: int
    multiply_adds: int
    checkpoints: list[str]
    source: str


def models(
    pattern: Annotated[str, typer.Argument(help="Shell pattern, such as 'hierattn_*'.")] = "*",
    image_size: Annotated[
        int, typer.Option(help="For the multiply-adds, pixels.", min=1, max=4096)
    ] = 256,
    classes: Annotated[int, typer.Option(help="Number of classes.", min=2, max=10_000)] = 8,
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """List the networks: parameters, multiply-adds, shipped checkpoints, source."""
    set_up_logging(verbose)
    from hierattn.models.sizes import CLASSES, IMAGE_SIZE, known_sizes, measure_size
    from hierattn.shipped import run_names

    known = known_sizes()
    chosen = [size for size in known if fnmatch.fnmatchcase(size.name, pattern.lower())]
    if not chosen:
        raise UnknownNameError("model", pattern, [size.name for size in known])
    if (classes, image_size) != (CLASSES, IMAGE_SIZE):
        from hierattn.cli.progress import counting

        with counting("building networks") as progress:
            for place, size in enumerate(chosen):
                chosen[place] = measure_size(size.name, classes, image_size)
                progress(place + 1, len(chosen))
    shipped = run_names()
    rows = [
        _Row(
            size.name,
            size.parameters,
            size.multiply_adds,
            [run for run in shipped if run.split(".")[0] == size.name],
            size.source,
        )
        for size in chosen
    ]
    if json_output:
        models_found = [asdict(row) for row in rows]
        print_json({"classes": classes, "image_size": image_size, "models": models_found})
        return
    table = make_table(
        f"Models ({classes} classes, {image_size} px)",
        [
            ("name", "left"),
            ("parameters", "right"),
            ("multiply-adds", "right"),
            ("source", "prose"),
        ],
    )
    for row in rows:
        table.add_row(
            row.name,
            f"{row.parameters:,}",
            f"{row.multiply_adds / 1e9:.3f} G",
            row.source,
        )
    console = standard_console()
    print_table(console, table)
    there = ", ".join(name for row in rows for name in row.checkpoints)
    console.print(f"Shipped checkpoints: {there or 'none of these'}")
    console.print(
        "Multiply-adds: convolutions, linear layers and attention products of one image.",
        style="dim",
    )
