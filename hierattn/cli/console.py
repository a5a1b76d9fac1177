"""Console output and options that all commands share: tables, JSON, logging."""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from hierattn.common.shell import join, quote
from hierattn.errors import is_control, one_line

if TYPE_CHECKING:
    from hierattn.data.records import PassedOver

_PIPE_COLUMNS = 120
DAY_S = 86_400
"""The longest that a command may be told to wait or to load a machine, seconds."""

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]
MapClass = Annotated[
    list[str] | None,
    typer.Option(
        "--map-class", help="FROM=TO: another name for a class; FROM= leaves it out. Repeatable."
    ),
]
NoSynonyms = Annotated[
    bool,
    typer.Option(
        "--no-synonyms",
        help="Take class names as they stand; else AKIEC counts as AK, NEV as NV, SEK as BKL ...",
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done to stderr.")]


def set_up_logging(verbose: bool) -> None:
    """Log to stderr: everything of ours with ``-v``, else warnings only."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLineFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("hierattn").setLevel(logging.DEBUG if verbose else logging.WARNING)


class OneLineFormatter(logging.Formatter):
    """Shows each record in one line, whatever the names in it hold."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """The line."""
        return one_line(super().formatMessage(record))


def print_json(value: Any) -> None:
    """Print one JSON document on stdout; what would steer a terminal is escaped as JSON does."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    print("".join(f"\\u{ord(x):04x}" if x != "\n" and is_control(x) else x for x in text))


def standard_console() -> Console:
    """Console for results; a pipe gets 120 columns rather than Rich's 80, or those of COLUMNS."""
    return _console(stderr=False)


def progress_console() -> Console:
    """Console for progress, on stderr, so that stdout holds results alone."""
    return _console(stderr=True)


class PlainConsole(Console):
    """A console on which every text given to it, cells of tables included, is one line of letters.

    Names of files and classes, and the words of devices, may hold line breaks, terminal escapes,
    brackets and colons; nothing of it is obeyed. Several lines are given as several texts, with
    ``sep="\\n"``. A terminal gets them broken between words, unless ``soft_wrap`` says that a line
    is to be copied; elsewhere they are whole, so that a search finds all of a remark.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.soft_wrap = not self.is_terminal

    def render_str(self, text: str, **options: Any) -> Text:
        """The text to show; Rich calls this for whatever text it is given."""
        return super().render_str(one_line(text), **options)


def _console(*, stderr: bool) -> Console:
    console = PlainConsole(stderr=stderr, highlight=False, markup=False, emoji=False)
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
    return join(["hierattn", *map(_no_option, words)])


def _no_option(word: object) -> object:
    """A path that would be read as an option, with its folder."""
    return f"./{word}" if isinstance(word, Path) and str(word).startswith("-") else word


def beside(folder: object, kind: str) -> str:
    """A name for a result beside a folder, quoted for a shell: ``ham`` gives ``ham-run``.

    Where that is there already, or the folder's own name ends so, it is counted on: ``ham-run-2``.
    Where nothing may be written beside the folder, it is a name in the current one or, where that
    is none to write into either, at home or in the folder of temporary files.
    """
    name = str(folder)
    if Path(name).name in ("", ".."):
        name = str(Path(name).resolve())
    before = re.search(rf"-{kind}(?:-(\d+))?$", name)
    stem = f"{name[: before.start()] if before else name}-{kind}"
    if Path(stem).parent.exists() and not os.access(Path(stem).parent, os.W_OK):
        stem = str(_elsewhere(Path(name)) / Path(stem).name)
    count = int(before[1] or 1) + 1 if before else 1
    while os.path.lexists(free := stem if count == 1 else f"{stem}-{count}"):
        count += 1
    return quote(_no_option(Path(free)))


def _elsewhere(folder: Path) -> Path:
    """Where results can be written that are not to lie in or beside a folder."""
    here = [] if Path.cwd().is_relative_to(folder.resolve()) else [Path()]
    fit = (place for place in (*here, Path.home()) if os.access(place, os.W_OK))
    return next(fit, Path(tempfile.gettempdir()))


def was_given(context: typer.Context, name: str) -> bool:
    """Whether an option stands on the command line, by the name of its parameter."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def number(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash where it is undefined."""
    return "–" if value is None else f"{value:.{digits}f}"
