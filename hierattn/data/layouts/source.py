"""Shared by the layouts: finding tables and photos in a downloaded folder at any depth."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hierattn.data.readers.listing import Listing
from hierattn.data.readers.tables import Row, name_some, read_table
from hierattn.errors import DataError
from hierattn.preprocessing import PHOTO_FORMATS

PhotoIndex = dict[str, list[Path]]
"""Photos by their name without suffix; a name may lie in several folders."""


def find_table(source: Path, *names: str) -> Path | None:
    """The first file of one of these names (any case), the shallowest first; None if absent.

    Raises:
        DataError: two tables of that name that differ.
    """
    wanted = {name.lower() for name in names}
    found = [
        Path(where) / name
        for where, _, files in os.walk(source)
        for name in files
        if name.lower() in wanted
    ]
    found.sort(key=lambda path: (len(path.parts), path))
    if found:
        _same_bytes(found)
    return found[0] if found else None


def index_photos(source: Path) -> PhotoIndex:
    """All photos below ``source``, by name without suffix; hidden ones are left out."""
    photos: PhotoIndex = defaultdict(list)
    for file, path in Listing(source).photos.items():
        photos[PurePosixPath(file).stem].append(path)
    return photos


def image_id(name: str) -> str:
    """An image's name without a photo's suffix, which some copies of the tables have."""
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in PHOTO_FORMATS else name


def find_photo(photos: PhotoIndex, name: str) -> Path | None:
    """The photo of a name, or None.

    Raises:
        DataError: several photos of that name with different bytes.
    """
    found = photos.get(name)
    if not found:
        return None
    _same_bytes(found)
    return found[0]


@dataclass(frozen=True)
class ListedPhoto:
    """A row of a data set's table, with its photo.

    Attributes:
        where: table and row, for messages.
        image: the photo's name without suffix.
        label: its class.
        path: where it lies.
    """

    row: Row
    where: str
    image: str
    label: str
    path: Path

    @property
    def file(self) -> str:
        """Where it is to go: ``<class>/<name>``."""
        return f"{self.label}/{self.path.name}"


def listed_photos(
    table: Path,
    name: str,
    columns: Sequence[str],
    photos: PhotoIndex,
    read_label: Callable[[Row, str], str],
) -> Iterator[ListedPhoto]:
    """The photos that a table lists, row by row.

    Args:
        name: the column with the photos' names.
        columns: all that the table must have.
        read_label: gives a row's class; also told where it stands, for its messages.

    Raises:
        DataError: rows without their photo, which are counted and named; or no row at all.
    """
    missing, empty = [], True
    for row in read_table(table, columns):
        where = f"{table}: row {row.number}"
        label, image = read_label(row, where), image_id(row[name])
        path = find_photo(photos, image)
        if path is None:
            missing.append(row[name])
            continue
        empty = False
        yield ListedPhoto(row, where, image, label, path)
    if missing:
        raise DataError(
            f"{table}: no photo for {name_some(missing, 'row')}; "
            "put all parts of the download below one folder, or remove the rows"
        )
    if empty:
        raise DataError(f"{table}: has no row; download it again")


def one_hot(row: Row, where: str, *, classes: Sequence[str]) -> str:
    """The one class whose column is 1.

    Raises:
        DataError: none is, or several are; names ``where``.
    """
    hot = [name for name in classes if row.get(name, "") in {"1", "1.0"}]
    if len(hot) != 1:
        raise DataError(f"{where}: {len(hot)} classes are 1.0 instead of one; mend the row")
    return hot[0]


def _same_bytes(paths: Sequence[Path]) -> None:
    # A well-known copy of HAM10000 holds every photo twice, which does no harm.
    if len(paths) > 1 and len({path.read_bytes() for path in paths}) > 1:
        raise DataError(
            f"{paths[0]} and {paths[1]}: the same name, but different content; remove one of them"
        )
