"""Draws accuracy against latency: a chart of the page for each setting."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path as Outline
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from benchmarks.report.charts.label_placement import CHARACTER, FONT, Box, Disc, Label, place_labels
from benchmarks.report.charts.svg import (
    INK,
    PIXELS_AN_INCH,
    SERIES,
    STYLE,
    drawable,
    inline_svg,
    new_figure,
)
from benchmarks.report.charts.tradeoff import (
    Panel,
    drawn_series,
)

LOGARITHMIC_FROM = 4.0
"""Ratio of the highest latency to the lowest from which the axis is logarithmic."""

_SMALLEST = 4.0


@dataclass(frozen=True)
class Layout:
    """Size of a chart, pixels, and what fits on it.

    Attributes:
        kind: ``wide`` and ``narrow`` are for the page, which shows one of them.
        largest: radius of the largest file.
        columns: of the legend.
        names: whether labels may carry names besides numbers.
    """

    kind: str
    width: float
    height: float
    largest: float
    columns: int
    names: bool


WIDE = Layout("wide", 1000.0, 400.0, 24.0, 6, names=True)
NARROW = Layout("narrow", 358.0, 300.0, 12.0, 2, names=False)


@dataclass(frozen=True)
class Overview:
    """What all charts share: the sizes of discs and the colours of runtimes.

    Attributes:
        panels: all of them.
        series: names of runtimes, see :func:`benchmarks.report.charts.tradeoff.runtime_series`.
    """

    panels: Sequence[Panel]
    series: Sequence[str]

    @property
    def sizes_mb(self) -> list[float]:
        """Sizes of the files of all points."""
        return [point.size_mb for panel in self.panels for point in panel.points]


def tradeoff_svg(panel: Panel, overview: Overview, layout: Layout, name: str) -> Markup:
    """One panel as SVG; ``name`` is unique on the page."""
    with matplotlib.rc_context(STYLE):
        entries = len(_legend_entries(overview, layout))
        foot = 46 + (_legend_row(overview, layout) + 4) * math.ceil(entries / layout.columns)
        figure = new_figure(layout.width, layout.height + foot)
        axes = figure.subplots()
        _place(axes, figure, foot)
        draw_panel(axes, panel, overview, layout)
        draw_legend(figure, overview, layout)
        tooltips = {f"point-{p.numbered.number}": "\n".join(p.facts) for p in panel.points}
        title = f"Balanced accuracy against p50 latency on {panel.setting}"
        return inline_svg(figure, name, title, tooltips, kind=f"plot {layout.kind}", focusable=True)


def disc_radius(size_mb: float, largest_mb: float, layout: Layout) -> float:
    """Radius whose square, and so whose area, is in proportion to the size; never invisible."""
    share = size_mb / largest_mb if largest_mb > 0 else 0.0
    return max(layout.largest * math.sqrt(share), _SMALLEST)


def legend_sizes(sizes_mb: Sequence[float]) -> list[float]:
    """At most three round sizes among those of the files; a file's own where none lies between."""
    known = [size for size in sizes_mb if size > 0]
    if not known:
        return []
    low, high = min(known), max(known)
    ticks = MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(low, high) if low < 0.8 * high else []
    return [float(f"{t:.6g}") for t in ticks if low <= t <= high][:3] or [float(f"{high:.3g}")]


def _place(axes: Axes, figure: Figure, foot: float) -> None:
    width, height = figure.get_size_inches() * figure.dpi
    figure.subplots_adjust(
        left=40 / width, right=1 - 12 / width, bottom=foot / height, top=1 - 30 / height
    )


def _legend_row(overview: Overview, layout: Layout) -> float:
    """Height of a row of the legend, pixels: as large as the largest disc in it."""
    largest = max(legend_sizes(overview.sizes_mb), default=0.0)
    return max(2 * disc_radius(largest, max(overview.sizes_mb), layout), 15.0)


def draw_legend(figure: Figure, overview: Overview, layout: Layout) -> None:
    """Draw the legend of all panels at the figure's foot."""
    row = _legend_row(overview, layout)
    legend = figure.legend(
        handles=_legend_entries(overview, layout),
        loc="lower left",
        ncols=layout.columns,
        borderaxespad=0.2,
        labelspacing=0.3,
        handleheight=row / FONT,
        handlelength=max(2.0, row / FONT),
    )
    # Matplotlib leaves words at the foot of a high row, 0.35 of what it is higher than its type.
    rise = ScaledTranslation(0, 0.15 * (row - FONT) / PIXELS_AN_INCH, figure.dpi_scale_trans)
    for text in legend.get_texts():
        text.set_transform(text.get_transform() + rise)


def _legend_entries(overview: Overview, layout: Layout) -> list[Artist]:
    entries: list[Artist] = [
        Line2D([], [], marker="o", ls="", ms=11, color=_colour(place), label=drawable(name))
        for place, name in drawn_series(overview.panels, overview.series)
    ]
    for size in legend_sizes(overview.sizes_mb):
        across = 2 * disc_radius(size, max(overview.sizes_mb), layout)
        style: dict[str, Any] = {"marker": "o", "ls": "", "mfc": "none", "mec": INK}
        entries.append(Line2D([], [], ms=across, label=f"{size:g} MB", **style))
    if not all(point.may_ship for panel in overview.panels for point in panel.points):
        # A marker's edge cannot be dashed, but it can be arcs.
        arcs = Outline.make_compound_path(*(Outline.arc(a, a + 30) for a in range(0, 360, 60)))
        dashed: dict[str, Any] = {"marker": arcs, "ls": "", "mfc": "none", "mec": INK}
        entries.append(Line2D([], [], ms=11, label="gate failed", **dashed))
    front = "Pareto front (bold: unbeaten)"
    entries.append(Line2D([], [], color=INK, ls=(0, (4, 2)), label=front))
    return entries


def draw_panel(axes: Axes, panel: Panel, overview: Overview, layout: Layout) -> None:
    """Draw one setting: a disc a row, its label, and the Pareto front."""
    logarithmic = _set_scales(axes, panel)
    axes.set_title("balanced accuracy, %", loc="left", fontsize=FONT)
    axes.set_xlabel(f"p50 latency, ms{' (logarithmic)' if logarithmic else ''}", loc="right")
    corners = _front_corners(axes, panel)
    if corners:
        axes.plot(*zip(*corners, strict=True), color=INK, lw=1.5, ls=(0, (4, 2)))
    _space_out_ticks(axes)
    discs = _discs(axes, panel, max(overview.sizes_mb), layout)
    for disc in sorted(discs, key=lambda d: (-d.radius, d.point.numbered.number)):
        _draw_disc(axes, disc)
    for label in place_labels(discs, _inside(axes), layout.names, _lines(axes, corners)):
        _draw_label(axes, label)


def _front_corners(axes: Axes, panel: Panel) -> list[tuple[float, float]]:
    """Where the Pareto front turns, latency and accuracy in per cent: steps up, then to the end."""
    corners: list[tuple[float, float]] = []
    for point in panel.front:
        if corners:
            corners.append((point.latency, corners[-1][1]))
        corners.append((point.latency, 100 * point.accuracy))
    return [*corners, (axes.get_xlim()[1], corners[-1][1])] if corners else []


def _lines(axes: Axes, corners: Sequence[tuple[float, float]]) -> list[Box]:
    """The parts of the front between its corners, in pixels."""
    places = [axes.transData.transform(corner) for corner in corners]
    return [
        Box(min(x, to) - 1, min(y, up) - 1, max(x, to) + 1, max(y, up) + 1)
        for (x, y), (to, up) in itertools.pairwise(places)
    ]


def _set_scales(axes: Axes, panel: Panel) -> bool:
    """Limits and round ticks; True where the latency axis is logarithmic."""
    latencies = [point.latency for point in panel.points]
    low, high = min(latencies), max(latencies)
    logarithmic = high / low >= LOGARITHMIC_FROM
    if logarithmic:
        room = (high / low) ** 0.07
        axes.set_xscale("log")
        axes.set_xlim(low / room, high * room)
    else:
        margin = max(0.08 * (high - low), 0.02 * high)
        axes.set_xlim(max(low - margin, 0.0), high + margin)
    if logarithmic and high / low > 4:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    accuracies = [100 * point.accuracy for point in panel.points]
    middle = (min(accuracies) + max(accuracies)) / 2
    half = max((max(accuracies) - min(accuracies)) * 0.65, 2.5)
    axes.set_ylim(max(middle - half, -2.0), min(middle + half, 102.0))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    return logarithmic


def _space_out_ticks(axes: Axes) -> None:
    """Leave out ticks of the latency axis whose figures would touch; powers of ten stay first."""
    low, high = axes.get_xlim()
    ticks = [float(tick) for tick in axes.get_xticks() if low <= tick <= high]
    places = {tick: float(axes.transData.transform((tick, 1.0))[0]) for tick in ticks}
    kept: list[float] = []
    for tick in sorted(ticks, key=lambda t: (not math.log10(t or 1).is_integer(), t)):
        if all(
            abs(places[tick] - places[other])
            >= (len(f"{tick:g}") + len(f"{other:g}") + 2) / 2 * CHARACTER * FONT
            for other in kept
        ):
            kept.append(tick)
    axes.xaxis.set_major_locator(FixedLocator(sorted(kept)))


def _discs(axes: Axes, panel: Panel, largest_mb: float, layout: Layout) -> list[Disc]:
    """In the order in which labels choose their place."""
    return [
        Disc(point, float(x), float(y), disc_radius(point.size_mb, largest_mb, layout))
        for point in panel.by_importance
        for x, y in [axes.transData.transform((point.latency, 100 * point.accuracy))]
    ]


def _inside(axes: Axes) -> Box:
    area = axes.get_window_extent()
    return Box(area.x0, area.y0, area.x1, area.y1)


def _draw_disc(axes: Axes, disc: Disc) -> None:
    point, colour = disc.point, _colour(disc.point.series)
    place = [point.latency], [100 * point.accuracy]
    drawn = axes.scatter(
        *place,
        s=(2 * disc.radius) ** 2,
        facecolor=(colour, 0.28 if point.may_ship else 0.04),
        edgecolor=colour,
        linewidth=1.6,
        linestyle="-" if point.may_ship else (0, (2, 2)),
        zorder=2,
        clip_on=False,
    )
    drawn.set_gid(f"point-{point.numbered.number}")
    axes.plot(*place, "o", ms=3, color=colour, zorder=3)


def _draw_label(axes: Axes, label: Label) -> None:
    first = label.discs[0]
    box = label.box
    text = axes.annotate(
        label.text,
        (first.point.latency, 100 * first.point.accuracy),
        xytext=((box.left + box.right) / 2 - first.x, box.bottom + 0.3 * FONT - first.y),
        textcoords="offset points",
        ha="center",
        weight="bold" if any(disc.point.on_front for disc in label.discs) else "normal",
        annotation_clip=False,
    )
    text.set_gid(f"label-{first.point.numbered.number}")


def _colour(series: int) -> str:
    return SERIES[series % len(SERIES)]
