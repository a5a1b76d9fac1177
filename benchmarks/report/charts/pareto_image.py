"""Draws ``pareto.png``: the charts of accuracy against latency with a key, to be shown alone."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.report.charts.label_placement import FONT
from benchmarks.report.charts.svg import STYLE, drawable, new_figure
from benchmarks.report.charts.tradeoff import NO_POINTS, Panel, runtime_series, tradeoff_panels
from benchmarks.report.charts.tradeoff_chart import WIDE, Overview, draw_legend, draw_panel
from benchmarks.report.formatting import short
from benchmarks.report.rows import NumberedRow
from benchmarks.results import PhotoSet
from hierattn.common.files import atomic_path

_IMAGE_DPI = 115
_KEY_COLUMNS = 3
_KEY_ROW = 1.4 * FONT
_LINE = 180
"""Characters that fit the width."""
_LEGEND = 120.0
"""Pixels that the legend takes at the foot."""
_KEY_LONGEST = 48
"""Characters of an entry that fit a column."""


def draw_pareto(rows: Sequence[NumberedRow], path: Path, photos: PhotoSet | None = None) -> None:
    """Draw all panels, one below the other, as PNG. Same rows, same matplotlib: the same bytes.

    Without a row that has both latency and accuracy the image says so.

    Args:
        rows: of the results.
        path: of the PNG.
        photos: those of the accuracy; what is to be said of them stands below, since the image may
            be shown without its page.

    Raises:
        HierAttnError: the file cannot be written.
    """
    overview = Overview(tradeoff_panels(rows), runtime_series(rows))
    panels = overview.panels
    with matplotlib.rc_context(STYLE):
        each, foot = WIDE.height + 90, _LEGEND
        told = textwrap.wrap(_photos_line(photos), _LINE) if photos else []
        foot += _KEY_ROW * len(told)
        keys = [_key_height(panel) for panel in panels]
        height = each * len(panels) + sum(keys) + foot if panels else 120.0
        figure = new_figure(WIDE.width, height)
        if not panels:
            figure.text(0.5, 0.5, NO_POINTS, ha="center")
        top = height
        for panel, key in zip(panels, keys, strict=True):
            bottom = top - each + 50
            axes = figure.add_axes(
                (50 / WIDE.width, bottom / height, 1 - 66 / WIDE.width, (each - 100) / height)
            )
            draw_panel(axes, panel, overview, WIDE)
            title = drawable(short(str(panel.setting), 90))
            figure.text(8 / WIDE.width, (bottom + each - 68) / height, title, weight="bold")
            _draw_key(figure, panel, bottom - 56)
            top -= each + key
        if panels:
            draw_legend(figure, overview, WIDE)
            for place, line in enumerate(reversed(told)):
                base = (_LEGEND + place * _KEY_ROW) / height
                figure.text(8 / WIDE.width, base, drawable(line), fontsize=0.85 * FONT)
        FigureCanvasAgg(figure)
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="png", dpi=_IMAGE_DPI, metadata={"Software": None})


def _photos_line(photos: PhotoSet) -> str:
    note = f"; {photos.note}" if photos.note else ""
    return f"Photos: {photos.images} of {photos.name}{note}"


def _key_height(panel: Panel) -> float:
    return _KEY_ROW * (math.ceil(len(panel.points) / _KEY_COLUMNS) + 1)


def _draw_key(figure: Figure, panel: Panel, top: float) -> None:
    """What the numbers of a panel stand for, in columns from ``top`` down, pixels."""
    width, height = figure.get_size_inches() * figure.dpi
    points = sorted(panel.points, key=lambda point: point.numbered.number)
    deep = math.ceil(len(points) / _KEY_COLUMNS)
    for place, point in enumerate(points):
        row = point.numbered.row
        words = f"{point.numbered.number}  {short(f'{row.name}, {row.runtime}', _KEY_LONGEST)}"
        left, base = (
            50 + (place // deep) * (width - 66) / _KEY_COLUMNS,
            top - place % deep * _KEY_ROW,
        )
        figure.text(left / width, base / height, drawable(words), fontsize=0.85 * FONT)
