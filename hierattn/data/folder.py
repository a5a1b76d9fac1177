"""A data folder: one subfolder a class, and an optional ``manifest.csv``. Listed, never decoded.

The class folders may lie in folders that are splits (``train``, ``val_dir``, ``Test set``), or in
the numbered parts of one download.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hierattn.data.readers.class_folders import check_links, class_depth, class_names
from hierattn.data.readers.listing import Listing, check_utf8, outside
from hierattn.data.readers.manifest import MANIFEST_NAME, read_manifest
from hierattn.data.readers.presets import split_of_folder
from hierattn.data.readers.tables import name_some
from hierattn.data.records import DataFolder, Record
from hierattn.errors import DataError
from hierattn.run_files import CHECKPOINT, CONFIG, WEIGHTS

SPLITS_NAME = "splits.csv"
HOMELESS = "lies in no class folder"
_SHOWN_PATH = 100


def read_data_folder(root: str | Path) -> DataFolder:
    """List a data folder: classes sorted by name, records sorted by file.

    Photos may lie deeper than one level under their class. Photos that the manifest does not list
    are kept, without ids. What is passed over is named in the result, hidden files left out.

    Raises:
        DataError: the folder is missing, not a folder or a run's; its classes cannot be told (see
            :func:`class_depth` and :func:`class_names`); a link that leads nowhere or back to the
            folder, or a name that is not UTF-8; or its manifest cannot be read, lists a photo that
            is not there, contradicts the folders, or gives only some photos a split.
    """
    root = Path(root)
    check_folder(root)
    check_utf8(root)
    _refuse_run(root)
    check_links(root)
    listing = Listing(root)
    depth = class_depth(listing)
    classes = class_names(listing, depth)
    bare = {
        file: _bare_record(file, path, depth)
        for file, path in listing.photos.items()
        if file.count("/") > depth
    }
    manifest = root / MANIFEST_NAME
    if manifest.exists() and not manifest.is_file():
        raise DataError(f"{manifest}: not a file; replace it by a table or remove it")
    rows = {row.file: row for row in read_manifest(manifest)} if manifest.exists() else {}
    _check_rows(manifest, list(rows.values()), bare)
    records = tuple(_joined(bare[file], rows.get(file)) for file in bare)
    _check_splits(manifest, records)
    read = (MANIFEST_NAME, SPLITS_NAME)
    passed_over = [entry for entry in listing.passed_over if entry.file not in read]
    homeless = [file for file in listing.photos if file not in bare]
    passed_over += outside(homeless, HOMELESS)
    return DataFolder(root, classes, records, tuple(passed_over))


def check_folder(path: Path) -> None:
    """Check that ``path`` is a folder.

    Raises:
        DataError: it is missing (the nearest existing name is suggested), not a folder, or beyond
            reach: a name longer than the system allows, or a forbidden place.
    """
    try:
        if path.is_dir():
            return
        there_is_a_file = path.exists()
    except OSError as error:
        shown = str(path)
        shown = shown if len(shown) <= _SHOWN_PATH else f"{shown[:_SHOWN_PATH]}..."
        raise DataError(f"{shown}: {error.strerror or error}; pass another folder") from error
    if there_is_a_file:
        raise DataError(f"{path}: is a file, not a folder; pass the folder that holds the classes")
    base, wanted = path.absolute().parent, path.name
    while not base.is_dir() and base != base.parent:
        base, wanted = base.parent, base.name
    try:
        there = sorted(entry.name for entry in os.scandir(base) if entry.is_dir())
    except OSError:
        there = []
    near = difflib.get_close_matches(wanted, there, n=1, cutoff=0.5)
    hint = f"; did you mean {base / near[0]}?" if near else f"; {base} has no such folder"
    raise DataError(f"{path}: no such data folder{hint}")


def _refuse_run(root: Path) -> None:
    finished = all((root / name).is_file() for name in (CONFIG, WEIGHTS))
    if finished or (root / CHECKPOINT).is_file():
        raise DataError(f"{root}: is a run folder, not photos; give a folder of photos")


def _bare_record(file: str, path: Path, depth: int) -> Record:
    """What the folders alone say of a photo."""
    folders = file.split("/")
    split = split_of_folder(folders[0]) if depth else None
    return Record(path=path, file=file, label=folders[depth], split=split)


def _joined(bare: Record, row: Record | None) -> Record:
    return bare if row is None else replace(row, path=bare.path, split=row.split or bare.split)


def _check_rows(manifest: Path, rows: Sequence[Record], bare: Mapping[str, Record]) -> None:
    missing, other_class, other_split = [], [], []
    for row in rows:
        photo = bare.get(row.file)
        if photo is None:
            missing.append(row.file)
        elif row.label != photo.label:
            other_class.append(f"{row.file} is '{row.label}'")
        elif row.split and photo.split and row.split != photo.split:
            other_split.append(f"{row.file} is '{row.split}'")
    if missing:
        raise DataError(
            f"{manifest}: no photo for {name_some(missing, 'row')}; "
            "add the files or remove the rows"
        )
    for what, rows_of in (("class", other_class), ("split", other_split)):
        if rows_of:
            raise DataError(
                f"{manifest}: {what} contradicts the folder in {name_some(rows_of, 'row')}; "
                "make the manifest and the folders agree"
            )


def _check_splits(manifest: Path, records: Sequence[Record]) -> None:
    without = [record.file for record in records if not record.split]
    if without and len(without) < len(records):
        raise DataError(
            f"{manifest}: no split for {name_some(without, 'photo')}, but for others; fill in the "
            "column 'split' for every photo, or for none"
        )
