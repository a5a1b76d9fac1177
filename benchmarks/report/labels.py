"""Labels that do not collide: each takes the nearest free place around its point."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

_DIRECTIONS = (0, 180, 270, 90, 330, 30, 210, 150, 300, 60, 240, 120, 345, 15, 195, 165)
_DISTANCES = (4.0, 12.0, 24.0, 40.0, 60.0, 84.0)
_CROSSING_COST = 15.0  # pixels that a label goes further out rather than cross a line

LEADER_FROM = 10.0
"""Gap from which a label has a line back to its point, a leader."""


@dataclass(frozen=True)
class Box:
    """A rectangle; y grows downwards or upwards, whichever the caller uses throughout."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two share any area."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def inside(self, other: Box) -> bool:
        """Whether ``other`` holds all of this."""
        return (
            other.left <= self.left
            and self.right <= other.right
            and other.top <= self.top
            and self.bottom <= other.bottom
        )


@dataclass(frozen=True)
class Anchor:
    """A disc with the texts that may stand beside it.

    Attributes:
        sizes: width and height of each text, the most wanted first.
        reach: how far out a text may stand that another could replace; the last one goes anywhere.
    """

    x: float
    y: float
    radius: float
    sizes: Sequence[tuple[float, float]]
    reach: float = math.inf

    def meets(self, box: Box) -> bool:
        """Whether the disc and a box share any area."""
        return math.dist((self.x, self.y), self.nearest(box)) < self.radius

    def nearest(self, box: Box) -> tuple[float, float]:
        """The point of a box that is nearest to the centre."""
        x = min(max(self.x, box.left), box.right)
        return x, min(max(self.y, box.top), box.bottom)


@dataclass(frozen=True)
class Placed:
    """Where a label stands.

    Attributes:
        choice: which of the anchor's texts fits there.
        gap: distance from the disc; a line back to it helps from some pixels on.
    """

    box: Box
    choice: int
    gap: float


def place_labels(
    anchors: Sequence[Anchor], bounds: Box, crossed: Sequence[Box] = ()
) -> list[Placed | None]:
    """Find each label a place inside ``bounds`` that meets no disc and no other label.

    Args:
        anchors: in order of importance; earlier ones choose first.
        bounds: where labels may stand.
        crossed: what labels had better not cover, but may.

    Returns:
        One for each anchor; None where none of its texts fits anywhere near.
    """
    taken: list[Box] = []
    lines = list(crossed)
    placed: list[Placed | None] = []
    room = _Room(bounds, anchors, taken, lines)
    for anchor in anchors:
        found = None
        for choice, (width, height) in enumerate(anchor.sizes):
            found = _nearest(anchor, choice, width, height, room)
            if found is not None:
                taken.append(found.box)
                lines.extend(_leader(anchor, found.box, found.gap))
                break
        placed.append(found)
    return placed


@dataclass(frozen=True)
class _Room:
    bounds: Box
    discs: Sequence[Anchor]
    taken: Sequence[Box]
    crossed: Sequence[Box]

    def cost(self, box: Box, leader: Sequence[Box]) -> float:
        """What it costs to stand here; infinite where it collides."""
        if not box.inside(self.bounds) or any(box.meets(other) for other in self.taken):
            return math.inf
        if any(disc.meets(box) for disc in self.discs):
            return math.inf
        across = sum(any(part.meets(other) for part in leader) for other in self.taken)
        return _CROSSING_COST * (sum(box.meets(other) for other in self.crossed) + 2 * across)


def along(corners: Sequence[tuple[float, float]], step: float = 6.0) -> list[Box]:
    """Small boxes on a line, for labels to avoid."""
    boxes = []
    for (x1, y1), (x2, y2) in itertools.pairwise(corners):
        count = max(int(math.dist((x1, y1), (x2, y2)) // step), 1)
        for i in range(count + 1):
            x, y = x1 + (x2 - x1) * i / count, y1 + (y2 - y1) * i / count
            boxes.append(Box(x - 1, y - 1, x + 1, y + 1))
    return boxes


def _leader(anchor: Anchor, box: Box, gap: float) -> list[Box]:
    return along([(anchor.x, anchor.y), anchor.nearest(box)]) if gap >= LEADER_FROM else []


def _nearest(
    anchor: Anchor, choice: int, width: float, height: float, room: _Room
) -> Placed | None:
    best, best_cost = None, math.inf
    reach = anchor.reach if choice + 1 < len(anchor.sizes) else math.inf
    for gap in _DISTANCES:
        if gap >= best_cost or gap > reach:
            break
        for degrees in _DIRECTIONS:
            box = _beside(anchor, math.radians(degrees), gap, width, height)
            cost = gap + room.cost(box, _leader(anchor, box, gap))
            if cost < best_cost:
                best, best_cost = Placed(box, choice, gap), cost
    return best


def _beside(anchor: Anchor, angle: float, gap: float, width: float, height: float) -> Box:
    """The box whose edge or corner nearest to the disc lies ``gap`` from it in this direction."""
    across, down = math.cos(angle), math.sin(angle)
    reach = anchor.radius + gap
    x = anchor.x + across * reach + width / 2 * _side(across)
    y = anchor.y + down * reach + height / 2 * _side(down)
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _side(direction: float) -> float:
    """1 or -1 where the box stands to one side of the disc, 0 where it is centred on it."""
    return 0.0 if abs(direction) < 0.2 else math.copysign(1.0, direction)
