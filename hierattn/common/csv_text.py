"""Writing of CSV that is safe in spreadsheets: no cell is taken for a formula.

A text that begins as a formula does gets an apostrophe before it, as OWASP advises against CSV
injection; reading takes it off again. Numbers stay as they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from hierattn.errors import one_line

_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a formula begins, or a text that would read as one when its apostrophe is taken off."""
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|nan)|-")


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    r"""Rows as CSV with ``\n`` line ends; None is an empty cell."""
    return "".join(f"{_line([plain_cell(cell) for cell in row])}\n" for row in rows)


def report_csv(rows: Iterable[Iterable[object]]) -> str:
    """The same for tables that no command reads back: no name can steer a terminal, either."""
    shown = ([one_line(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return csv_text(shown)


def plain_cell(value: object) -> str:
    """One cell: numbers as Python writes them, text marked where it begins as a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def read_cell(text: str) -> str:
    """The cell as it was before :func:`plain_cell`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _line(cells: Sequence[str]) -> str:
    # Python quotes a carriage return only where it is part of the line end.
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue().removesuffix("\r\n")
