"""The accuracy against latency plot laid out in pixels: for a wide page, a narrow one, an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report.formatting import plain, short
from benchmarks.report.labels import LEADER_FROM, Anchor, Box, Placed, along, place_labels
from benchmarks.report.scales import Scale, Tick, latency_scale, share_scale
from benchmarks.report.tradeoff import Panel, Point

_LINE_HEIGHT = 1.25
_CHARACTER = 0.62  # width of a character over the font size, generous for a sans-serif face
_NAME_REACH = 12.0  # a name further off than this from a point behind the front is but clutter
_SMALLEST = 4.0
_LARGEST_KEY = 10.0  # radius of the larger disc of the legend, at most


@dataclass(frozen=True)
class Sheet:
    """Size of the drawing and what fits on it.

    Attributes:
            kind: ``wide`` and ``narrow`` are for the page, which shows one of them.
        largest: radius of the largest file, pixels.
        names: whether labels carry names or numbers only.
    """

    kind: str
    width: float
    height: float
    font: float
    largest: float
    names: bool

    @property
    def area(self) -> Box:
        """Inside the axes."""
        return Box(self.font * 2.8, self.font * 2, self.width - 8.0, self.height - self.font * 3.4)


WIDE = Sheet("wide", 1000.0, 460.0, 13.0, 26.0, names=True)
IMAGE = Sheet("image", 1000.0, 500.0, 13.0, 26.0, names=True)
NARROW = Sheet("narrow", 358.0, 340.0, 12.0, 16.0, names=False)


@dataclass(frozen=True)
class Label:
    """Text at its baseline, and the line back to its point.

    Attributes:
        anchor: which part of the text stands at ``x``: ``start``, ``middle`` or ``end``, so that
            the text ends by its point however wide the reader's typeface is.
    """

    x: float
    y: float
    anchor: str
    text: str
    leader: tuple[float, float, float, float] | None


@dataclass(frozen=True)
class Mark:
    """A point as a disc."""

    point: Point
    x: float
    y: float
    radius: float
    label: Label | None


@dataclass(frozen=True)
class SizeKey:
    """A disc of the legend, and its text's left end and baseline."""

    x: float
    y: float
    radius: float
    text_x: float
    text_y: float
    text: str


@dataclass(frozen=True)
class Drawing:
    """Everything of one panel on one sheet; marks with the largest first, lest they cover."""

    sheet: Sheet
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    front: list[tuple[float, float]]
    marks: list[Mark]
    size_keys: list[SizeKey]
    logarithmic: bool

    @property
    def front_path(self) -> str:
        """The front as the path of an SVG."""
        return "".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(self.front))


def draw(panel: Panel, sheet: Sheet, largest_mb: float) -> Drawing:
    """Lay a panel out.

    Args:
        panel: with at least one point.
        sheet: where.
        largest_mb: the file size that the largest disc stands for, the same in all panels.
    """
    area = sheet.area
    x = latency_scale([p.latency for p in panel.points], area.left, area.right)
    y = share_scale([p.accuracy for p in panel.points], area.bottom, area.top)
    radii = {p.numbered.number: disc_radius(p.size_mb, largest_mb, sheet) for p in panel.points}
    labels = _labels(panel, sheet, x, y, radii)
    marks = [
        Mark(p, x(p.latency), y(p.accuracy), radii[p.numbered.number], labels[p.numbered.number])
        for p in panel.points
    ]
    return Drawing(
        sheet=sheet,
        x_ticks=x.ticks(9 if sheet.names else 5),
        y_ticks=y.ticks(7, factor=100.0),
        front=_corners(panel, x, y),
        marks=sorted(marks, key=lambda mark: (-mark.radius, mark.point.numbered.number)),
        size_keys=_size_keys(largest_mb, sheet),
        logarithmic=x.logarithmic,
    )


def disc_radius(size_mb: float, largest_mb: float, sheet: Sheet) -> float:
    """Radius whose square, and so whose area, is in proportion to the size; never invisible."""
    share = size_mb / largest_mb if largest_mb > 0 else 0.0
    return max(sheet.largest * math.sqrt(share), _SMALLEST)


def _size_keys(largest_mb: float, sheet: Sheet) -> list[SizeKey]:
    """Two discs of round sizes under the axes, small enough for the margin there."""
    most = largest_mb * (_LARGEST_KEY / sheet.largest) ** 2
    if most <= 0:
        return []
    decade = math.floor(math.log10(most))
    size = max(s for s in (float(f"{d}e{decade}") for d in (1, 2, 5)) if s <= most)
    keys, x = [], 1.0
    for megabytes in (size / 4, size):
        if megabytes < largest_mb * (_SMALLEST / sheet.largest) ** 2:
            continue
        radius = disc_radius(megabytes, largest_mb, sheet)
        text = f"{megabytes:g} MB"
        text_x, y = x + 2 * radius + 4, sheet.height - _LARGEST_KEY - 1
        keys.append(SizeKey(x + radius, y, radius, text_x, y + sheet.font * 0.35, text))
        x = text_x + (len(text) + 1) * sheet.font * _CHARACTER
    return keys


def _corners(panel: Panel, x: Scale, y: Scale) -> list[tuple[float, float]]:
    """The front as a staircase: the best accuracy to be had within each latency."""
    corners: list[tuple[float, float]] = []
    for point in panel.front:
        if corners:
            corners.append((x(point.latency), corners[-1][1]))
        corners.append((x(point.latency), y(point.accuracy)))
    if corners:
        corners.append((x.end, corners[-1][1]))
    return corners


def _labels(
    panel: Panel, sheet: Sheet, x: Scale, y: Scale, radii: dict[int, float]
) -> dict[int, Label | None]:
    points = panel.by_importance
    texts = [_texts(point, sheet) for point in points]
    anchors = [
        Anchor(
            x(point.latency),
            y(point.accuracy),
            radii[point.numbered.number],
            [
                ((len(t) * _CHARACTER + 0.3) * sheet.font, sheet.font * _LINE_HEIGHT)
                for t in choices
            ],
            reach=math.inf if point.on_front else _NAME_REACH,
        )
        for point, choices in zip(points, texts, strict=True)
    ]
    spots = place_labels(anchors, sheet.area, along(_corners(panel, x, y)))
    return {
        point.numbered.number: None if spot is None else _label(anchor, spot, choices, sheet)
        for point, anchor, spot, choices in zip(points, anchors, spots, texts, strict=True)
    }


def _texts(point: Point, sheet: Sheet) -> list[str]:
    number = str(point.numbered.number)
    return (
        [f"{number} {short(plain(point.numbered.row.name), 30)}", number]
        if sheet.names
        else [number]
    )


def _label(anchor: Anchor, spot: Placed, texts: Sequence[str], sheet: Sheet) -> Label:
    box = spot.box
    leader = None
    if spot.gap >= LEADER_FROM:
        leader = (anchor.x, anchor.y, *anchor.nearest(box))
    anchors = ((box.left, "start"), ((box.left + box.right) / 2, "middle"), (box.right, "end"))
    x, end = min(anchors, key=lambda at: abs(at[0] - anchor.x))
    return Label(x, box.bottom - sheet.font * 0.35, end, texts[spot.choice], leader)
