"""Placement of labels beside the discs of a chart, so that none covers another."""

from __future__ import annotations

import itertools
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


@dataclass(frozen=True)
class Disc:
    """A point in pixels."""

    point: Point
    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Label:
    """The text beside one disc, or one for several discs too close to be told apart."""

    discs: tuple[Disc, ...]
    text: str
    box: Box


def place_labels(discs: Sequence[Disc], inside: Box, names: bool) -> list[Label]:
    """Labels that do not collide: those that would are joined, as in ``2, 3``.

    A label is the number of its row, with the name of the file where there is room for it.
    """
    labels = [_label((disc,), inside) for disc in discs]
    while True:
        pair = next(
            (p for p in itertools.combinations(labels, 2) if p[0].box.meets(p[1].box)), None
        )
        if pair is None:
            break
        one, other = pair
        joined = _label((*one.discs, *other.discs), inside)
        labels = [label for label in labels if label not in pair] + [joined]
    for place, label in enumerate(labels):
        if not names or len(label.discs) > 1:
            continue
        others = [other.box for other in labels if other is not label]
        others += [_around(disc) for disc in discs if disc is not label.discs[0]]
        named = _label(label.discs, inside, f" {short(label.discs[0].point.numbered.row.name, 30)}")
        if not any(named.box.meets(box) for box in others):
            labels[place] = named
    return labels


def _label(discs: tuple[Disc, ...], inside: Box, name: str = "") -> Label:
    """Above its discs; below them where the axes end."""
    numbers = sorted(disc.point.numbered.number for disc in discs)
    text = drawable(", ".join(map(str, numbers)) + name)
    width, height = len(text) * CHARACTER * FONT, 1.3 * FONT
    middle = sum(disc.x for disc in discs) / len(discs)
    left = min(max(middle - width / 2, inside.left), inside.right - width)
    bottom = max(disc.y + disc.radius for disc in discs) + 2
    if bottom + height > inside.top:
        bottom = min(disc.y - disc.radius for disc in discs) - 2 - height
    return Label(discs, text, Box(left, bottom, left + width, bottom + height))


def _around(disc: Disc) -> Box:
    return Box(
        disc.x - disc.radius, disc.y - disc.radius, disc.x + disc.radius, disc.y + disc.radius
    )
