"""Latency over a long run: does the machine slow down as it warms?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report.rows import NumberedRow, drawable_ms
from benchmarks.report.scales import Scale, Tick

WIDTH, HEIGHT = 340.0, 150.0
_LEFT, _TOP, _BOTTOM, _RIGHT = 40.0, 10.0, 34.0, 12.0


@dataclass(frozen=True)
class SustainedCurve:
    """One row's medians of one-second windows against time."""

    numbered: NumberedRow
    path: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    slowdown: float

    left = _LEFT
    right = WIDTH - _RIGHT
    top = _TOP
    bottom = HEIGHT - _BOTTOM


def sustained_curves(rows: Sequence[NumberedRow]) -> list[SustainedCurve]:
    """A curve for each row with at least two windows."""
    return [curve for numbered in rows if (curve := _curve(numbered)) is not None]


def _curve(numbered: NumberedRow) -> SustainedCurve | None:
    load = numbered.row.sustained
    windows = [w for w in load.window_p50_ms if drawable_ms(w) is not None] if load else []
    if load is None or len(windows) < 2:
        return None
    low, high = min(windows), max(windows)
    room = max((high - low) * 0.15, 0.05 * high, 1e-6)
    x = Scale(0.0, float(len(windows) - 1), _LEFT, WIDTH - _RIGHT)
    y = Scale(max(low - room, 0.0), high + room, HEIGHT - _BOTTOM, _TOP)
    steps = (f"{'L' if i else 'M'}{x(i):.1f} {y(w):.1f}" for i, w in enumerate(windows))
    return SustainedCurve(
        numbered=numbered,
        path="".join(steps),
        x_ticks=x.ticks(6),
        y_ticks=y.ticks(5),
        slowdown=load.last_to_first,
    )
