"""Scales of the charts: values to pixels, and round numbers for the ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report.formatting import three_digits

LOGARITHMIC_FROM = 4.0
"""Ratio of the highest value to the lowest from which a latency scale is logarithmic."""
_MARGIN = 0.06


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Scale:
    """Maps [low, high] onto pixels [start, end]; start may lie beyond end.

    Attributes:
        logarithmic: equal ratios are equal distances; low is above 0 then.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Pixel of a value."""
        low, high = (self._warp(v) for v in (self.low, self.high))
        return self.start + (self._warp(value) - low) / (high - low) * (self.end - self.start)

    def ticks(self, most: int, factor: float = 1.0) -> list[Tick]:
        """At most ``most`` round values inside the scale.

        Args:
            most: at least 2.
            factor: the text shows value times this, such as 100 for per cent.
        """
        if self.logarithmic:
            for steps in ((1, 1.5, 2, 3, 5, 7), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,)):
                values = _decades(self.low, self.high, steps)
                if 2 <= len(values) <= most:
                    break
            else:
                values = values or [self.low, self.high]
                values = values[:: math.ceil(len(values) / most)]
        else:
            values = _round_steps(self.low, self.high, most)
        return [Tick(self(value), _tick_text(value * factor)) for value in values]

    def _warp(self, value: float) -> float:
        return math.log(value) if self.logarithmic else value


def latency_scale(values: Sequence[float], start: float, end: float) -> Scale:
    """A scale that holds all values with a margin; logarithmic where they span ratios.

    Args:
        values: at least one, all above 0.
        start: pixel of the low end.
        end: of the high end.
    """
    low, high = min(values), max(values)
    if high / low >= LOGARITHMIC_FROM:
        room = (high / low) ** _MARGIN
        return Scale(low / room, high * room, start, end, logarithmic=True)
    room = max(_MARGIN * (high - low), 0.02 * high)
    return Scale(max(low - room, 0.0), high + room, start, end)


def share_scale(values: Sequence[float], start: float, end: float) -> Scale:
    """A scale for shares of 1 that shows the part where they lie, at least 5 points of it."""
    low, high = min(values), max(values)
    middle, half = (low + high) / 2, max((high - low) / 2 * 1.2, 0.025)
    low, high = max(middle - half, -0.02), min(middle + half, 1.02)
    return Scale(low, high, start, end)


def _decades(low: float, high: float, steps: Sequence[float]) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    # From the text, so that 3 x 10**-1 is 0.3 and not 0.30000000000000004.
    values = [float(f"{step}e{decade}") for decade in range(first, last + 1) for step in steps]
    return [value for value in values if low <= value <= high]


def _round_steps(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / most
    decade = math.floor(math.log10(rough))
    for step in (float(f"{digits}e{decade}") for digits in (1, 2, 5, 10, 20)):
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first + 1 <= most:
            return [round(place * step, 12) for place in range(first, last + 1)]
    return [low, high]


def _tick_text(value: float) -> str:
    rounded = round(value, 6)
    return f"{rounded:g}" if abs(rounded) < 1e5 else three_digits(value)
