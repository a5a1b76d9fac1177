"""Grouped, stratified splits and folds: no patient, lesion or duplicate lies on both sides."""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from hierattn.common.csv_text import csv_text
from hierattn.common.files import write_text
from hierattn.data.pixels.hashing import photo_sha256
from hierattn.data.readers.tables import name_some, read_table
from hierattn.data.records import DataFolder, Record
from hierattn.errors import ConfigError, DataError, HierAttnError

_COLUMNS = ("file", "class", "group", "split")
_IDENTITY = ("sha256", "source")


class Split(StrEnum):
    """The part a photo plays: learnt from, chosen and calibrated by, or judged on."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True)
class SplitRow:
    """One line of ``splits.csv``.

    Attributes:
        sha256: of the photo, hexadecimal; None in files of older versions.
        source: the manifest's word for where the photo comes from, if it has one.
    """

    file: str
    label: str
    group: str
    split: Split
    sha256: str | None = None
    source: str | None = None


def group_keys(folder: DataFolder) -> tuple[str, ...]:
    """The group of each record, in record order.

    Records that share a patient, a lesion or the very bytes of the file are one group,
    transitively. Its key is the first of its members' own groups, patients before lesions
    before images, so it does not depend on their order.
    """
    parent = list(range(len(folder.records)))

    def find(position: int) -> int:
        while parent[position] != position:
            parent[position] = parent[parent[position]]
            position = parent[position]
        return position

    first_with: dict[str, int] = {}
    digests = _digests(folder.records)
    for position, record in enumerate(folder.records):
        shared = [record.group]
        if record.lesion_id:
            shared.append(f"lesion:{record.lesion_id}")
        if position in digests:
            shared.append(f"sha256:{digests[position]}")
        for key in shared:
            parent[find(position)] = find(first_with.setdefault(key, position))
    roots = [find(position) for position in range(len(parent))]
    name: dict[int, str] = {}
    for root, record in zip(roots, folder.records, strict=True):
        name[root] = min(name.get(root, record.group), record.group, key=_precedence)
    return tuple(name[root] for root in roots)


def duplicates(records: Sequence[Record]) -> tuple[tuple[str, ...], ...]:
    """Sets of files with the very same bytes, each sorted, in file order."""
    same: dict[str, list[str]] = defaultdict(list)
    for position, digest in _digests(records).items():
        same[digest].append(records[position].file)
    return tuple(sorted(tuple(sorted(files)) for files in same.values() if len(files) > 1))


def assign_splits(
    folder: DataFolder,
    *,
    folds: int | None = None,
    fold: int | None = None,
    validation_fraction: float = 0.15,
    test_fraction: float = 0.15,
    seed: int = 0,
) -> tuple[Split, ...]:
    """Give each record its split, in record order; groups stay whole, classes keep their shares.

    Without folds, the test and validation parts are about these fractions of all photos. With
    fold ``fold`` (from 0) of ``folds``, the test part is that fold, so that over all folds each
    photo is judged once, and validation is about its fraction of the rest. A fraction of 0
    leaves that part out. Every class is in every part, save that with folds a test or
    validation part may lack a class that has too few groups; the training part never does.

    Raises:
        ConfigError: a fraction outside [0, 0.5], a fold outside its number of folds, or a seed
            outside [0, 2^32).
        DataError: a class with too few groups to be in every part; it is named.
    """
    _check_arguments(folds, fold, validation_fraction, test_fraction)
    check_seed(seed)
    groups = group_keys(folder)
    members: dict[str, list[int]] = defaultdict(list)
    for position, key in enumerate(groups):
        members[key].append(position)
    testing = folds is not None or test_fraction > 0
    parts = 1 + int(testing) + int(validation_fraction > 0)
    _check_groups(folder, groups, parts, folds or 1)
    labels = np.array(folder.label_indices())
    keys = np.array(groups)
    splits = np.full(len(labels), Split.TRAIN.value, dtype=object)
    if folds is not None and fold is not None:
        splits[_folds(labels, keys, folds, seed) == fold] = Split.TEST.value
        test_share = 0.0
    else:
        test_share = test_fraction
        splits[_take(labels, keys, test_fraction, seed)] = Split.TEST.value
    rest = np.flatnonzero(splits == Split.TRAIN.value)
    taken = _take(labels[rest], keys[rest], validation_fraction / (1 - test_share), seed)
    splits[rest[taken]] = Split.VALIDATION.value
    assigned = [Split(value) for value in splits]
    movable = [Split.TRAIN] + [Split.VALIDATION] * (validation_fraction > 0)
    if folds is None and test_fraction > 0:
        movable.append(Split.TEST)
    required = movable if folds is None else [Split.TRAIN]
    _repair(assigned, folder, members, movable, required)
    return tuple(assigned)


def check_seed(seed: int) -> None:
    """Check that scikit-learn and NumPy can start from ``seed``.

    Raises:
        ConfigError: it is below 0, or 2^32 or more.
    """
    if not 0 <= seed < 2**32:
        raise ConfigError(f"seed {seed} is not between 0 and {2**32 - 1}")


def write_splits(path: str | Path, folder: DataFolder, splits: Sequence[Split]) -> None:
    """Write ``splits.csv`` (file, class, group, split, sha256, source), atomically.

    Raises:
        DataError: not one split a record.
    """
    if len(splits) != len(folder.records):
        raise DataError(f"{path}: {len(splits)} splits for {len(folder.records)} photos")
    groups = group_keys(folder)
    write_split_rows(
        path,
        [
            SplitRow(record.file, record.label, group, split, _sha256(record), record.source)
            for record, group, split in zip(folder.records, groups, splits, strict=True)
        ],
    )


def write_split_rows(path: str | Path, rows: Iterable[SplitRow]) -> None:
    """Write rows as ``splits.csv`` has them, atomically."""
    cells = (
        (row.file, row.label, row.group, row.split.value, row.sha256, row.source) for row in rows
    )
    write_text(path, csv_text([(*_COLUMNS, *_IDENTITY), *cells]))


def read_split_rows(path: str | Path, *, one_folder: bool = True) -> tuple[SplitRow, ...]:
    """Read ``splits.csv`` as it stands, without asking whether the photos are there.

    Args:
        path: the table.
        one_folder: refuse two rows of one file; photos of several folders may share a name.

    Raises:
        DataError: the file is missing or malformed, or lists a file twice.
    """
    path = Path(path)
    valid = {split.value for split in Split}
    rows = []
    for cells in read_table(path, _COLUMNS):
        if cells["split"] not in valid:
            where, given = f"{path}: row {cells.number}", cells["split"]
            raise DataError(f"{where}: split '{given}' is none of {', '.join(valid)}")
        file, label, group, split = (cells[name] for name in _COLUMNS)
        sha256, source = (cells.get(name) or None for name in _IDENTITY)
        rows.append(SplitRow(file, label, group, Split(split), sha256, source))
    repeated = [name for name, count in Counter(row.file for row in rows).items() if count > 1]
    if repeated and one_folder:
        raise DataError(f"{path}: {name_some(repeated, 'file')} listed more than once")
    return tuple(rows)


def _sha256(record: Record) -> str | None:
    with suppress(HierAttnError):
        return photo_sha256(record.path)
    return None


def read_splits(path: str | Path, folder: DataFolder) -> tuple[Split, ...]:
    """Read the splits of exactly this folder's photos, in record order.

    Raises:
        DataError: malformed, or the photos or their classes are not those of ``folder``.
    """
    rows = {row.file: row for row in read_split_rows(path)}
    unlisted = [record.file for record in folder.records if record.file not in rows]
    gone = sorted(set(rows) - {record.file for record in folder.records})
    other = [r.file for r in folder.records if r.file in rows and rows[r.file].label != r.label]
    for files, what in (
        (unlisted, "not listed"),
        (gone, "no longer in the folder"),
        (other, "of another class"),
    ):
        if files:
            raise DataError(
                f"{path}: does not belong to {folder.place}: {name_some(files, 'photo')} {what}; "
                "pass the data folder that it was made for"
            )
    return tuple(rows[record.file].split for record in folder.records)


def _precedence(key: str) -> tuple[int, str]:
    return ("patient", "lesion", "image").index(key.partition(":")[0]), key


def _digests(records: Sequence[Record]) -> dict[int, str]:
    """SHA-256 by position, only of files that share their size with another file.

    A file that cannot be read is left out: it is nobody's duplicate, and decoding names it.
    """
    by_size: dict[int, list[int]] = defaultdict(list)
    for position, record in enumerate(records):
        with suppress(OSError):
            by_size[record.path.stat().st_size].append(position)
    digests = {}
    for positions in by_size.values():
        for position in positions if len(positions) > 1 else ():
            with suppress(HierAttnError):
                digests[position] = photo_sha256(records[position].path)
    return digests


def _check_arguments(
    folds: int | None, fold: int | None, validation_fraction: float, test_fraction: float
) -> None:
    for name, fraction in (
        ("validation_fraction", validation_fraction),
        ("test_fraction", test_fraction),
    ):
        if not 0 <= fraction <= 0.5:
            raise ConfigError(f"{name} {fraction} is not between 0 and 0.5")
    if (folds is None) != (fold is None):
        raise ConfigError("folds and fold go together: fold I of K, with I from 0 to K-1")
    if folds is not None and fold is not None:
        if folds < 2:
            raise ConfigError(f"folds {folds} is less than 2")
        if not 0 <= fold < folds:
            raise ConfigError(f"fold {fold} is not between 0 and {folds - 1}")


def _check_groups(folder: DataFolder, groups: Sequence[str], parts: int, folds: int) -> None:
    in_class: dict[str, set[str]] = {name: set() for name in folder.classes}
    for record, key in zip(folder.records, groups, strict=True):
        in_class[record.label].add(key)
    few = [f"{name}: {len(keys)}" for name, keys in in_class.items() if len(keys) < parts]
    if few:
        raise DataError(
            f"{folder.place}: too few groups (patients, lesions or images) for {parts} parts in "
            f"{name_some(few, 'class')}; add photos of other patients, leave the class out, or "
            "set the validation or test fraction to 0"
        )
    largest = max(len(keys) for keys in in_class.values())
    if folds > largest:
        raise DataError(
            f"{folder.place}: {folds} folds asked for, but no class has more than {largest} groups "
            "(patients, lesions or images); ask for fewer folds"
        )


def _folds(labels: np.ndarray, keys: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The fold of each photo, int64 [N], from 0 to ``count`` - 1."""
    splitter = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
    fold = np.zeros(len(labels), dtype=np.int64)
    with warnings.catch_warnings():
        # A class rarer than the folds is answered by _check_groups and _repair.
        warnings.simplefilter("ignore", UserWarning)
        for number, (_, inside) in enumerate(splitter.split(labels, labels, keys)):
            fold[inside] = number
    return fold


def _take(labels: np.ndarray, keys: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Positions of about ``fraction`` of the photos: the fold nearest to each class's share."""
    if fraction <= 0:
        return np.zeros(0, dtype=np.int64)
    largest = max(len(np.unique(keys[labels == label])) for label in np.unique(labels))
    count = max(2, min(round(1 / fraction), largest))
    fold = _folds(labels, keys, count, seed)
    total = np.bincount(labels)
    best = min(
        range(count),
        key=lambda number: float(
            np.abs(
                np.bincount(labels[fold == number], minlength=len(total)) / np.maximum(total, 1)
                - fraction
            ).sum()
        ),
    )
    return np.flatnonzero(fold == best)


def _repair(
    assigned: list[Split],
    folder: DataFolder,
    members: dict[str, list[int]],
    movable: Sequence[Split],
    required: Sequence[Split],
) -> None:
    """Move single groups so that each class is in each movable part, the training part first.

    A group moves only where its donor keeps every class. What cannot be mended is an error in
    a ``required`` part and left as it is in another.
    """
    classes_of = {
        key: {folder.records[position].label for position in positions}
        for key, positions in members.items()
    }
    part = {key: assigned[positions[0]] for key, positions in members.items()}
    count = Counter((part[key], name) for key, names in classes_of.items() for name in names)
    for split in movable:
        for name in folder.classes:
            if count[split, name]:
                continue
            safe = [
                key
                for key, names in classes_of.items()
                if name in names
                and part[key] in movable
                and all(count[part[key], other] > 1 for other in names)
            ]
            if not safe and split in required:
                raise DataError(
                    f"{folder.place}: class '{name}' cannot be in the {split} part, its few groups "
                    "are needed elsewhere; use fewer folds, another seed, or add photos"
                )
            if not safe:
                continue
            chosen = min(safe, key=lambda key: (-count[part[key], name], len(members[key]), key))
            count.subtract((part[chosen], other) for other in classes_of[chosen])
            count.update((split, other) for other in classes_of[chosen])
            part[chosen] = split
            for position in members[chosen]:
                assigned[position] = split
