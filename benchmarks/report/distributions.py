"""Where the runs of each row lie, on one scale a device: a box and a tick for every run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.report.rows import NumberedRow, Setting, drawable_ms
from benchmarks.report.scales import Scale, Tick, latency_scale

WIDTH = 1000.0
"""Of a strip, in units that the page stretches to its own width."""


@dataclass(frozen=True)
class Strip:
    """One row's runs; pixels along WIDTH.

    Attributes:
        ticks: path of the runs' ticks, each place drawn once.
        quartiles: of the runs' times.
    """

    numbered: NumberedRow
    ticks: str
    low: float
    quartiles: tuple[float, float, float]
    high: float


@dataclass(frozen=True)
class StripGroup:
    """The rows of one setting on the scale of their device.

    Attributes:
        silent: rows without runs, named with their reason.
    """

    setting: Setting
    axis: list[Tick]
    logarithmic: bool
    strips: list[Strip]
    silent: list[NumberedRow]


def strip_groups(rows: Sequence[NumberedRow]) -> list[StripGroup]:
    """Every row in its group, in the order of the rows; none where no row has runs."""
    runs = {numbered.number: _runs(numbered) for numbered in rows}
    if not any(runs.values()):
        return []
    devices: dict[str, list[float]] = {}
    groups: dict[Setting, list[NumberedRow]] = {}
    for numbered in rows:
        devices.setdefault(numbered.row.device, []).extend(runs[numbered.number])
        groups.setdefault(numbered.setting, []).append(numbered)
    scales = {
        device: latency_scale(values, 0.0, WIDTH) for device, values in devices.items() if values
    }
    return [
        _group(setting, members, runs, scales.get(setting.device))
        for setting, members in groups.items()
    ]


def _group(
    setting: Setting,
    members: Sequence[NumberedRow],
    runs: dict[int, list[float]],
    scale: Scale | None,
) -> StripGroup:
    return StripGroup(
        setting=setting,
        axis=scale.ticks(6) if scale else [],
        logarithmic=scale is not None and scale.logarithmic,
        strips=[_strip(n, runs[n.number], scale) for n in members if scale and runs[n.number]],
        silent=[n for n in members if not runs[n.number]],
    )


def _strip(numbered: NumberedRow, runs: Sequence[float], scale: Scale) -> Strip:
    quantiles = np.quantile(runs, (0, 0.25, 0.5, 0.75, 1))
    low, first, middle, third, high = (scale(float(quantile)) for quantile in quantiles)
    places = sorted({round(scale(run)) for run in runs})
    return Strip(
        numbered=numbered,
        ticks="".join(f"M{place} 19v7" for place in places),
        low=low,
        quartiles=(first, middle, third),
        high=high,
    )


def _runs(numbered: NumberedRow) -> list[float]:
    return [run for run in numbered.row.samples_ms if drawable_ms(run) is not None]
