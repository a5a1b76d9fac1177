"""Statistics of a session: percentiles of a row's latency, and the noise floor.

Noise floor: how large a difference must be to mean something.

Model: the logarithm of the p50 that one launch gives is the file's own value, plus what the whole
machine did in that launch (taken out, since every file had its turns in it), plus noise, of which
some files have more than others. Runs of one process share their noise, so launches are the
independent repetitions.

A row's floor is the factor by which its p50, against that of any other row as noisy, would not
differ between this session and another like it, 19 times in 20, whichever pair is looked at
(studentised range). The session's floor is that of its typical row, and no less than what the file
that was measured twice shows. Two rows tie within the largest of the three.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from benchmarks.results import UNKNOWN_NOISE_RATIO

TRIMMED = 0.1
MINUTE = 60
CONFIDENCE = 0.95
LEAST = 1.01
"""Clocks, and whatever differs between sessions but not between launches, are not that exact."""


@dataclass(frozen=True)
class Latency:
    """Figures of steady runs, milliseconds."""

    p50_ms: float
    p90_ms: float
    p99_ms: float
    mean_ms: float
    trimmed_mean_ms: float


def summarise(samples_ms: Sequence[float]) -> Latency:
    """Percentiles (linear between neighbours), mean, and mean without a tenth at either end.

    Args:
        samples_ms: one or more.
    """
    p50, p90, p99 = np.percentile(samples_ms, [50, 90, 99])
    return Latency(
        p50_ms=float(p50),
        p90_ms=float(p90),
        p99_ms=float(p99),
        mean_ms=float(np.mean(samples_ms)),
        trimmed_mean_ms=float(stats.trim_mean(samples_ms, TRIMMED)),
    )


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float | None:
    """The b of costs = a * sizes ** b, by least squares of logarithms; None for one size alone."""
    if len(set(sizes)) < 2:
        return None
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def last_to_first(window_p50_ms: Sequence[float]) -> float:
    """Median of the last minute's one-second windows over that of the first minute's.

    Below two minutes the two halves are compared.
    """
    width = max(1, min(MINUTE, len(window_p50_ms) // 2))
    return float(np.median(window_p50_ms[-width:]) / np.median(window_p50_ms[:width]))


@dataclass(frozen=True)
class Repeats:
    """One row's p50 of each repetition, milliseconds."""

    threads: int
    p50_ms: list[float]


@dataclass(frozen=True)
class NoiseFloors:
    """Of rows with one thread count.

    Attributes:
        session: of the typical row.
        rows: of each row, in their order; None for one that lacks repetitions.
    """

    session: float
    rows: list[float | None]


def find_floors(rows: Sequence[Repeats], control: tuple[float, float] | None = None) -> NoiseFloors:
    """The floors of rows that were repeated together.

    Args:
        rows: of one thread count; those that lack some repetitions are left out.
        control: p50 of the file that was measured twice, milliseconds.
    """
    twice = max(control) / min(control) if control is not None else 1.0
    lengths = [len(row.p50_ms) for row in rows]
    repetitions = max(set(lengths), key=lambda length: (lengths.count(length), length), default=0)
    kept = [index for index, length in enumerate(lengths) if length == repetitions]
    floors: list[float | None] = [None] * len(rows)
    if len(kept) < 2 or repetitions < 2:
        return NoiseFloors(max(twice, UNKNOWN_NOISE_RATIO), floors)
    variances = _variances(np.log([rows[index].p50_ms for index in kept]))
    # The median of few squares lies below their mean: a chi-squared one's by this share.
    share = float(stats.chi2.median(repetitions - 1)) / (repetitions - 1)
    typical = float(np.median(variances)) / share
    reach = _reach(len(kept), repetitions)

    def factor(variance: float) -> float:
        # The difference of two rows between two sessions has four times one mean's variance.
        return max(LEAST, math.exp(reach * math.sqrt(2 * variance / repetitions)))

    for index, own in zip(kept, variances, strict=True):
        # So few repetitions may look calm by chance.
        floors[index] = factor(max(float(own), typical))
    return NoiseFloors(max(twice, factor(typical)), floors)


def _variances(logs: np.ndarray) -> np.ndarray:
    """Each row's own variance [R] of logs [R, repetitions], the machine's part taken out.

    By medians, so that one wild row does not pass for the machine.
    """
    machine = np.median(logs - np.median(logs, axis=1, keepdims=True), axis=0)
    variances: np.ndarray = (logs - machine).var(axis=1, ddof=1)
    # Of two rows the median is their mean, which takes half of each one's own variance along.
    return variances * 2 if len(logs) == 2 else variances


@cache
def _reach(count: int, repetitions: int) -> float:
    """Quantile of the studentised range; integrated numerically, which takes a tenth of a second.

    A median of variances is worth about half as many degrees of freedom as their mean.
    """
    freedom = max(2.0, (count - 1) * (repetitions - 1) / 2)
    return float(stats.studentized_range.ppf(CONFIDENCE, count, freedom))
