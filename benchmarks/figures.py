"""From the times of single runs to the figures of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

TRIMMED = 0.1
MINUTE = 60


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


def last_to_first(window_p50_ms: Sequence[float]) -> float:
    """Median of the last minute's one-second windows over that of the first minute's.

    Below two minutes the two halves are compared.
    """
    width = max(1, min(MINUTE, len(window_p50_ms) // 2))
    return float(np.median(window_p50_ms[-width:]) / np.median(window_p50_ms[:width]))
