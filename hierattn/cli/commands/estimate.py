"""``hierattn benchmark --estimate``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hierattn.cli.console import print_json, standard_console, was_given
from hierattn.cli.tables import make_table, print_table

if TYPE_CHECKING:
    from rich.table import Table

    from benchmarks.profiling.arm64 import Estimate

_TAKEN = {"exports", "estimate", "wide", "json_output", "verbose"}
_COLUMNS = (
    ("operators", "left"),
    ("number", "right"),
    ("10^6 products", "right"),
    ("weights kB", "right"),
    ("activations kB", "right"),
    ("kernels", "left"),
)
_LEGEND = (
    "An estimate from the file's shapes and types, for a processor that is not here; nothing was "
    "run, and products and bytes do not add up to milliseconds. products: multiply-adds. weights: "
    "bytes as stored, read once a run. activations: bytes read and written in the file's types; "
    "what stays in a cache is not taken off.",
    "kernels: what LiteRT's delegate XNNPACK takes, as it divides this very file here; it decides "
    "by types and shapes. 'fp16, native': on ARMv8.2 and newer, with half the bytes of "
    "activations; on older processors fp32. 'int8 dynamic': the product alone, its input made int8 "
    "at every run.",
)


def show_estimate(
    context: typer.Context, exports: Sequence[Path], target: str, *, wide: bool, json_output: bool
) -> None:
    """Print a table for each file; exit code 1 if a file is damaged, or none could be counted."""
    for name in context.params:
        if name not in _TAKEN and was_given(context, name):
            option = next(one for one in context.command.params if one.name == name).opts[0]
            raise typer.BadParameter("does not go with --estimate", param_hint=option)
    from benchmarks.profiling.arm64 import document, estimate

    found = estimate(exports, target)
    if json_output:
        print_json(document(found, target))
    else:
        console = standard_console()
        for one in found:
            if one.reason is None:
                print_table(console, estimate_table(one, target), wide=wide)
                console.print()
        for reason in dict.fromkeys(one.reason for one in found if one.reason is not None):
            console.print(reason)
        if any(one.operators for one in found):
            for line in _LEGEND:
                console.print(line)
    if any(one.damaged for one in found) or not any(one.operators for one in found):
        raise typer.Exit(1)


def estimate_table(one: Estimate, target: str) -> Table:
    """One file, by kinds of operators, with the sum."""
    table = make_table(f"{one.export}/{one.record.path} on {target}, estimated", _COLUMNS)
    for share in [*one.shares, one.total]:
        table.add_row(
            share.kind,
            str(share.number),
            f"{share.multiply_adds / 1e6:.2f}",
            f"{share.weight_bytes / 1e3:.1f}",
            f"{share.activation_bytes / 1e3:.1f}",
            share.arithmetic,
        )
    return table
