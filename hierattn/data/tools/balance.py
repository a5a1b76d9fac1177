"""Class balancing as in the paper, within the training part of a split only.

Big classes lose their hardest photos to instance-hardness undersampling, small ones gain augmented
copies (arXiv 2205.04326, official code, where it was done before the split).
"""

from __future__ import annotations

import itertools
import shutil
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from imblearn.under_sampling import InstanceHardnessThreshold
from sklearn.ensemble import RandomForestClassifier

from hierattn.common.staging import staged_folder
from hierattn.data.folder import SPLITS_NAME, read_data_folder
from hierattn.data.readers.manifest import MANIFEST_NAME, write_manifest
from hierattn.data.records import DataFolder, Record
from hierattn.data.split_file import write_splits
from hierattn.data.splits import Split, check_seed
from hierattn.data.tools.copies import augmented_copy
from hierattn.errors import ConfigError, DataError, UnreadableImageError, UnreadableImagesError
from hierattn.outputs import check_output
from hierattn.preprocessing import PreprocessSpec, open_rgb

COPY_COLUMN = "copy_of"
_FEATURE_SIDE = 16
_TREES = 100
_FOLDS = 5
_JPEG_QUALITY = 95


@dataclass(frozen=True)
class BalancedSet:
    """Training records after balancing.

    Attributes:
        kept: the records that stay, in their order.
        removed: the records undersampled away, in their order.
        copies: for each augmented copy to make, its original; an original may stand repeatedly.
    """

    kept: tuple[Record, ...]
    removed: tuple[Record, ...]
    copies: tuple[Record, ...]


@dataclass(frozen=True)
class BalancedFolder:
    """A balanced data folder on disk, with the split of each of its records."""

    folder: DataFolder
    splits: tuple[Split, ...]
    removed: int
    copies: int


def balance(
    records: Sequence[Record],
    target: int,
    seed: int = 0,
    advance: Callable[[], None] = lambda: None,
) -> BalancedSet:
    """Plan how to bring each class to exactly ``target`` records. Pass training records only.

    Undersampling is imbalanced-learn's InstanceHardnessThreshold with a random forest on 16x16
    RGB pixels. Where its threshold leaves more or fewer than asked, ties are broken by chance.
    The originals of the copies are taken in turn, in random order. ``advance`` is called for each
    photo that hardness is told from: all of them, where any class must shrink.

    Raises:
        ConfigError: ``target`` is not positive, or ``seed`` outside [0, 2^32).
        DataError: there is no record.
        UnreadableImagesError: photos that cannot be decoded, when any class must shrink.
    """
    if target < 1:
        raise ConfigError(f"target {target} is not a positive number of photos a class")
    check_seed(seed)
    if not records:
        raise DataError("no training photo to balance; check the split")
    counts = Counter(record.label for record in records)
    rng = np.random.default_rng([seed, 2])
    keep = np.ones(len(records), dtype=bool)
    big = sorted(name for name, count in counts.items() if count > target)
    if big:
        easy = (
            _easiest(records, dict.fromkeys(big, target), seed, advance)
            if len(counts) > 1
            else keep
        )
        labels = np.array([record.label for record in records])
        for name in big:
            members = np.flatnonzero(labels == name)
            order = rng.permutation(members)
            order = order[np.argsort(~easy[order], kind="stable")]
            keep[order[target:]] = False
    copies: list[Record] = []
    for name in sorted(counts):
        originals = [record for record in records if record.label == name]
        wanted = target - counts[name]
        while wanted > 0:
            turn = [originals[position] for position in rng.permutation(len(originals))[:wanted]]
            copies += turn
            wanted -= len(turn)
    return BalancedSet(
        kept=tuple(record for record, stays in zip(records, keep, strict=True) if stays),
        removed=tuple(record for record, stays in zip(records, keep, strict=True) if not stays),
        copies=tuple(copies),
    )


def write_balanced(
    folder: DataFolder,
    splits: Sequence[Split],
    out: str | Path,
    target: int,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> BalancedFolder:
    """Write a data folder whose training part is balanced, with its manifest and splits.csv.

    A copy has its original's patient, lesion and image id, so it is of its group whatever split
    is made later, and names it in the column ``copy_of``. Validation and test photos are copied
    byte for byte. All of it is written or nothing. ``progress`` is called with the photos done so
    far and in all, where those that are looked at, copied and made anew count as one each.

    Raises:
        ConfigError: ``target`` is not positive, or ``out`` lies where nothing may be written, see
            :func:`check_output`.
        DataError: no training photo, not one split a record, or ``out`` is not empty.
        UnreadableImagesError: photos to shrink or copy that cannot be decoded.
    """
    if len(splits) != len(folder.records):
        raise DataError(f"{out}: {len(splits)} splits for {len(folder.records)} photos")
    out = Path(out)
    check_output(out, folder.root)
    split_of = {record.file: split for record, split in zip(folder.records, splits, strict=True)}
    training = [record for record in folder.records if split_of[record.file] is Split.TRAIN]
    advance = _advance(training, len(folder.records), target, progress)
    with staged_folder(out) as staging:
        plan = balance(training, target, seed, advance)
        gone = {record.file for record in plan.removed}
        placed = []
        for record in folder.records:
            advance()
            if record.file not in gone:
                placed.append(replace(record, path=staging / record.file))
                placed[-1].path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(record.path, placed[-1].path)
        originals = [""] * len(placed)
        for made in _write_copies(plan.copies, staging, {r.file for r in placed}, seed, advance):
            placed.append(made.copy)
            originals.append(made.original)
            split_of[made.copy.file] = Split.TRAIN
        write_manifest(staging / MANIFEST_NAME, placed, {COPY_COLUMN: originals})
        staged = read_data_folder(staging)
        assigned = tuple(split_of[record.file] for record in staged.records)
        write_splits(staging / SPLITS_NAME, staged, assigned)
    return BalancedFolder(read_data_folder(out), assigned, len(plan.removed), len(plan.copies))


def _advance(
    training: Sequence[Record],
    photos: int,
    target: int,
    progress: Callable[[int, int], None] | None,
) -> Callable[[], None]:
    """What to call for each step, of which the number is known before the first."""
    counts = Counter(record.label for record in training).values()
    looked_at = len(training) if len(counts) > 1 and max(counts) > target else 0
    total = looked_at + photos + sum(max(0, target - count) for count in counts)
    done = itertools.count(1)

    def advance() -> None:
        if progress is not None:
            progress(next(done), total)

    return advance


@dataclass(frozen=True)
class _Copy:
    copy: Record
    original: str


def _write_copies(
    originals: Sequence[Record],
    root: Path,
    taken: set[str],
    seed: int,
    advance: Callable[[], None],
) -> list[_Copy]:
    written: list[_Copy] = []
    reasons: list[str] = []
    made: Counter[str] = Counter()
    for position, record in enumerate(originals):
        made[record.file] += 1
        advance()
        name = PurePosixPath(record.file)
        file = f"{name.with_suffix('')}_copy{made[record.file]:04d}.jpg"
        while file in taken:
            file = f"{PurePosixPath(file).with_suffix('')}x.jpg"
        taken.add(file)
        try:
            photo = open_rgb(record.path)
        except UnreadableImageError as error:
            reasons.append(str(error))
            continue
        changed = augmented_copy(photo, np.random.default_rng([seed, 3, position]))
        changed.save(root / file, quality=_JPEG_QUALITY)
        copy = replace(record, path=root / file, file=file, image_id=record.image_id or record.file)
        written.append(_Copy(copy, record.file))
    if reasons:
        raise UnreadableImagesError(sorted(set(reasons)))
    return written


def _easiest(
    records: Sequence[Record], wanted: dict[str, int], seed: int, advance: Callable[[], None]
) -> np.ndarray:
    """Which records instance hardness keeps, bool [N]."""
    names, labels = np.unique([record.label for record in records], return_inverse=True)
    targets = {index: wanted[name] for index, name in enumerate(names.tolist()) if name in wanted}
    forest = RandomForestClassifier(n_estimators=_TREES, random_state=seed, n_jobs=2)
    sampler = InstanceHardnessThreshold(
        estimator=forest, sampling_strategy=targets, random_state=seed, cv=_FOLDS
    )
    with warnings.catch_warnings():
        # A class rarer than the folds only makes its own hardness less exact.
        warnings.simplefilter("ignore", UserWarning)
        sampler.fit_resample(_features(records, advance), labels)
    easy = np.zeros(len(records), dtype=bool)
    easy[sampler.sample_indices_] = True
    return easy


def _features(records: Sequence[Record], advance: Callable[[], None]) -> np.ndarray:
    """Small pixels, float32 [N, 768] in [0, 1]."""
    spec = PreprocessSpec(image_size=_FEATURE_SIDE)
    pixels, reasons = [], []
    for record in records:
        advance()
        try:
            pixels.append(spec.load(record.path))
        except UnreadableImageError as error:
            reasons.append(str(error))
    if reasons:
        raise UnreadableImagesError(reasons)
    return spec.to_input(np.stack(pixels)).reshape(len(records), -1)
