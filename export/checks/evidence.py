"""What the judged photos are worth as evidence: how many differ, and whether any answer does."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from export.schema.manifest import Gate, Quality
from export.schema.metadata import Precision
from hierattn.metrics.operating_point import OperatingPoint

MINIMUM_DISTINCT = 8
"""Distinct photos that a decision gate needs. One photo is one decision however often it is shown;
with eight, a file that decides one in three otherwise than torch goes unnoticed in 4 % of cases
((2/3)^8), with four in 20 %. It is the least, not enough: see the model card's intervals."""

MINIMUM_PER_TARGET = 1
"""Distinct photos of each target class: without one its sensitivity is compared on nothing."""


@dataclass(frozen=True)
class Evidence:
    """The judged photos, counted by content.

    Attributes:
        photos: all of them.
        distinct: those with pixels of their own.
        distinct_by_class: the same by class; a photo in two classes counts in each.
    """

    photos: int
    distinct: int
    distinct_by_class: Mapping[str, int]

    @classmethod
    def of(cls, pixels: np.ndarray, labels: Sequence[str]) -> Evidence:
        """Count photos, uint8 [N, S, S, 3], with their N classes."""
        hashes = [hashlib.sha256(photo.tobytes()).digest() for photo in pixels]
        pairs = set(zip(labels, hashes, strict=True))
        return cls(len(hashes), len(set(hashes)), Counter(label for label, _ in pairs))

    def shortfalls(self, targets: Sequence[str]) -> list[str]:
        """Why these are too few to judge decisions by; empty where they are not."""
        found = []
        if self.distinct < MINIMUM_DISTINCT:
            found.append(
                f"decisions need at least {MINIMUM_DISTINCT} distinct photos, and these are "
                f"{self.distinct}"
            )
        found += [
            f"decisions need a photo of '{name}', and there is none"
            for name in targets
            if self.distinct_by_class.get(name, 0) < MINIMUM_PER_TARGET
        ]
        return found

    def remarks(self, targets: Sequence[str]) -> list[str]:
        """Lines for whoever reads the results; none where all photos differ and are enough."""
        short = self.shortfalls(targets)
        if self.distinct == self.photos and not short:
            return []
        counted = f"evidence: {self.photos} photos, {self.distinct} distinct"
        copies = " (a copy proves nothing more)" * (self.distinct < self.photos)
        return [counted + copies, *short]


def hold_back(
    gate: Gate, precision: Precision, evidence: Evidence | None, targets: Sequence[str]
) -> Gate:
    """The gate, "not run" for an int8 file that passed on too little evidence.

    A failure stays one. For fp32 and fp16 logits decide, as without photos.
    """
    short = evidence.shortfalls(targets) if evidence is not None else []
    if gate.status != "passed" or precision is not Precision.INT8 or not short:
        return gate
    return Gate(status="not run", reasons=short)


def constant_answer(logits: np.ndarray, classes: Sequence[str]) -> list[str]:
    """A line where the network answers one class for every photo; ``logits`` are [N, K]."""
    if len(logits) < 2:
        return []
    answered = np.unique(logits.argmax(axis=1))
    if len(answered) > 1:
        return []
    return [
        f"this network answers {classes[int(answered[0])]} for every one of the {len(logits)} "
        "photos: that its files agree says nothing of their decisions"
    ]


def threshold_doubt(point: OperatingPoint, of_torch: Quality | None) -> list[str]:
    """A line where torch finds less than half of what the run's threshold aims at.

    The threshold is fitted on other networks of the same recipe where folds were pooled, and need
    not fit the one that ships.
    """
    found = None if of_torch is None else of_torch.melanoma_at_threshold
    aim = point.target_melanoma_sensitivity
    if found is None or found >= aim / 2:
        return []
    return [
        f"at the run's threshold torch itself finds {found:.3f} of {point.target_name} on these "
        f"photos, less than half of the {aim:.2f} it aims at: unless that is chance of few photos, "
        "the threshold does not fit these weights"
    ]
