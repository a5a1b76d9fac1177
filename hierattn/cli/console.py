"""How every command speaks: tables for people, one JSON document for programs."""

from __future__ import annotations

import json
import logging
import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from hierattn.data.records import PassedOver

_PIPE_COLUMNS = 120

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
    """Console for results; a pipe gets 120 columns rather than Rich's 80, or those of COLUMNS."""
    return _console(stderr=False)


def progress_console() -> Console:
    """Console for progress, on stderr, so that stdout holds results alone."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    # No markup and no emoji: names of files and classes may hold brackets and colons.
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPE_COLUMNS
    return console


def print_passed_over(console: Console, passed_over: Sequence[PassedOver]) -> None:
    """Print what a data folder holds beside the photos that were read, a line a reason."""
    from hierattn.data.readers.listing import summarise

    for line in summarise(passed_over):
        console.print(f"passed over: {line}", soft_wrap=True)


def command(*words: object) -> str:
    """A command of ours as it can be pasted into a shell."""
    return shlex.join(["hierattn", *map(str, words)])


def beside(folder: object, kind: str) -> str:
    """A name for a result beside a folder, quoted for a shell: ``ham`` gives ``ham-run``."""
    return shlex.quote(f"{folder}-{kind}")


def number(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash where it is undefined."""
    return "–" if value is None else f"{value:.{digits}f}"
