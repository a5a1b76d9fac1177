"""Labels that do not collide: each takes the nearest free place around its point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_DIRECTIONS = (0, 180, 270, 90, 330, 30, 210, 150, 300, 60, 240, 120, 345, 15, 195, 165)
_DISTANCES = (4.0, 12.0, 24.0, 40.0, 60.0, 84.0)
_CROSSING_COST = 15.0  # pixels that a label goes further out rather than cross the front


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
    """

    x: float
    y: float
    radius: float
    sizes: Sequence[tuple[float, float]]

    def meets(self, box: Box) -> bool:
        """Whether the disc and a box share any area."""
        across = self.x - min(max(self.x, box.left), box.right)
        down = self.y - min(max(self.y, box.top), box.bottom)
        return math.hypot(across, down) < self.radius


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
    placed: list[Placed | None] = []
    for anchor in anchors:
        found = None
        for choice, (width, height) in enumerate(anchor.sizes):
            found = _nearest(anchor, choice, width, height, _Room(bounds, anchors, taken, crossed))
            if found is not None:
                taken.append(found.box)
                break
        placed.append(found)
    return placed


@dataclass(frozen=True)
class _Room:
    bounds: Box
    discs: Sequence[Anchor]
    taken: Sequence[Box]
    crossed: Sequence[Box]

    def cost(self, box: Box) -> float:
        """What it costs to stand here; infinite where it collides."""
        if not box.inside(self.bounds) or any(box.meets(other) for other in self.taken):
            return math.inf
        if any(disc.meets(box) for disc in self.discs):
            return math.inf
        return _CROSSING_COST * sum(box.meets(other) for other in self.crossed)


def _nearest(
    anchor: Anchor, choice: int, width: float, height: float, room: _Room
) -> Placed | None:
    best, best_cost = None, math.inf
    for gap in _DISTANCES:
        if gap >= best_cost:
            break
        for degrees in _DIRECTIONS:
            box = _beside(anchor, math.radians(degrees), gap, width, height)
            cost = gap + room.cost(box)
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
