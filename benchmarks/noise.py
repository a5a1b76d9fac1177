"""How large a difference must be to mean something: the noise floor of a session.

Model: the logarithm of a turn's median is the file's own value, plus what the whole machine did in
that turn (taken out, since every file had its turn then), plus noise. Runs of one process share
their noise, so the independent repetitions are the launches. The floor is the factor by which no
ratio of two p50 would differ between this session and another like it, 19 times in 20, whichever
pair is looked at (studentised range of the session-to-session differences); and no less than what
the file that was measured twice shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
LEAST = 1.01
"""Clocks, and whatever differs between sessions but not between launches, are not that exact."""

UNKNOWN = 1.25
"""Of a session with too few turns to tell: differences below a quarter are not trusted."""


@dataclass(frozen=True)
class TurnMedians:
    """One row's medians, milliseconds: a list a launch, a number a turn."""

    name: str
    threads: int
    medians_ms: list[list[float]]


def floor_ratio(rows: Sequence[TurnMedians], control: tuple[float, float] | None) -> float:
    """The floor of rows with one thread count.

    Args:
        rows: measured in the same turns; those that lack some are left out.
        control: p50 of the file that was measured twice, milliseconds.
    """
    ratios = [LEAST]
    if control is not None:
        ratios.append(max(control) / min(control))
    error = standard_error(rows)
    if error is None:
        return max(*ratios, UNKNOWN)
    value, freedom, count = error
    reach = float(stats.studentized_range.ppf(CONFIDENCE, count, freedom))
    # Two sessions' values differ with twice the variance of one's.
    ratios.append(math.exp(reach * math.sqrt(2) * value))
    return max(ratios)


def standard_error(rows: Sequence[TurnMedians]) -> tuple[float, int, int] | None:
    """Of one row's log p50 against the others'.

    Returns:
        The error, pooled over rows; its degrees of freedom; and the number of rows. None where
        there are not two rows and two repetitions.
    """
    whole = _whole(rows)
    if whole is None:
        return None
    count, launches, _ = whole.shape
    repeats = whole.mean(axis=2) if launches > 1 else whole[:, 0, :]
    repetitions = repeats.shape[1]
    if count < 2 or repetitions < 2:
        return None
    interaction = (
        repeats
        - repeats.mean(axis=1, keepdims=True)
        - repeats.mean(axis=0, keepdims=True)
        + repeats.mean()
    )
    freedom = (count - 1) * (repetitions - 1)
    variance = float((interaction**2).sum()) / freedom
    return math.sqrt(variance / repetitions), freedom, count


def _whole(rows: Sequence[TurnMedians]) -> np.ndarray | None:
    """Log medians [row, launch, turn] of the turns that most rows had."""
    shapes = [tuple(map(len, row.medians_ms)) for row in rows]
    if not shapes:
        return None
    common = max(set(shapes), key=lambda shape: (shapes.count(shape), shape))
    turns = min(common, default=0)
    if not turns:
        return None
    kept = [row for row, shape in zip(rows, shapes, strict=True) if shape == common]
    return np.log([[launch[:turns] for launch in row.medians_ms] for row in kept])
