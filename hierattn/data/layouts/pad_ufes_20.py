"""PAD-UFES-20: smartphone photos as PNG in three folders, with one metadata table.

Pacheco et al. 2020, Data in Brief 32:106221, doi 10.17632/zr7vgbcyr2.1.
"""

from __future__ import annotations

from pathlib import Path

from hierattn.data.layouts.source import (
    find_table,
    index_photos,
    listed_photos,
)
from hierattn.data.readers.tables import (
    FITZPATRICK,
    Row,
    fitzpatrick_type,
    has_columns,
    known,
    parse_age,
)
from hierattn.data.records import Record
from hierattn.errors import DataError

NAME = "pad_ufes_20"
LICENCE = "CC BY 4.0 (PAD-UFES-20, doi:10.17632/zr7vgbcyr2.1)"
SOURCE = "PAD-UFES-20, https://doi.org/10.17632/zr7vgbcyr2.1"
METADATA = "metadata.csv"
CLASSES = ("ACK", "BCC", "MEL", "NEV", "SCC", "SEK")
_REQUIRED = ("img_id", "diagnostic", "patient_id", "lesion_id")


def detect(source: Path) -> bool:
    """Whether a ``metadata.csv`` with PAD-UFES-20's columns lies below ``source``."""
    table = find_table(source, METADATA)
    return table is not None and has_columns(table, _REQUIRED)


def read(source: Path) -> list[Record]:
    """Read the photos; ``file`` is where each is to go, ``<class>/<image>.png``.

    A lesion's id is ``<patient>_<lesion>``, as in the file names; the Fitzpatrick type becomes
    ``skin_tone`` I to VI.

    Raises:
        DataError: no table, an unknown diagnosis, or a row without its photo.
    """
    table = find_table(source, METADATA)
    if table is None:
        raise DataError(f"{source}: no {METADATA}; download it beside the photos")
    photos = index_photos(source)
    records = []
    for photo in listed_photos(table, "img_id", _REQUIRED, photos, _label):
        row = photo.row
        patient, lesion = known(row["patient_id"]), known(row["lesion_id"])
        records.append(
            Record(
                path=photo.path,
                file=photo.file,
                label=photo.label,
                lesion_id=f"{patient}_{lesion}" if patient and lesion else lesion,
                patient_id=patient,
                image_id=photo.image,
                age=parse_age(row.get("age"), photo.where),
                sex=known(row.get("gender")),
                site=known(row.get("region")),
                skin_tone=_fitzpatrick(row.get("fitspatrick"), photo.where),
                licence=LICENCE,
                source=SOURCE,
            )
        )
    return records


def _label(row: Row, where: str) -> str:
    label = row["diagnostic"].upper()
    if label not in CLASSES:
        raise DataError(f"{where}: diagnostic '{label}' is none of {', '.join(CLASSES)}")
    return label


def _fitzpatrick(value: str | None, where: str) -> str | None:
    given = fitzpatrick_type(value)
    if given is not None and given not in FITZPATRICK:
        raise DataError(f"{where}: fitspatrick '{given}' is not 1 to 6; mend it or leave it empty")
    return given
