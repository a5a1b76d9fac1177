"""ISIC 2018 challenge, task 3: ground truth and a folder of JPEGs for each official part.

Codella et al. 2019, arXiv 1902.03368; the training photos are HAM10000's (Tschandl et al. 2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from hierattn.data.layouts.source import (
    PhotoIndex,
    find_table,
    image_id,
    index_photos,
    listed_photos,
    one_hot,
)
from hierattn.data.readers.tables import known, read_table
from hierattn.data.records import Record
from hierattn.errors import DataError

NAME = "isic_2018"
LICENCE = "CC BY-NC 4.0 (ISIC 2018 challenge, HAM10000)"
SOURCE = "ISIC 2018 challenge, task 3, https://challenge.isic-archive.com/data/#2018"
PARTS = {"Training": "train", "Validation": "validation", "Test": "test"}
CLASSES = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")


def detect(source: Path) -> bool:
    """Whether the training ground truth of ISIC 2018's task 3 lies below ``source``."""
    return find_table(source, _truth("Training")) is not None


def read(source: Path) -> list[Record]:
    """Read the photos of every part whose ground truth is there; the parts are the split.

    ``file`` is where each photo is to go, ``<class>/<image>.jpg``.

    Raises:
        DataError: no ground truth or lesion groupings of the training part (without them, photos
            of one lesion could straddle a split), a row that is not one-hot, or a row without its
            photo.
    """
    photos = index_photos(source)
    records = []
    for part, split in PARTS.items():
        truth, groupings = find_table(source, _truth(part)), find_table(source, _groupings(part))
        if part == "Training" and (truth is None or groupings is None):
            absent = _groupings(part) if truth else _truth(part)
            raise DataError(f"{source}: no {absent}; download it beside the photos")
        if truth is not None:
            records += _read_part(truth, groupings, split, photos)
    return records


def _truth(part: str) -> str:
    return f"ISIC2018_Task3_{part}_GroundTruth.csv"


def _groupings(part: str) -> str:
    return f"ISIC2018_Task3_{part}_LesionGroupings.csv"


def _read_part(truth: Path, groupings: Path | None, split: str, photos: PhotoIndex) -> list[Record]:
    about: Mapping[str, Mapping[str, str]] = {}
    if groupings is not None:
        table = read_table(groupings, ("image", "lesion_id"))
        about = {image_id(row["image"]): row for row in table}
    records = []
    read_label = partial(one_hot, classes=CLASSES)
    for photo in listed_photos(truth, "image", ("image", *CLASSES), photos, read_label):
        records.append(
            Record(
                path=photo.path,
                file=photo.file,
                label=photo.label,
                lesion_id=known(about.get(photo.image, {}).get("lesion_id")),
                image_id=photo.image,
                licence=LICENCE,
                source=SOURCE,
                split=split,
            )
        )
    return records
