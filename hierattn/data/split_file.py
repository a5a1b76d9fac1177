"""Reading and writing of ``splits.csv``: which part each photo of a run plays."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hierattn.common.csv_text import csv_text
from hierattn.common.files import write_text
from hierattn.data.groups import group_keys
from hierattn.data.pixels.hashing import photo_sha256
from hierattn.data.readers.tables import name_some, read_table
from hierattn.data.records import DataFolder, Record
from hierattn.data.splits import Split
from hierattn.errors import DataError, HierAttnError

_COLUMNS = ("file", "class", "group", "split")
_IDENTITY = ("sha256", "source")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class SplitRow:
    """One line of ``splits.csv``.

    Attributes:
        sha256: of the photo, hexadecimal; None in files of older versions.
        source: the manifest's word for where the photo comes from, if it has one.
    """

    file: str
    label: str
    group: str
    split: Split
    sha256: str | None = None
    source: str | None = None


def write_splits(path: str | Path, folder: DataFolder, splits: Sequence[Split]) -> None:
    """Write ``splits.csv`` (file, class, group, split, sha256, source), atomically.

    Raises:
        DataError: not one split a record.
    """
    if len(splits) != len(folder.records):
        raise DataError(f"{path}: {len(splits)} splits for {len(folder.records)} photos")
    groups = group_keys(folder)
    write_split_rows(
        path,
        [
            SplitRow(record.file, record.label, group, split, _sha256(record), record.source)
            for record, group, split in zip(folder.records, groups, splits, strict=True)
        ],
    )


def write_split_rows(path: str | Path, rows: Iterable[SplitRow]) -> None:
    """Write rows as ``splits.csv`` has them, atomically."""
    cells = (
        (row.file, row.label, row.group, row.split.value, row.sha256, row.source) for row in rows
    )
    write_text(path, csv_text([(*_COLUMNS, *_IDENTITY), *cells]))


def read_split_rows(path: str | Path, *, one_folder: bool = True) -> tuple[SplitRow, ...]:
    """Read ``splits.csv`` as it stands, without asking whether the photos are there.

    Args:
        path: the table.
        one_folder: refuse two rows of one file; photos of several folders may share a name.

    Raises:
        DataError: the file is missing or malformed, or lists a file twice.
    """
    path = Path(path)
    valid = {split.value for split in Split}
    rows = []
    for cells in read_table(path, _COLUMNS):
        if cells["split"] not in valid:
            where, given = f"{path}: row {cells.number}", cells["split"]
            raise DataError(f"{where}: split '{given}' is none of {', '.join(valid)}")
        file, label, group, split = (cells[name] for name in _COLUMNS)
        sha256, source = (cells.get(name) or None for name in _IDENTITY)
        if sha256 is not None and not _SHA256.fullmatch(sha256):
            raise DataError(
                f"{path}: row {cells.number}: sha256 is not 64 hexadecimal digits; copy the file "
                "again"
            )
        rows.append(SplitRow(file, label, group, Split(split), sha256, source))
    repeated = [name for name, count in Counter(row.file for row in rows).items() if count > 1]
    if repeated and one_folder:
        raise DataError(f"{path}: {name_some(repeated, 'file')} listed more than once")
    return tuple(rows)


def _sha256(record: Record) -> str | None:
    with suppress(HierAttnError):
        return photo_sha256(record.path)
    return None


def read_splits(path: str | Path, folder: DataFolder) -> tuple[Split, ...]:
    """Read the splits of exactly this folder's photos, in record order.

    Raises:
        DataError: malformed, or the photos or their classes are not those of ``folder``.
    """
    rows = {row.file: row for row in read_split_rows(path)}
    unlisted = [record.file for record in folder.records if record.file not in rows]
    gone = sorted(set(rows) - {record.file for record in folder.records})
    other = [r.file for r in folder.records if r.file in rows and rows[r.file].label != r.label]
    for files, what in (
        (unlisted, "not listed"),
        (gone, "no longer in the folder"),
        (other, "of another class"),
    ):
        if files:
            raise DataError(
                f"{path}: does not belong to {folder.place}: {name_some(files, 'photo')} {what}; "
                "pass the data folder that it was made for"
            )
    return tuple(rows[record.file].split for record in folder.records)
