"""Placement of labels beside the discs of a chart, so that none covers another."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report.charts.svg import STYLE, drawable
from benchmarks.report.charts.tradeoff import Point
from benchmarks.report.formatting import short

FONT = float(STYLE["font.size"])
CHARACTER = 0.64
"""Width of a character over the font size, generous for a sans-serif face."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, y upwards."""

    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: Box) -> bool:
        """Whether the two share any area."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def covers(self, disc: Disc) -> bool:
        """Whether a part of the disc lies in the rectangle."""
        aside = disc.x - min(max(disc.x, self.left), self.right)
        away = disc.y - min(max(disc.y, self.bottom), self.top)
        return math.hypot(aside, away) < disc.radius


@dataclass(frozen=True)
class Disc:
    """A point in pixels."""

    point: Point
    x: float
    y: float
    radius: float

    def hides(self, other: Disc) -> bool:
        """Whether the middle of another lies in this one, so that one label cannot be each's."""
        return math.hypot(self.x - other.x, self.y - other.y) < self.radius


@dataclass(frozen=True)
class Label:
    """The text beside one disc, or one for several discs too close to be told apart."""

    discs: tuple[Disc, ...]
    text: str
    box: Box


def place_labels(
    discs: Sequence[Disc], inside: Box, names: bool, lines: Sequence[Box] = ()
) -> list[Label]:
    """Labels that do not collide: those that would are joined, as in ``2, 3``.

    A label is the number of its row, with the name of the file where there is room for it; above
    its disc, or below it where that keeps it off other labels, discs and ``lines``.
    """
    labels: list[Label] = []
    for disc in discs:
        labels.append(_freest((disc,), inside, labels, discs, lines))
    while True:
        pair = next((p for p in itertools.combinations(labels, 2) if _collide(*p)), None)
        if pair is None:
            break
        labels = [label for label in labels if label not in pair]
        joined = (*pair[0].discs, *pair[1].discs)
        labels.append(_freest(joined, inside, labels, discs, lines))
    for place, label in enumerate(labels):
        if not names or len(label.discs) > 1:
            continue
        others = [other for other in labels if other is not label]
        name = f" {short(label.discs[0].point.numbered.row.name, 30)}"
        named = _freest(label.discs, inside, others, discs, lines, name)
        if not _clashes(named, others, discs, lines):
            labels[place] = named
    return labels


def _collide(one: Label, other: Label) -> bool:
    """Whether one would be read as the other's, or could not be read."""
    return (
        one.box.meets(other.box)
        or any(one.box.covers(disc) for disc in other.discs)
        or any(other.box.covers(disc) for disc in one.discs)
        or any(a.hides(b) or b.hides(a) for a in one.discs for b in other.discs)
    )


def _clashes(
    label: Label, labels: Sequence[Label], discs: Sequence[Disc], lines: Sequence[Box]
) -> int:
    """How many other things a label lies on."""
    return (
        sum(label.box.meets(other.box) for other in labels)
        + sum(label.box.covers(disc) for disc in discs if disc not in label.discs)
        + sum(label.box.meets(line) for line in lines)
    )


def _freest(
    own: tuple[Disc, ...],
    inside: Box,
    labels: Sequence[Label],
    discs: Sequence[Disc],
    lines: Sequence[Box],
    name: str = "",
) -> Label:
    """The place, above or below, where least is in the way; inside the axes, if it can be."""
    numbers = sorted(disc.point.numbered.number for disc in own)
    text = drawable(", ".join(map(str, numbers)) + name)
    width, height = len(text) * CHARACTER * FONT, 1.3 * FONT
    middle = sum(disc.x for disc in own) / len(own)
    left = min(max(middle - width / 2, inside.left), inside.right - width)
    above = max(disc.y + disc.radius for disc in own) + 2
    below = min(disc.y - disc.radius for disc in own) - 2 - height
    bottoms = [above] if below < inside.bottom else [above, below]
    if above + height > inside.top:
        bottoms = [below]
    places = [Label(own, text, Box(left, b, left + width, b + height)) for b in bottoms]
    return min(places, key=lambda label: _clashes(label, labels, discs, lines))
