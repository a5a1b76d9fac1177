"""How large a difference must be to mean something: the noise floor of a session.

Model: the logarithm of the p50 that one launch gives is the file's own value, plus what the whole
machine did in that launch (taken out, since every file had its turns in it), plus noise. Runs of
one process share their noise, so launches are the independent repetitions. The floor is the
factor by which no ratio of two p50 would differ between this session and another like it, 19
times in 20, whichever pair is looked at (studentised range of the session-to-session
differences); and no less than what the file that was measured twice shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
LEAST = 1.01
"""Clocks, and whatever differs between sessions but not between launches, are not that exact."""

UNKNOWN = 1.25
"""Of a session with too few repetitions to tell: differences below a quarter are not trusted."""


@dataclass(frozen=True)
class Repeats:
    """One row's p50 of each repetition, milliseconds."""

    name: str
    threads: int
    p50_ms: list[float]


def floor_ratio(rows: Sequence[Repeats], control: tuple[float, float] | None) -> float:
    """The floor of rows with one thread count.

    Args:
        rows: repeated together; those that lack some repetitions are left out.
        control: p50 of the file that was measured twice, milliseconds.
    """
    ratios = [LEAST]
    if control is not None:
        ratios.append(max(control) / min(control))
    error = standard_error(rows)
    if error is None:
        return max(*ratios, UNKNOWN)
    value, freedom, count = error
    # Two sessions' values differ with twice the variance of one's.
    ratios.append(math.exp(_reach(count, freedom) * math.sqrt(2) * value))
    return max(ratios)


@cache
def _reach(count: int, freedom: int) -> float:
    # Integrated numerically, which takes a tenth of a second.
    return float(stats.studentized_range.ppf(CONFIDENCE, count, freedom))


def standard_error(rows: Sequence[Repeats]) -> tuple[float, int, int] | None:
    """Of one row's log p50 against the others'.

    Returns:
        The error, pooled over rows; its degrees of freedom; and the number of rows. None where
        there are not two rows and two repetitions.
    """
    lengths = [len(row.p50_ms) for row in rows]
    repetitions = max(set(lengths), key=lambda length: (lengths.count(length), length), default=0)
    kept = [row.p50_ms for row in rows if len(row.p50_ms) == repetitions]
    count = len(kept)
    if count < 2 or repetitions < 2:
        return None
    logs = np.log(kept)
    # What is left of a two-way table without its row and column effects.
    noise = logs - logs.mean(axis=1, keepdims=True) - logs.mean(axis=0, keepdims=True) + logs.mean()
    freedom = (count - 1) * (repetitions - 1)
    variance = float((noise**2).sum()) / freedom
    return math.sqrt(variance / repetitions), freedom, count
