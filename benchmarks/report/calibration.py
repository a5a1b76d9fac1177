"""Reliability diagrams: how often answers of each confidence are right, a file each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report.rows import EvaluatedFile

SIDE = 180.0
_LEFT, _TOP, _BOTTOM, _RIGHT = 30.0, 8.0, 26.0, 8.0
_LARGEST, _SMALLEST = 9.0, 2.0


@dataclass(frozen=True)
class Bin:
    """The photos of one bin as a disc whose area is their number."""

    x: float
    y: float
    radius: float
    confidence: float
    accuracy: float
    photos: int


@dataclass(frozen=True)
class ReliabilityDiagram:
    """One file's bins."""

    file: EvaluatedFile
    bins: list[Bin]


@dataclass(frozen=True)
class Frame:
    """The axes that all diagrams share: both run from 0 to 1."""

    left: float = _LEFT
    top: float = _TOP
    right: float = SIDE - _RIGHT
    bottom: float = SIDE - _BOTTOM

    def x(self, share: float) -> float:
        """Pixel of a confidence."""
        return self.left + share * (self.right - self.left)

    def y(self, share: float) -> float:
        """Pixel of an accuracy."""
        return self.bottom - share * (self.bottom - self.top)


FRAME = Frame()


def reliability_diagrams(files: Sequence[EvaluatedFile]) -> list[ReliabilityDiagram]:
    """A diagram for each file with bins; bins with impossible values are left out."""
    diagrams = []
    for file in files:
        bins = [b for b in file.first.row.reliability if _possible(*b)]
        if bins:
            most = max(photos for _, _, photos in bins)
            diagrams.append(ReliabilityDiagram(file, [_bin(*b, most) for b in bins]))
    return diagrams


def _bin(confidence: float, accuracy: float, photos: int, most: int) -> Bin:
    radius = max(_LARGEST * math.sqrt(photos / most), _SMALLEST)
    return Bin(FRAME.x(confidence), FRAME.y(accuracy), radius, confidence, accuracy, photos)


def _possible(confidence: float, accuracy: float, photos: int) -> bool:
    return photos > 0 and 0 <= confidence <= 1 and 0 <= accuracy <= 1
