"""From a data folder to arrays that a training loop takes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hierattn.data.cache import decode_folder
from hierattn.data.folder import read_data_folder
from hierattn.data.records import DataFolder
from hierattn.data.splits import Split, assign_splits, group_keys, read_splits
from hierattn.errors import ConfigError, DataError
from hierattn.preprocessing import PreprocessSpec
from hierattn.runs import DataProvenance, file_sha256
from hierattn.training.config import TrainingConfig


@dataclass(frozen=True)
class PreparedData:
    """Decoded photos with their splits.

    Attributes:
        folder: the readable records.
        pixels: uint8 [N, S, S, 3].
        labels: int64 [N].
        splits: one a record.
        groups: one key a record; what intervals resample.
        provenance: for ``config.json``.
        skipped: a line for each photo left out as unreadable.
    """

    folder: DataFolder
    pixels: np.ndarray
    labels: np.ndarray
    splits: tuple[Split, ...]
    groups: tuple[str, ...]
    provenance: DataProvenance
    skipped: tuple[str, ...]

    def indices(self, split: Split) -> np.ndarray:
        """Positions of a split's records."""
        return np.flatnonzero([entry == split for entry in self.splits])

    def part(self, split: Split) -> tuple[np.ndarray, np.ndarray]:
        """Pixels and labels of a split; copies."""
        chosen = self.indices(split)
        return self.pixels[chosen], self.labels[chosen]


def prepare_data(
    root: Path,
    config: TrainingConfig,
    *,
    skip_unreadable: bool = False,
    decoded: Callable[[int, int], None] | None = None,
) -> PreparedData:
    """Read, decode and split a data folder as ``config`` asks.

    Raises:
        DataError: see :func:`read_data_folder`, :func:`decode_folder`, :func:`assign_splits`.
    """
    everything = read_data_folder(root)
    spec = PreprocessSpec(image_size=config.image_size)
    cache = decode_folder(everything, spec, skip_unreadable=skip_unreadable, progress=decoded)
    folder = cache.folder
    splits = _splits(everything, folder, config)
    groups = group_keys(folder)
    return PreparedData(
        folder=folder,
        pixels=cache.pixels,
        labels=np.array(folder.label_indices(), dtype=np.int64),
        splits=splits,
        groups=groups,
        provenance=provenance(folder, groups),
        skipped=cache.skipped,
    )


def _splits(
    everything: DataFolder, readable: DataFolder, config: TrainingConfig
) -> tuple[Split, ...]:
    """The folder's own splits.csv where it has one (a balanced folder), else newly assigned."""
    own = everything.root / "splits.csv"
    if own.is_file():
        if config.fold:
            raise ConfigError(
                f"{own} says which photos are for training, so fold {config.fold} cannot be made; "
                "train without --fold, or on the folder it was balanced from"
            )
        of = dict(
            zip((r.file for r in everything.records), read_splits(own, everything), strict=True)
        )
        return tuple(of[record.file] for record in readable.records)
    index, count = config.fold_numbers() if config.fold else (None, None)
    return assign_splits(
        readable,
        folds=count,
        fold=None if index is None else index - 1,
        validation_fraction=config.validation_fraction,
        test_fraction=config.test_fraction,
        seed=config.seed,
    )


def provenance(folder: DataFolder, groups: tuple[str, ...]) -> DataProvenance:
    """Describe a data folder for a run's ``config.json``.

    Raises:
        DataError: a photo vanished since the folder was listed.
    """
    digest = hashlib.sha256()
    for record in folder.records:
        if not record.path.is_file():
            raise DataError(f"{record.path}: the photo is gone; read the folder again")
        digest.update(f"{record.file}\0{record.label}\0{file_sha256(record.path)}\n".encode())
    counts = Counter(record.label for record in folder.records)
    return DataProvenance(
        name=folder.root.resolve().name,
        sha256=digest.hexdigest(),
        images=len(folder.records),
        groups=len(set(groups)),
        counts={name: counts[name] for name in folder.classes},
        licences=dict(sorted(Counter(r.licence or "not given" for r in folder.records).items())),
        sources=sorted({record.source for record in folder.records if record.source}),
    )
