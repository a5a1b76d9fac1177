"""Training data: a data folder decoded and split into arrays."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hierattn.data.folder import SPLITS_NAME
from hierattn.data.groups import group_keys
from hierattn.data.official import official_splits
from hierattn.data.pixels.decode import decode_folder
from hierattn.data.provenance import DataProvenance, describe_data
from hierattn.data.records import DataFolder
from hierattn.data.split_file import read_splits
from hierattn.data.splits import Split, assign_splits
from hierattn.errors import ConfigError, DataError
from hierattn.preprocessing import PreprocessSpec
from hierattn.training.recipe.config import TrainingConfig

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class SplitFolder:
    """Listed photos with their splits, one a record."""

    folder: DataFolder
    splits: tuple[Split, ...]

    def indices(self, split: Split) -> np.ndarray:
        """Positions of a split's records."""
        return np.flatnonzero([entry == split for entry in self.splits])


@dataclass(frozen=True)
class PreparedData(SplitFolder):
    """Decoded photos with their splits.

    Attributes:
        folder: the readable records.
        pixels: uint8 [N, S, S, 3].
        labels: int64 [N].
        groups: one key a record; what intervals resample.
        provenance: for ``config.json``.
        skipped: a line for each photo left out as unreadable.
    """

    pixels: np.ndarray
    labels: np.ndarray
    groups: tuple[str, ...]
    provenance: DataProvenance
    skipped: tuple[str, ...]

    def training_sample(self, count: int, seed: int) -> np.ndarray:
        """Pixels uint8 [n, S, S, 3] of up to ``count`` training photos, a function of ``seed``."""
        learnt = self.indices(Split.TRAIN)
        random = np.random.default_rng([seed, 0, 4])
        return self.pixels[np.sort(random.permutation(learnt)[:count])]


def prepare_folder(
    everything: DataFolder,
    config: TrainingConfig,
    *,
    splits_file: Path | None = None,
    skip_unreadable: bool = False,
    decoded: Callable[[int, int], None] | None = None,
) -> PreparedData:
    """Decode and split the listed photos as ``config`` asks.

    Args:
        everything: the photos.
        config: image size, fold, fractions and seed.
        splits_file: the ``splits.csv`` of a run that goes on; its splits are kept.
        skip_unreadable: leave unreadable photos out.
        decoded: called with (done, all).

    Raises:
        DataError: see :func:`decode_folder`, :func:`assign_splits`.
    """
    spec = PreprocessSpec(image_size=config.image_size)
    cache = decode_folder(everything, spec, skip_unreadable=skip_unreadable, progress=decoded)
    folder = cache.folder
    groups = group_keys(folder)
    if splits_file is not None:
        splits = read_splits(splits_file, folder)
    else:
        splits = new_splits(everything, folder, config)
    _check_whole(groups, splits, folder)
    counted = {split.value: splits.count(split) for split in Split}
    _LOG.info("%s: %d photos, %d groups, %s", folder.place, len(splits), len(set(groups)), counted)
    return PreparedData(
        folder=folder,
        pixels=cache.pixels,
        labels=np.array(folder.label_indices(), dtype=np.int64),
        splits=splits,
        groups=groups,
        provenance=describe_data(folder, groups),
        skipped=cache.skipped,
    )


def new_splits(
    everything: DataFolder, readable: DataFolder, config: TrainingConfig
) -> tuple[Split, ...]:
    """The folder's own splits.csv (a balanced folder), its official split, or newly assigned."""
    own = everything.root / SPLITS_NAME
    # Reading took it in. What lies above joined folders is none of theirs.
    if not everything.parts and own.is_file():
        if config.fold:
            raise ConfigError(
                f"{own} says which photos are for training, so fold {config.fold} cannot be made; "
                "train without --fold, or on the folder it was balanced from"
            )
        return tuple(Split(record.split or Split.TRAIN) for record in readable.records)
    official = official_splits(
        readable, validation_fraction=config.validation_fraction, seed=config.seed
    )
    if official is not None:
        if config.fold:
            raise ConfigError(
                f"{readable.place} gives its own train, validation or test part, so fold "
                f"{config.fold} cannot be made; train without --fold, or put all photos of a class "
                "into one folder and leave the column 'split' out of manifest.csv"
            )
        return official
    index, count = config.fold_numbers() if config.fold else (None, None)
    return assign_splits(
        readable,
        folds=count,
        fold=None if index is None else index - 1,
        validation_fraction=config.validation_fraction,
        test_fraction=config.test_fraction,
        seed=config.seed,
    )


def _check_whole(groups: tuple[str, ...], splits: tuple[Split, ...], folder: DataFolder) -> None:
    """Refuse splits, read from a file, that put one patient, lesion or duplicate on both sides."""
    of: dict[str, Split] = {}
    for group, split, record in zip(groups, splits, folder.records, strict=True):
        if of.setdefault(group, split) != split:
            raise DataError(
                f"{folder.place}: {record.file} is in '{split}' but other photos of its group "
                f"'{group}' are in '{of[group]}'; mend its folders, manifest.csv or splits.csv so "
                "that groups stay whole"
            )
    learnt = {r.label for r, split in zip(folder.records, splits, strict=True) if split == "train"}
    for name in folder.classes:
        if name not in learnt:
            raise DataError(f"{folder.place}: no photo of class '{name}' is in the training part")
