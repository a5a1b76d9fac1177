"""``hierattn models``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from hierattn.cli.console import (
    JsonFlag,
    Verbose,
    make_table,
    print_json,
    set_up_logging,
    standard_console,
)
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
    from hierattn.models.complexity import count_multiply_adds, count_parameters
    from hierattn.models.registry import check_image_size, create_model, find_model, list_models
    from hierattn.runs import shipped_runs

    names = list_models(pattern)
    if not names:
        raise UnknownNameError("model", pattern, list_models())
    rows = []
    for name in names:
        check_image_size(name, image_size)
        model = create_model(name, classes)
        rows.append(
            _Row(
                name=name,
                parameters=count_parameters(model),
                multiply_adds=count_multiply_adds(model, image_size),
                checkpoints=[run for run in shipped_runs() if run.split(".")[0] == name],
                source=find_model(name).source,
            )
        )
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
            ("checkpoint", "left"),
            ("source", "left"),
        ],
    )
    for row in rows:
        table.add_row(
            row.name,
            f"{row.parameters:,}",
            f"{row.multiply_adds / 1e9:.3f} G",
            ", ".join(row.checkpoints) or "none shipped",
            row.source,
        )
    console = standard_console()
    console.print(table)
    console.print(
        "Multiply-adds: convolutions, linear layers and attention products of one image.",
        style="dim",
    )
