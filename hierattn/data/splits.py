"""Grouped, stratified splits and folds: no patient, lesion or duplicate lies on both sides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from hierattn.data.groups import group_keys
from hierattn.data.readers.tables import name_some
from hierattn.data.records import DataFolder
from hierattn.errors import ConfigError, DataError


class Split(StrEnum):
    """The part a photo plays: learnt from, chosen and calibrated by, or judged on."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


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
    from hierattn.data.folds import assign_folds  # loads scikit-learn, which takes a second

    return assign_folds(labels, keys, count, seed)


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
