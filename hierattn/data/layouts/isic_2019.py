"""ISIC 2019 challenge, training part: one-hot ground truth, metadata and a folder of JPEGs.

Codella et al. 2018 (arXiv 1710.05006), Tschandl et al. 2018, Combalia et al. 2019 (BCN20000).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from hierattn.data.layouts.source import (
    find_table,
    image_id,
    index_photos,
    listed_photos,
    one_hot,
)
from hierattn.data.readers.tables import known, parse_age, read_table
from hierattn.data.records import Record
from hierattn.errors import DataError

NAME = "isic_2019"
LICENCE = "CC BY-NC 4.0 (ISIC 2019 challenge: BCN20000, HAM10000, MSK)"
SOURCE = "ISIC 2019 challenge, https://challenge.isic-archive.com/data/#2019"
TRUTH = "ISIC_2019_Training_GroundTruth.csv"
METADATA = "ISIC_2019_Training_Metadata.csv"
CLASSES = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")


def detect(source: Path) -> bool:
    """Whether the ground truth of ISIC 2019 lies below ``source``."""
    return find_table(source, TRUTH) is not None


def read(source: Path) -> list[Record]:
    """Read the photos; ``file`` is where each is to go, ``<class>/<image>.jpg``.

    Raises:
        DataError: a missing table (without the metadata, photos of one lesion could straddle a
            split), a row that is not one-hot, or a row without its photo.
    """
    truth, metadata = find_table(source, TRUTH), find_table(source, METADATA)
    if truth is None or metadata is None:
        absent = METADATA if truth else TRUTH
        raise DataError(f"{source}: no {absent}; download it beside the photos")
    about = {image_id(row["image"]): row for row in read_table(metadata, ("image", "lesion_id"))}
    photos = index_photos(source)
    records = []
    read_label = partial(one_hot, classes=CLASSES)
    for photo in listed_photos(truth, "image", ("image", *CLASSES[:-1]), photos, read_label):
        extra: Mapping[str, str] = about.get(photo.image, {})
        records.append(
            Record(
                path=photo.path,
                file=photo.file,
                label=photo.label,
                lesion_id=known(extra.get("lesion_id")),
                image_id=photo.image,
                age=parse_age(extra.get("age_approx"), f"{metadata}: {photo.image}"),
                sex=known(extra.get("sex")),
                site=known(extra.get("anatom_site_general")),
                licence=LICENCE,
                source=SOURCE,
            )
        )
    return records
