"""Draws the small charts of the page: single runs, reliability and sustained load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.cbook import boxplot_stats
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from benchmarks.report.charts.svg import INK, QUIET, SERIES, STYLE, drawable, inline_svg, new_figure
from benchmarks.report.formatting import fixed, percent, short, three_digits
from benchmarks.report.rows import EvaluatedFile, NumberedRow, Setting, drawable_ms

_ROW = 40  # pixels of one row's runs
_LARGEST_BIN, _SMALLEST_BIN = 260.0, 16.0  # areas of discs, square pixels


@dataclass(frozen=True)
class Distribution:
    """The runs of one setting's rows.

    Attributes:
        charts: for a wide page and for a narrow one; empty where no row has runs.
        silent: rows without runs, to be named with their reason.
    """

    setting: Setting
    charts: list[Markup]
    silent: list[NumberedRow]


@dataclass(frozen=True)
class FileChart:
    """A chart of one file, or of one row."""

    file: EvaluatedFile
    chart: Markup


@dataclass(frozen=True)
class RowChart:
    """A chart of one row."""

    numbered: NumberedRow
    chart: Markup


def distributions(rows: Sequence[NumberedRow], runtimes: Sequence[str]) -> list[Distribution]:
    """Every row in its setting, in the order of the rows; none where no row has runs."""
    runs = {n.number: [ms for ms in n.row.samples_ms if drawable_ms(ms)] for n in rows}
    if not any(runs.values()):
        return []
    limits: dict[str, tuple[float, float]] = {}
    settings: dict[Setting, list[NumberedRow]] = {}
    for n in rows:
        settings.setdefault(n.setting, []).append(n)
        if own := runs[n.number]:
            low, high = limits.get(n.row.device, (own[0], own[0]))
            limits[n.row.device] = min(low, *own), max(high, *own)
    found = []
    for place, (setting, members) in enumerate(settings.items()):
        drawn = [n for n in members if runs[n.number]]
        charts = [
            _draw_runs(f"runs-{place}-{kind}", kind, width, drawn, runs, limits, runtimes)
            for kind, width in (("wide", 1000), ("narrow", 358))
            if drawn
        ]
        found.append(Distribution(setting, charts, [n for n in members if not runs[n.number]]))
    return found


def _draw_runs(
    name: str,
    kind: str,
    width: int,
    rows: Sequence[NumberedRow],
    runs: dict[int, list[float]],
    limits: dict[str, tuple[float, float]],
    runtimes: Sequence[str],
) -> Markup:
    device = rows[0].row.device
    with matplotlib.rc_context(STYLE):
        height = _ROW * len(rows) + 40
        figure = new_figure(width, height)
        axes = figure.add_axes((0.02, 0, 0.96, (height - 40) / height))
        logarithmic = _set_scale(axes, limits[device])
        axes.set_ylim(len(rows), 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.xaxis.tick_top()
        title = f"milliseconds{', logarithmic' if logarithmic else ''}"
        axes.set_title(title, loc="left", fontsize=12)
        tooltips = {}
        for place, numbered in enumerate(rows):
            row = numbered.row
            colour = SERIES[runtimes.index(row.runtime) % len(SERIES)]
            tooltips[f"box-{numbered.number}"] = _draw_row(
                axes, place, numbered, runs[numbered.number], colour, names=kind == "wide"
            )
        label = f"Single runs on {rows[0].setting}"
        return inline_svg(figure, name, label, tooltips, kind=f"plot {kind}")


def _draw_row(
    axes: Axes,
    place: int,
    numbered: NumberedRow,
    runs: Sequence[float],
    colour: str,
    *,
    names: bool,
) -> str:
    """One row; returns its tooltip."""
    row = numbered.row
    stats = boxplot_stats(runs, whis=(0, 100))
    parts = axes.bxp(
        stats,
        positions=[place + 0.6],
        widths=0.3,
        orientation="horizontal",
        showfliers=False,
        showcaps=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": (colour, 0.3), "edgecolor": colour},
        medianprops={"color": INK, "linewidth": 2.5},
        whiskerprops={"color": colour},
    )
    parts["boxes"][0].set_gid(f"box-{numbered.number}")
    # All ticks are one path; runs that fall on the same half pixel are one tick.
    low, high = axes.get_xlim()
    steps = np.unique(np.round(axes.transData.transform([(ms, 0) for ms in runs])[:, 0] * 2) / 2)
    shown = axes.transData.inverted().transform([(x, 0) for x in steps])[:, 0].clip(low, high)
    x = np.column_stack([shown, shown, np.full(len(shown), np.nan)]).ravel()
    y = np.tile([place + 0.78, place + 0.92, np.nan], len(shown))
    axes.plot(x, y, color=colour, alpha=0.55, lw=1)
    p50, p90, p99 = (three_digits(ms) for ms in (row.p50_ms, row.p90_ms, row.p99_ms))
    end = f"p50 {p50} · p90 {p90} · p99 {p99}" if names else f"p50 {p50}"
    label = f"{numbered.number}  {short(row.name, 70 if names else 25)}"
    label += f" · {row.runtime}" if names else ""
    label += "" if row.status == "measured" else f" · {row.status}"
    where: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center"}
    axes.text(0, place + 0.25, drawable(label), **where)
    axes.text(1, place + 0.25, end, ha="right", **where)
    return f"No. {numbered.number}: {row.name}\n{row.runtime}\np50 {p50}, p90 {p90}, p99 {p99} ms"


def _set_scale(axes: Axes, limits: tuple[float, float]) -> bool:
    low, high = limits
    logarithmic = high / low >= 4
    if logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(low / (high / low) ** 0.03, high * (high / low) ** 0.03)
        if high / low > 10:
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 300 else (1,)))
        else:
            axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    else:
        margin = max(0.03 * (high - low), 0.01 * high)
        axes.set_xlim(max(low - margin, 0.0), high + margin)
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    return logarithmic


def reliability_charts(files: Sequence[EvaluatedFile]) -> list[FileChart]:
    """A diagram for each file with bins; bins with impossible values are left out."""
    found = []
    for file in files:
        bins = [b for b in file.first.row.reliability if _is_possible(*b)]
        if bins:
            found.append(FileChart(file, _draw_reliability(file, bins)))
    return found


def _draw_reliability(file: EvaluatedFile, bins: Sequence[tuple[float, float, int]]) -> Markup:
    with matplotlib.rc_context(STYLE):
        figure = new_figure(180, 180)
        axes = figure.add_axes((0.17, 0.14, 0.73, 0.8))
        axes.plot([0, 100], [0, 100], color=QUIET, ls=(0, (4, 3)), lw=1)
        axes.set(xlim=(0, 100), ylim=(0, 100), xticks=(0, 50, 100), yticks=(0, 50, 100))
        axes.tick_params(labelsize=11)
        most = max(photos for _, _, photos in bins)
        tooltips = {}
        for place, (confidence, accuracy, photos) in enumerate(bins):
            drawn = axes.scatter(
                100 * confidence,
                100 * accuracy,
                s=max(_LARGEST_BIN * photos / most, _SMALLEST_BIN),
                facecolor=(SERIES[0], 0.55),
                edgecolor=SERIES[0],
                clip_on=False,
                zorder=2,
            )
            drawn.set_gid(f"bin-{place}")
            tooltips[f"bin-{place}"] = (
                f"confidence {percent(confidence)} %, right {percent(accuracy)} %, {photos} images"
            )
        label = f"Reliability of {file.first.row.name}"
        return inline_svg(figure, f"reliability-{file.first.number}", label, tooltips)


def _is_possible(confidence: float, accuracy: float, photos: int) -> bool:
    return photos > 0 and 0 <= confidence <= 1 and 0 <= accuracy <= 1


def sustained_charts(rows: Sequence[NumberedRow]) -> list[RowChart]:
    """A curve for each row with at least two one-second windows."""
    found = []
    for numbered in rows:
        load = numbered.row.sustained
        windows = [ms for ms in load.window_p50_ms if drawable_ms(ms)] if load else []
        if len(windows) >= 2:
            found.append(RowChart(numbered, _draw_sustained(numbered, windows)))
    return found


def _draw_sustained(numbered: NumberedRow, windows: Sequence[float]) -> Markup:
    with matplotlib.rc_context(STYLE):
        figure = new_figure(340, 160)
        axes = figure.add_axes((0.12, 0.25, 0.85, 0.7))
        axes.plot(range(len(windows)), windows, color=SERIES[0], lw=1.6)
        low, high = min(windows), max(windows)
        margin = max(0.15 * (high - low), 0.05 * high)
        axes.set(xlim=(0, len(windows) - 1), ylim=(max(low - margin, 0), high + margin))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.tick_params(labelsize=11)
        axes.set_xlabel("second; up: p50, ms", loc="right", fontsize=11)
        label = f"p50 of each second, from {fixed(windows[0])} to {fixed(windows[-1])} ms"
        return inline_svg(figure, f"sustained-{numbered.number}", label, {})
