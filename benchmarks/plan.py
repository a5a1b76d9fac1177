"""The measurement plan: many short turns in random order, so that drift favours no file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from benchmarks.results import BenchmarkError, Method

_T = TypeVar("_T")

LAUNCHES = 5
"""Where a process's memory lands changes its speed by a per cent or so, once for its whole life;
only several processes show that."""

SLICES = 10
LEAST_TURN = 5
"""Runs worth a turn: each costs a pause and discarded runs besides."""


@dataclass(frozen=True)
class Plan:
    """How one session measures.

    Attributes:
        runs: steady runs of each row, in all.
        discard: first runs of each turn, not counted: they bring caches and threads back.
        pause_s: before each turn; threads of the one before still spin for about 30 ms.
        slice_s: a turn ends here though runs are left; the row then has fewer.
        warm_least_s, warm_most_s: bounds of the warm-up of each process.
    """

    runs: int = 300
    launches: int = LAUNCHES
    slices: int = SLICES
    discard: int = 2
    pause_s: float = 0.05
    slice_s: float = 1.0
    warm_least_s: float = 0.25
    warm_most_s: float = 10.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what would measure nothing."""
        if min(self.runs, self.launches, self.slices) < 1:
            raise BenchmarkError(
                f"{self.runs} runs, {self.launches} launches, {self.slices} slices: "
                "each must be at least 1"
            )

    def shares(self) -> list[list[int]]:
        """Runs of each turn, by launch: as even as can be, ``runs`` in all."""
        launches = min(self.launches, self.runs)
        per_launch = _even(self.runs, launches)
        slices = max(1, min(self.slices, per_launch[-1] // LEAST_TURN))
        return [_even(count, slices) for count in per_launch]

    def orders(self, items: Sequence[_T], launch: int, turns: int) -> list[list[_T]]:
        """The order of ``items`` in each of a launch's turns: a shuffle, the same for a seed."""
        generator = np.random.default_rng((self.seed, launch))
        return [[items[i] for i in generator.permutation(len(items))] for _ in range(turns)]

    def method(self) -> Method:
        """For the record."""
        shares = self.shares()
        return Method(
            runs=self.runs,
            launches=len(shares),
            slices=max(map(len, shares)),
            discarded=self.discard,
            seed=self.seed,
        )


def _even(total: int, parts: int) -> list[int]:
    return [total // parts + (index < total % parts) for index in range(parts)]
