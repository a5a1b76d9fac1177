"""Strict reading of CSV tables that come with data sets, and of their cells."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hierattn.common.csv_text import read_cell
from hierattn.common.files import regular_file
from hierattn.errors import DataError

SEPARATORS = (",", ";", "\t")
FITZPATRICK = ("I", "II", "III", "IV", "V", "VI")
_UNKNOWN = frozenset({"", "na", "n/a", "nan", "none", "null", "unknown", "unk", "-"})
_OLDEST = 130.0
_SHOWN = 5


class Row(dict[str, str]):
    """The cells of one row by column name.

    Attributes:
        number: which row of the table it is; the header is row 1, and blank rows count.
    """

    def __init__(self, number: int, cells: dict[str, str]) -> None:
        super().__init__(cells)
        self.number = number


def read_table(path: Path, required: Sequence[str] = ()) -> list[Row]:
    """Read a UTF-8 table with a header, separated by commas, semicolons or tabs.

    The separator is the one that finds the ``required`` columns in the header, or else the most
    columns. Cells are stripped of surrounding blanks, and accents have one form (Unicode NFC).
    Blank rows are left out.

    Raises:
        DataError: missing, not UTF-8, empty, without one of the ``required`` columns, or a row
            with more or fewer cells than the header; the row is numbered.
    """
    text = _read_text(path)
    marked = re.match(r"sep=(.)\r?\n", text)
    above = 1 if marked else 0
    body = text[marked.end() :] if marked else text
    separator = marked[1] if marked else _separator(body, required)
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        line = reader.line_num + above
        raise DataError(f"{path}: line {line}: {error}; mend the quoting") from error
    header = [name.strip() for name in rows[0]] if rows else []
    missing = [name for name in required if name not in header]
    if missing:
        raise DataError(
            f"{path}: missing column {', '.join(missing)} (found: {', '.join(header) or 'nothing'})"
        )
    repeated = [name for name, count in Counter(header).items() if count > 1 and name]
    if repeated:
        raise DataError(f"{path}: column {repeated[0]} stands twice in the header; keep one")
    table = []
    for number, cells in enumerate(rows[1:], start=2 + above):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise DataError(f"{path}: {_misfit(number, len(cells), len(header), separator)}")
        plain = (read_cell(cell.strip()) for cell in cells)
        named = dict(zip(header, plain, strict=True))
        table.append(Row(number, named))
    return table


def has_columns(path: Path, names: Sequence[str]) -> bool:
    """Whether a table's header has all of these columns; False where it cannot be read."""
    try:
        text = re.split(r"[\r\n]", _read_text(path), maxsplit=1)[0]
    except DataError:
        return False
    header = next(csv.reader([text], delimiter=_separator(text, names)), [])
    return {name.strip() for name in header}.issuperset(names)


def known(value: str | None) -> str | None:
    """The value, or None where it is absent or one of the words for unknown."""
    stripped = (value or "").strip()
    return None if stripped.lower() in _UNKNOWN else stripped


def parse_age(value: str | None, where: str) -> float | None:
    """An age in years, or None where unknown; the decimal sign is a point or a comma.

    Raises:
        DataError: neither a number from 0 to 130 nor a word for unknown; names ``where``.
    """
    given = known(value)
    if given is None:
        return None
    try:
        # Python reads 1_0 as ten, which no table means.
        age = -1.0 if "_" in given else float(given.replace(",", ".", 1))
    except ValueError:
        age = -1.0
    if not 0 <= age <= _OLDEST:
        raise DataError(
            f"{where}: age '{given}' is not a number of years; mend it or leave it empty"
        )
    return age


def fitzpatrick_type(value: str | None) -> str | None:
    """A Fitzpatrick type as I to VI, whether it was written ``3``, ``3.0`` or ``iii``.

    None where it is unknown, which Fitzpatrick17k writes as -1; another word is kept as given.
    """
    given = whole_number(value)
    if given is None or given == "-1":
        return None
    if given.upper() in FITZPATRICK:
        return given.upper()
    types = {str(number): roman for number, roman in enumerate(FITZPATRICK, start=1)}
    return types.get(given, given)


def whole_number(value: str | None) -> str | None:
    """The known value; a whole number loses its ``.0``."""
    given = known(value)
    return given and re.sub(r"^([+-]?\d+)\.0*$", r"\1", given)


def name_some(names: Sequence[str], noun: str) -> str:
    """Count and name: ``"3 files (a, b, c)"``, at most five named."""
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    plural = noun if len(names) == 1 else (f"{noun}es" if noun.endswith("ss") else f"{noun}s")
    return f"{len(names)} {plural} ({shown})"


def _read_text(path: Path) -> str:
    try:
        # As bytes: a name may hold a carriage return, which reading as text turns into a line feed.
        text = regular_file(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.start} is not UTF-8; save the table as UTF-8"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    if "\0" in text:
        raise DataError(f"{path}: holds NUL bytes, so it is not a text table; save it as UTF-8 CSV")
    return unicodedata.normalize("NFC", text)


def _separator(text: str, required: Sequence[str]) -> str:
    def found(separator: str) -> tuple[int, int]:
        try:
            first = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
        except csv.Error:
            return 0, 0
        names = {name.strip() for name in first}
        return len(names.intersection(required)), len(first)

    return max(SEPARATORS, key=found)


def _misfit(number: int, cells: int, columns: int, separator: str) -> str:
    shown = {"\t": "a tab"}.get(separator, f"'{separator}'")
    mend = f"quote a cell that holds {shown}" if cells > columns else "fill in or leave empty"
    plural = "cell" if cells == 1 else "cells"
    return f"row {number} has {cells} {plural}, the header {columns}; {mend}"
