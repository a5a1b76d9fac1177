"""``manifest.csv``: what is known of each photo beyond its class, read and written in one place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from hierattn.common.csv_text import csv_text
from hierattn.common.files import write_text
from hierattn.data.readers.presets import SPLITS, split_word
from hierattn.data.readers.tables import (
    FITZPATRICK,
    Row,
    fitzpatrick_type,
    known,
    name_some,
    parse_age,
    read_table,
    whole_number,
)
from hierattn.data.records import Record
from hierattn.errors import DataError

MANIFEST_NAME = "manifest.csv"
COLUMNS = (
    "file",
    "class",
    "lesion_id",
    "patient_id",
    "image_id",
    "age",
    "sex",
    "site",
    "skin_tone",
    "licence",
    "source",
)
_REQUIRED = ("file", "class")
SPLIT_COLUMN = "split"
_FITZPATRICK_COLUMNS = ("fitzpatrick", "fitspatrick", "fitzpatrick_scale", "fitzpatrick_skin_type")


def read_manifest(path: Path) -> list[Record]:
    """Read a manifest; each record's ``path`` is beside it, whether the photo is there or not.

    Columns beyond :data:`COLUMNS`, ``split`` and the names of a Fitzpatrick type are ignored; only
    file and class must exist. Sex and site are lower-cased, so that data sets that shout agree with
    those that do not. A skin tone is a Fitzpatrick type, I to VI, where its column is called so or
    holds one of these; another scale's numbers stay as they are.

    Raises:
        DataError: an unreadable table, a missing column, an empty or escaping file name, an
            age that is no number of years, a split that is none, or one file listed twice.
    """
    table = read_table(path, _REQUIRED)
    roman = any(row.get("skin_tone", "").upper() in FITZPATRICK for row in table)
    records = [_record(path, row, roman) for row in table]
    counts = Counter(record.file for record in records)
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise DataError(
            f"{path}: {name_some(repeated, 'file')} listed more than once; keep one row"
        )
    return records


def write_manifest(
    path: Path, records: Sequence[Record], extra: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Write records as a manifest, atomically; ``extra`` adds columns, one value a record.

    The column ``split`` is written where a record has one.
    """
    extra = dict(extra or {})
    if any(record.split for record in records):
        extra = {SPLIT_COLUMN: [record.split or "" for record in records], **extra}
    rows: list[Sequence[str | None]] = [[*COLUMNS, *extra]]
    for position, record in enumerate(records):
        age = "" if record.age is None else f"{record.age:g}"
        values = (
            record.file,
            record.label,
            record.lesion_id,
            record.patient_id,
            record.image_id,
            age,
            record.sex,
            record.site,
            record.skin_tone,
            record.licence,
            record.source,
        )
        rows.append([*values, *(column[position] for column in extra.values())])
    write_text(path, csv_text(rows))


def _record(path: Path, row: Row, roman: bool) -> Record:
    where = f"{path}: row {row.number}"
    label = row["class"]
    file = row["file"].replace("\\", "/")
    if not file or not label:
        raise DataError(f"{where}: {'class' if file else 'file'} is empty; fill it in")
    parts = PurePosixPath(file)
    if parts.is_absolute() or ".." in parts.parts or re.match(r"^[A-Za-z]:", file):
        raise DataError(f"{where}: file '{file}' leads out of the data folder; name it inside")
    sex, site = known(row.get("sex")), known(row.get("site"))
    return Record(
        path=path.parent / parts,
        file=str(parts),
        label=label,
        lesion_id=known(row.get("lesion_id")),
        patient_id=known(row.get("patient_id")),
        image_id=known(row.get("image_id")),
        age=parse_age(row.get("age"), where),
        sex=sex.lower() if sex else None,
        site=site.lower() if site else None,
        skin_tone=_skin_tone(row, roman),
        licence=known(row.get("licence")) or known(row.get("license")),
        source=known(row.get("source")),
        split=_split(row.get(SPLIT_COLUMN), where),
    )


def _skin_tone(row: Row, roman: bool) -> str | None:
    given = whole_number(row.get("skin_tone"))
    if given is not None and given != "-1":
        return fitzpatrick_type(given) if roman else given
    return next(filter(None, (fitzpatrick_type(row.get(n)) for n in _FITZPATRICK_COLUMNS)), None)


def _split(value: str | None, where: str) -> str | None:
    given = known(value)
    if given is None:
        return None
    split = split_word(given)
    if split is None:
        raise DataError(
            f"{where}: split '{given}' is none of {', '.join(SPLITS)}; mend it, or give the "
            "column another name"
        )
    return split
