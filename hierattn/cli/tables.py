"""Tables that fit any width: columns that do not fit go to a second table.

A column never loses a character. Names, numbers and gates stay on one line; prose wraps between
words; only a name too long for the screen goes on in a second line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table

from hierattn.errors import one_line

WideFlag = Annotated[
    bool, typer.Option("--wide", help="Every column in one table, however wide the screen.")
]

_GAPS = (2, 1)
"""Blanks between two columns: the fewer are tried before a table is divided."""
_NAMES = 0.75
"""Share of the screen that the names of the rows may take before they go on in a second line."""
_LONG_NAME = 1 / 3
"""Share of the screen from which on a name is not said again in every part."""
_NUMBER = 6
"""Characters for a row's number and the gap behind it."""
_PROSE = 24
"""Characters that a column of prose wants at least, if it has as many."""


def make_table(title: str, columns: Sequence[tuple[str, str]]) -> Table:
    """A table from (heading, "left", "right" or "prose") columns; prose may wrap."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )
    for heading, side in columns:
        table.add_column(
            heading,
            justify="right" if side == "right" else "left",
            no_wrap=side != "prose",  # so Rich calls a cell that may take several lines
            overflow="fold",
        )
    return table


def print_table(console: Console, table: Table, *, keys: int = 1, wide: bool = False) -> None:
    """Print a table, divided into several where the console is too narrow for one.

    Args:
        table: of :func:`make_table`.
        keys: how many columns, from the left, name a row; every part begins with them.
        wide: one table, as wide as it needs.
    """
    console.print(table.title, style="bold")
    if wide:
        part = _part(table, range(len(table.columns)), _GAPS[0], console.width, whole=True)
        screen = console.width
        needed = sum(_least(column, prose=True) + _GAPS[0] for column in part.columns)
        console.width = max(screen, needed)
        console.print(part, soft_wrap=False)
        console.width = screen
        return
    for number, part in enumerate(divide(table, console.width, keys)):
        if number:
            console.print()
        console.print(part, soft_wrap=False)


def divide(table: Table, width: int, keys: int = 1) -> Iterator[Table]:
    """Parts of a table, each at most ``width`` characters wide, all columns in their order.

    As few as may be: for that the gaps may be narrow, and rows with long names are numbered, so
    that a name stands in the first part alone.
    """
    tried = [_divided(table, gap, width, keys) for gap in _GAPS]
    if keys == 1 and width * _LONG_NAME < _least(table.columns[0]) <= width - _NUMBER:
        tried += [_divided(_numbered(table), gap, width, keys) for gap in _GAPS]
    yield from min(tried, key=len)


def _divided(table: Table, gap: int, width: int, keys: int) -> list[Table]:
    parts, taken = [], list(range(keys))
    for column in range(keys, len(table.columns)):
        if len(taken) > keys and not _fits(table, [*taken, column], gap, width, keys):
            parts.append(_part(table, taken, gap, width))
            taken = list(range(keys))
        taken.append(column)
    return [*parts, _part(table, taken, gap, width)]


def _numbered(table: Table) -> Table:
    """The table with a first column of numbers, from 1."""
    headings = [("#", "right"), *((str(column.header), "left") for column in table.columns)]
    numbered = make_table(str(table.title), headings)
    for old, new in zip(table.columns, numbered.columns[1:], strict=True):
        new.justify, new.no_wrap = old.justify, old.no_wrap
    for place, cells in enumerate(zip(*(c.cells for c in table.columns), strict=True), 1):
        numbered.add_row(str(place), *cells)
    return numbered


def _fits(table: Table, chosen: Sequence[int], gap: int, width: int, keys: int) -> bool:
    needed = [_least(table.columns[i]) + gap for i in chosen]
    names = min(sum(needed[:keys]), int(width * _NAMES))
    return names + sum(needed[keys:]) - gap <= width


def _part(
    table: Table, chosen: Sequence[int], gap: int, width: int, *, whole: bool = False
) -> Table:
    """Some columns of a table as a table of its own, without the title."""
    part = Table(
        header_style=table.header_style,
        box=table.box,
        show_edge=False,
        pad_edge=False,
        padding=(0, gap - 1, 0, 0),
    )
    most = width - sum(_least(table.columns[i]) + gap for i in chosen[1:])
    for position, index in enumerate(chosen):
        column = table.columns[index]
        too_long = position == 0 and not whole and _least(column) > most
        least = None if too_long else _least(column, prose=whole)
        no_wrap = (column.no_wrap or whole) and not too_long
        part.add_column(
            column.header,
            justify=column.justify,
            no_wrap=no_wrap,
            overflow="fold",
            min_width=least,
        )
    for cells in zip(*(table.columns[index].cells for index in chosen), strict=True):
        part.add_row(*cells)
    return part


def _least(column: Column, *, prose: bool = False) -> int:
    """The narrowest that a column may be, in characters; ``prose`` counts its whole lines."""
    # As the console shows them.
    cells = [one_line(str(cell)) for cell in (column.header, *column.cells)]
    longest = max(map(cell_len, cells))
    if column.no_wrap or prose:
        return longest
    words = max(cell_len(word) for cell in cells for word in cell.split() or [""])
    return max(words, min(longest, _PROSE))
