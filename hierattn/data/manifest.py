"""``manifest.csv``: what is known of each photo beyond its class, read and written in one place."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hierattn.data.records import Record
from hierattn.errors import DataError
from hierattn.files import write_text

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
_ALIASES = {"fitzpatrick": "skin_tone", "fitspatrick": "skin_tone", "license": "licence"}
_UNKNOWN = frozenset({"", "na", "n/a", "nan", "none", "null", "unknown", "unk", "-"})
_OLDEST = 130.0
_SHOWN = 5


@dataclass(frozen=True)
class ManifestRow:
    """One line of a manifest; an absent or unknown value is None. ``age`` is in years."""

    line: int
    file: str
    label: str
    lesion_id: str | None = None
    patient_id: str | None = None
    image_id: str | None = None
    age: float | None = None
    sex: str | None = None
    site: str | None = None
    skin_tone: str | None = None
    licence: str | None = None
    source: str | None = None

    def record(self, root: Path) -> Record:
        """The row as a record of the photo ``root / file``."""
        return Record(
            path=root / self.file,
            file=self.file,
            label=self.label,
            lesion_id=self.lesion_id,
            patient_id=self.patient_id,
            image_id=self.image_id,
            age=self.age,
            sex=self.sex,
            site=self.site,
            skin_tone=self.skin_tone,
            licence=self.licence,
            source=self.source,
        )


def read_table(path: Path, required: Sequence[str] = ()) -> list[dict[str, str]]:
    """Read a UTF-8 table with a header line, separated by commas or tabs.

    Header names and cells are stripped of surrounding blanks; blank lines are left out.

    Raises:
        DataError: missing, not UTF-8, empty, or without one of the ``required`` columns.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.start} is not UTF-8; save the table as UTF-8"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    if "\0" in text:
        raise DataError(f"{path}: holds NUL bytes, so it is not a text table; save it as UTF-8 CSV")
    first = text.partition("\n")[0]
    delimiter = "\t" if "\t" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: {error}; mend the quoting") from error
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
    for cells in rows[1:]:
        if any(cell.strip() for cell in cells):
            padded = [cell.strip() for cell in cells] + [""] * (len(header) - len(cells))
            table.append(dict(zip(header, padded, strict=False)))
    return table


def read_manifest(path: Path) -> list[ManifestRow]:
    """Read a manifest. Columns beyond :data:`COLUMNS` are ignored; only file and class must exist.

    ``fitzpatrick`` is read as ``skin_tone``. Sex and site are lower-cased, so that data sets
    that shout agree with those that do not.

    Raises:
        DataError: an unreadable table, a missing column, an empty or escaping file name, an
            age that is no number of years, or one file listed twice.
    """
    rows = []
    for number, cells in enumerate(read_table(path, _REQUIRED), start=2):
        named = dict(cells)
        for alias, name in _ALIASES.items():
            if not named.get(name) and named.get(alias):
                named[name] = named[alias]
        rows.append(_row(path, number, named))
    repeated = [name for name, count in Counter(row.file for row in rows).items() if count > 1]
    if repeated:
        raise DataError(
            f"{path}: {name_some(repeated, 'file')} listed more than once; keep one row"
        )
    return rows


def write_manifest(
    path: Path, records: Sequence[Record], extra: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Write records as a manifest, atomically; ``extra`` adds columns, one value a record."""
    extra = extra or {}
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*COLUMNS, *extra])
    for position, record in enumerate(records):
        age = "" if record.age is None else f"{record.age:g}"
        known = (
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
        writer.writerow([value or "" for value in known] + [v[position] for v in extra.values()])
    write_text(path, buffer.getvalue())


def known(value: str | None) -> str | None:
    """The value, or None where it is absent or one of the words for unknown."""
    stripped = (value or "").strip()
    return None if stripped.lower() in _UNKNOWN else stripped


def parse_age(value: str | None, where: str) -> float | None:
    """An age in years, or None where unknown.

    Raises:
        DataError: neither a number from 0 to 130 nor a word for unknown; names ``where``.
    """
    given = known(value)
    if given is None:
        return None
    try:
        # Python reads 1_0 as ten, which no table means.
        age = -1.0 if "_" in given else float(given)
    except ValueError:
        age = -1.0
    if not 0 <= age <= _OLDEST:
        raise DataError(
            f"{where}: age '{given}' is not a number of years; mend it or leave it empty"
        )
    return age


def name_some(names: Sequence[str], noun: str) -> str:
    """Count and name: ``"3 files (a, b, c)"``, at most five named."""
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    plural = noun if len(names) == 1 else (f"{noun}es" if noun.endswith("ss") else f"{noun}s")
    return f"{len(names)} {plural} ({shown})"


def _row(path: Path, number: int, named: Mapping[str, str]) -> ManifestRow:
    where = f"{path}: row {number}"
    label = named["class"]
    file = named["file"].replace("\\", "/")
    if not file or not label:
        raise DataError(f"{where}: {'class' if file else 'file'} is empty; fill it in")
    parts = PurePosixPath(file)
    if parts.is_absolute() or ".." in parts.parts or re.match(r"^[A-Za-z]:", file):
        raise DataError(f"{where}: file '{file}' leads out of the data folder; name it inside")
    sex, site = known(named.get("sex")), known(named.get("site"))
    return ManifestRow(
        line=number,
        file=str(parts),
        label=label,
        lesion_id=known(named.get("lesion_id")),
        patient_id=known(named.get("patient_id")),
        image_id=known(named.get("image_id")),
        age=parse_age(named.get("age"), where),
        sex=sex.lower() if sex else None,
        site=site.lower() if site else None,
        skin_tone=known(named.get("skin_tone")),
        licence=known(named.get("licence")),
        source=known(named.get("source")),
    )
