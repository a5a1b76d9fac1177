"""``pareto.png``: the page's accuracy against latency plot, for where no page can be shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.patches import Circle

from benchmarks.report.formatting import plain, short
from benchmarks.report.rows import NumberedRow
from benchmarks.report.tradeoff import (
    NO_POINTS,
    Panel,
    drawn_series,
    runtime_series,
    tradeoff_panels,
)
from benchmarks.report.tradeoff_layout import IMAGE, Drawing, Mark, draw
from hierattn.files import atomic_path

_SCALE = 1.6  # image pixels for each of the layout's
_INCH = 100.0  # layout pixels
_POINT = 72 / _INCH  # of type for each of the layout's pixels
_HEAD, _FOOT, _SIDE = 44.0, 64.0, 14.0
_FONT = "DejaVu Sans"  # comes with matplotlib
_INK, _FAINT = "#1d2328", "#d5d9dd"
_COLOURS = ("#0060a8", "#b84a00", "#00704f", "#8a3d88", "#7a5c00", "#555b61")


def draw_pareto(rows: Sequence[NumberedRow], path: Path) -> None:
    """Draw one panel a setting under one another. Same rows, same matplotlib: the same bytes.

    Without a row that has both latency and accuracy the image says so.

    Raises:
        HierAttnError: the file cannot be written.
    """
    panels = tradeoff_panels(rows)
    series = drawn_series(panels, runtime_series(rows))
    each = IMAGE.height + _HEAD
    height = each * len(panels) + _FOOT if panels else 120.0
    width = IMAGE.width + 2 * _SIDE
    figure = Figure(figsize=(width / _INCH, height / _INCH), dpi=_SCALE * _INCH)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-_SIDE, IMAGE.width + _SIDE), ylim=(height, 0))
    axes.set_axis_off()
    if not panels:
        _write(axes, IMAGE.width / 2, 60, NO_POINTS, ha="center")
    largest = max((p.size_mb for panel in panels for p in panel.points), default=0.0)
    for position, panel in enumerate(panels):
        _draw_panel(axes, panel, draw(panel, IMAGE, largest), position * each + _HEAD)
    if panels:
        _draw_key(axes, series, height - _FOOT + 20)
    FigureCanvasAgg(figure)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def _draw_panel(axes: Axes, panel: Panel, drawing: Drawing, top: float) -> None:
    area = drawing.sheet.area
    title = short(plain(str(panel.setting)), 90)
    _write(axes, 0, top - 10, title, weight="bold")
    for tick in drawing.x_ticks:
        axes.plot([tick.at] * 2, [top + area.top, top + area.bottom], color=_FAINT, lw=0.8)
        _write(axes, tick.at, top + area.bottom + 18, tick.text, ha="center")
    for tick in drawing.y_ticks:
        axes.plot([area.left, area.right], [top + tick.at] * 2, color=_FAINT, lw=0.8)
        _write(axes, area.left - 8, top + tick.at + 4, tick.text, ha="right")
    title = f"p50 latency, ms{' (logarithmic)' if drawing.logarithmic else ''}"
    _write(axes, area.right, top + IMAGE.height - 6, title, ha="right")
    for key in drawing.size_keys:
        disc = Circle((key.x, top + key.y), key.radius, fill=False, edgecolor=_INK, lw=1)
        axes.add_patch(disc)
        _write(axes, key.text_x, top + key.text_y, key.text)
    _write(axes, 0, top + IMAGE.font, "balanced accuracy, %")
    if drawing.front:
        x, y = zip(*drawing.front, strict=True)
        axes.plot(x, [top + value for value in y], color=_INK, lw=1.6, ls=(0, (6, 3)))
    for mark in drawing.marks:
        _draw_mark(axes, mark, top)
    for mark in drawing.marks:
        _draw_label(axes, mark, top)


def _draw_mark(axes: Axes, mark: Mark, top: float) -> None:
    colour = _COLOURS[mark.point.series % len(_COLOURS)]
    style = "-" if mark.point.may_ship else (0, (2, 2))
    fill = (colour, 0.3) if mark.point.may_ship else "none"
    axes.add_patch(
        Circle(
            (mark.x, top + mark.y), mark.radius, facecolor=fill, edgecolor=colour, lw=1.5, ls=style
        )
    )
    axes.plot(mark.x, top + mark.y, ".", color=colour, ms=3)


def _draw_label(axes: Axes, mark: Mark, top: float) -> None:
    if mark.label is None:
        return
    if mark.label.leader is not None:
        x1, y1, x2, y2 = mark.label.leader
        axes.plot([x1, x2], [top + y1, top + y2], color=_INK, lw=0.7)
    weight = "bold" if mark.point.on_front else "normal"
    ha = {"start": "left", "middle": "center", "end": "right"}[mark.label.anchor]
    _write(axes, mark.label.x, top + mark.label.y, mark.label.text, ha=ha, weight=weight)


def _draw_key(axes: Axes, series: Sequence[tuple[int, str]], y: float) -> None:
    """Runtimes by colour, then what dashes and line mean."""
    x = 0.0
    for position, name in series:
        text = short(plain(name), 20)
        axes.add_patch(Circle((x + 6, y), 6, color=_COLOURS[position % len(_COLOURS)]))
        _write(axes, x + 16, y + 4, text)
        x += 40 + 7 * len(text)
    _write(axes, 0, y + 26, "Disc area: file size. Dashed disc: gate failed. Line: Pareto front.")


def _write(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    *,
    ha: str = "left",
    weight: str = "normal",
) -> None:
    axes.text(
        x,
        y,
        _drawable(text),
        ha=ha,
        weight=weight,
        color=_INK,
        fontsize=IMAGE.font * _POINT,
        family=_FONT,
        parse_math=False,
    )


def _drawable(text: str) -> str:
    """Text on one line; characters that the font lacks become boxes."""
    font = get_font(findfont(_FONT))
    return "".join(c if font.get_char_index(ord(c)) else "□" for c in " ".join(text.split()))
