"""The machine's own matrix-product rate: a ceiling for networks, and a measure of its mood."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.figures import summarise
from benchmarks.runtimes import MATRIX_PRODUCT
from benchmarks.session import Series
from benchmarks.worker import MATRIX_SIDE
from benchmarks.workers import Order


def yardsticks(threads: Sequence[int]) -> list[Series]:
    """One for each thread count, to be measured in turn with the files."""
    return [
        Series(Order(MATRIX_PRODUCT, "", count), f"matrix product, {count} thread(s)")
        for count in threads
    ]


def gmacs_by_threads(measured: Sequence[Series]) -> dict[int, float]:
    """10^9 multiply-adds a second at the median, of those that were measured."""
    return {
        one.order.threads: MATRIX_SIDE**3 / summarise(one.samples).p50_ms / 1e6
        for one in measured
        if one.samples
    }
