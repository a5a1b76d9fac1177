"""HAM10000: one metadata table and two folders of JPEGs.

Tschandl, Rosendahl and Kittler 2018, Scientific Data 5:180161, doi 10.7910/DVN/DBW86T.
"""

from __future__ import annotations

from pathlib import Path

from hierattn.data.layouts.source import (
    find_table,
    index_photos,
    listed_photos,
)
from hierattn.data.readers.tables import Row, known, parse_age
from hierattn.data.records import Record
from hierattn.errors import DataError

NAME = "ham10000"
LICENCE = "CC BY-NC 4.0 (HAM10000, doi:10.7910/DVN/DBW86T)"
SOURCE = "HAM10000, https://doi.org/10.7910/DVN/DBW86T"
METADATA = ("HAM10000_metadata.csv", "HAM10000_metadata.tab", "HAM10000_metadata")
CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


def detect(source: Path) -> bool:
    """Whether the metadata of HAM10000 lies below ``source``."""
    return find_table(source, *METADATA) is not None


def read(source: Path) -> list[Record]:
    """Read the photos; ``file`` is where each is to go, ``<CLASS>/<image>.jpg``.

    Classes are the published seven in capitals, ``AKIEC`` holding actinic keratoses together
    with intraepithelial carcinoma.

    Raises:
        DataError: no table, an unknown diagnosis, or a row without its photo.
    """
    table = find_table(source, *METADATA)
    if table is None:
        raise DataError(f"{source}: no {METADATA[0]}; download it beside the photos")
    photos = index_photos(source)
    records = []
    for photo in listed_photos(table, "image_id", ("lesion_id", "image_id", "dx"), photos, _label):
        row = photo.row
        records.append(
            Record(
                path=photo.path,
                file=photo.file,
                label=photo.label,
                lesion_id=known(row["lesion_id"]),
                image_id=photo.image,
                age=parse_age(row.get("age"), photo.where),
                sex=known(row.get("sex")),
                site=known(row.get("localization")),
                licence=LICENCE,
                source=SOURCE,
            )
        )
    return records


def _label(row: Row, where: str) -> str:
    if row["dx"].lower() not in CLASSES:
        raise DataError(f"{where}: dx '{row['dx']}' is none of {', '.join(CLASSES)}")
    return row["dx"].upper()
