"""Plain class folders, with or without a ``manifest.csv``: already what a data folder is."""

from __future__ import annotations

from pathlib import Path

from hierattn.data.folder import read_data_folder
from hierattn.data.readers.listing import Listing
from hierattn.data.records import Record

NAME = "folders"


def detect(source: Path) -> bool:
    """Whether two or more subfolders hold photos."""
    return len({file.split("/")[0] for file in Listing(source).photos if "/" in file}) > 1


def read(source: Path) -> list[Record]:
    """Read the photos as they lie.

    Raises:
        DataError: see :func:`hierattn.data.folder.read_data_folder`.
    """
    return list(read_data_folder(source).records)
