"""Official splits, given by the folders or the manifest of a data set."""

from __future__ import annotations

from dataclasses import replace

from hierattn.data.records import DataFolder
from hierattn.data.splits import Split, assign_splits


def official_splits(
    folder: DataFolder, *, validation_fraction: float = 0.15, seed: int = 0
) -> tuple[Split, ...] | None:
    """The official split of each record, in record order; None where the folder gives none.

    Where it names no validation part, about ``validation_fraction`` of all photos become one, taken
    from the training part; a test part is never made up.

    Raises:
        DataError: a class has too few groups in the training part to give some to validation.
    """
    if not any(record.split for record in folder.records):
        return None
    splits = [Split(record.split or Split.TRAIN) for record in folder.records]
    training = [place for place, split in enumerate(splits) if split is Split.TRAIN]
    if validation_fraction > 0 and training and Split.VALIDATION not in splits:
        records = tuple(folder.records[place] for place in training)
        share = min(0.5, validation_fraction * len(splits) / len(training))
        part = replace(folder, records=records)
        parts = assign_splits(part, validation_fraction=share, test_fraction=0, seed=seed)
        for place, split in zip(training, parts, strict=True):
            splits[place] = split
    return tuple(splits)
