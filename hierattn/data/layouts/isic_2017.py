"""ISIC 2017 challenge, part 3: ground truth, metadata and a folder of JPEGs for each official part.

Codella et al. 2018, arXiv 1710.05006.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hierattn.data.layouts.source import (
    PhotoIndex,
    find_table,
    image_id,
    index_photos,
    listed_photos,
)
from hierattn.data.readers.tables import Row, known, parse_age, read_table
from hierattn.data.records import Record
from hierattn.errors import DataError

NAME = "isic_2017"
LICENCE = "CC0 1.0 (ISIC 2017 challenge)"
SOURCE = "ISIC 2017 challenge, https://challenge.isic-archive.com/data/#2017"
PARTS = {"Training": "train", "Validation": "validation", "Test_v2": "test"}
COLUMNS = {"melanoma": "MEL", "seborrheic_keratosis": "SEK"}
NEITHER = "NV"


def detect(source: Path) -> bool:
    """Whether the training ground truth of ISIC 2017's part 3 lies below ``source``."""
    return find_table(source, _truth("Training")) is not None


def read(source: Path) -> list[Record]:
    """Read the photos of every part whose ground truth is there; the parts are the split.

    ``file`` is where each photo is to go, ``<class>/<image>.jpg``; what is neither melanoma nor
    seborrheic keratosis is a nevus (``NV``). The data set tells no lesions and no patients.

    Raises:
        DataError: no ground truth of the training part, a row of both classes, or a row without
            its photo.
    """
    photos = index_photos(source)
    records = []
    for part, split in PARTS.items():
        truth = find_table(source, _truth(part))
        if truth is not None:
            metadata = find_table(source, f"ISIC-2017_{part}_Data_metadata.csv")
            records += _read_part(truth, metadata, split, photos)
        elif part == "Training":
            raise DataError(f"{source}: no {_truth(part)}; download it beside the photos")
    return records


def _truth(part: str) -> str:
    return f"ISIC-2017_{part}_Part3_GroundTruth.csv"


def _read_part(truth: Path, metadata: Path | None, split: str, photos: PhotoIndex) -> list[Record]:
    about: Mapping[str, Mapping[str, str]] = {}
    if metadata is not None:
        about = {image_id(row["image_id"]): row for row in read_table(metadata, ("image_id",))}
    records = []
    for photo in listed_photos(truth, "image_id", ("image_id", *COLUMNS), photos, _label):
        extra = about.get(photo.image, {})
        records.append(
            Record(
                path=photo.path,
                file=photo.file,
                label=photo.label,
                image_id=photo.image,
                age=parse_age(extra.get("age_approximate"), f"{metadata}: {photo.image}"),
                sex=known(extra.get("sex")),
                licence=LICENCE,
                source=SOURCE,
                split=split,
            )
        )
    return records


def _label(row: Row, where: str) -> str:
    if {row[column] for column in COLUMNS} - {"0", "0.0", "1", "1.0"}:
        raise DataError(f"{where}: {' and '.join(COLUMNS)} must be 0 or 1; mend the row")
    hot = [label for column, label in COLUMNS.items() if float(row[column])]
    if len(hot) > 1:
        raise DataError(f"{where}: both {' and '.join(COLUMNS)} are 1; mend the row")
    return hot[0] if hot else NEITHER
