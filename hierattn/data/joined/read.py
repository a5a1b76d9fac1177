"""Reading of ``--data``: one folder or several, as one set of photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hierattn.data.folder import SPLITS_NAME, read_data_folder
from hierattn.data.joined.class_table import (
    ClassTable,
    check_shared,
    check_table,
    rename_classes,
)
from hierattn.data.joined.join import check_roots, join_folders
from hierattn.data.records import DataFolder
from hierattn.data.split_file import read_splits
from hierattn.errors import ConfigError, DataError

_AS_IS = ClassTable()


def as_roots(data: Path | Sequence[Path]) -> tuple[Path, ...]:
    """One data folder or several, as several."""
    return (Path(data),) if isinstance(data, str | Path) else tuple(data)


def read_labelled(
    roots: Sequence[Path], table: ClassTable = _AS_IS, model_classes: Sequence[str] | None = None
) -> DataFolder:
    """List the photos of one data folder or of several with their classes.

    The table's names come first. Then, unless it refuses synonyms, a class that the model does not
    know takes the model's name for it; without a model, a class that no earlier folder has takes
    the earlier folder's name. What was done stands in the result's remarks.

    Args:
        roots: data folders.
        table: the user's.
        model_classes: of the network that is to answer; None where one is to be trained.

    Raises:
        ConfigError: no folder, two of one name, or one in another.
        DataError: see :func:`read_data_folder` and :func:`join_folders`; a table that renames a
            class that is not there, or leaves one or none; with several folders, a class that one
            of them has alone and the table does not name, or a split that only some of them give.
    """
    if not roots:
        raise ConfigError("--data: no folder given")
    check_roots(roots)
    read = [read_data_folder(root) for root in roots]
    check_table(table, read, model_classes)
    several = len(read) > 1
    folders: list[DataFolder] = []
    for folder in read:
        known = [name for earlier in folders for name in earlier.classes]
        folder = rename_classes(folder, table, known if model_classes is None else model_classes)
        folders.append(_with_own_split(folder) if model_classes is None else folder)
    if several and model_classes is None:
        check_shared(folders, table)
        _check_splits(folders)
    joined = join_folders(folders) if several else folders[0]
    if model_classes is None and len(joined.classes) < 2:
        raise DataError(
            f"{joined.place}: --map-class leaves only one class ({joined.classes[0]}); "
            "a classifier needs two or more"
        )
    return joined


def read_unlabelled(roots: Sequence[Path]) -> DataFolder:
    """List the photos of several data folders; the class of each becomes its folder's name.

    Raises:
        ConfigError: two folders have one name, or one lies in another.
        DataError: see :func:`read_data_folder`.
    """
    check_roots(roots)
    folder = join_folders([read_data_folder(root) for root in roots], labelled=False)
    records = tuple(replace(r, label=r.file.partition("/")[0]) for r in folder.records)
    return replace(
        folder, classes=tuple(sorted({record.label for record in records})), records=records
    )


def _with_own_split(folder: DataFolder) -> DataFolder:
    """The folder, whose classes may be renamed, with the split of a balanced one's table."""
    table = folder.root / SPLITS_NAME
    if not table.is_file():
        return folder
    whole = read_data_folder(folder.root)
    splits = dict(
        zip((record.file for record in whole.records), read_splits(table, whole), strict=True)
    )
    records = tuple(replace(r, split=splits[r.file].value) for r in folder.records)
    return replace(folder, records=records)


def _check_splits(folders: Sequence[DataFolder]) -> None:
    with_split = [folder for folder in folders if any(r.split for r in folder.records)]
    without = [folder for folder in folders if folder not in with_split]
    if with_split and without:
        raise DataError(
            f"{without[0].place}: gives no train, validation and test part, but "
            f"{with_split[0].place} does; give its photos one, too: a column 'split' in "
            "manifest.csv, such as 'train' for every photo"
        )
