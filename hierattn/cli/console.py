"""How every command speaks: tables for people, one JSON document for programs."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from hierattn.data.records import PassedOver

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]
MapClass = Annotated[
    list[str] | None,
    typer.Option(
        "--map-class", help="FROM=TO: another name for a class; FROM= leaves it out. Repeatable."
    ),
]
NoSynonyms = Annotated[
    bool,
    typer.Option("--no-synonyms", help="Do not take AKIEC for AK, NEV for NV, SEK for BKL ..."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done to stderr.")]


def set_up_logging(verbose: bool) -> None:
    """Log to stderr: everything of ours with ``-v``, else warnings only."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    logging.getLogger("hierattn").setLevel(logging.DEBUG if verbose else logging.WARNING)


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def standard_console() -> Console:
    """Console for results; a pipe gets 120 columns rather than Rich's 80."""
    # No markup and no emoji: names of files and classes may hold brackets and colons.
    console = Console(highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        return console
    return Console(highlight=False, markup=False, emoji=False, width=120)


def progress_console() -> Console:
    """Console for progress, on stderr, so that stdout holds results alone."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        return console
    return Console(stderr=True, highlight=False, markup=False, emoji=False, width=120)


def print_passed_over(console: Console, passed_over: Sequence[PassedOver]) -> None:
    """Print what a data folder holds beside the photos that were read, a line a reason."""
    from hierattn.data.readers.listing import summarise

    for line in summarise(passed_over):
        console.print(f"passed over: {line}", soft_wrap=True)


def make_table(title: str, columns: Sequence[tuple[str, str]]) -> Table:
    """A table from (heading, "left" or "right") columns."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for heading, side in columns:
        table.add_column(heading, justify="right" if side == "right" else "left")
    return table


def number(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash where it is undefined."""
    return "–" if value is None else f"{value:.{digits}f}"
