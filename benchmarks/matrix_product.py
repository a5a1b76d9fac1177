"""The machine's own matrix-product rate: an upper bound for networks, and a check for drift."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.results import threads_of
from benchmarks.runner import Measurement
from benchmarks.runtimes.matrix_product_engine import MATRIX_SIDE
from benchmarks.runtimes.registry import MATRIX_PRODUCT, runtime_named
from benchmarks.stats import summarise
from export.runtime.client import WorkerConfig


def matrix_products(threads: Sequence[int]) -> list[Measurement]:
    """One for each thread count, to be measured in turn with the files."""
    runtime, _ = runtime_named(MATRIX_PRODUCT)
    return [
        Measurement(WorkerConfig(runtime, "", count), f"matrix product, {threads_of(count)}")
        for count in threads
    ]


def gmacs_by_threads(measured: Sequence[Measurement]) -> dict[int, float]:
    """10^9 multiply-adds a second at the median, of those that were measured."""
    return {
        one.config.threads: MATRIX_SIDE**3 / summarise(one.samples).p50_ms / 1e6
        for one in measured
        if one.samples
    }
