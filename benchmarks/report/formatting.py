"""Formats numbers and names for the page. A missing value is an en dash, never a number."""

from __future__ import annotations

import math
import re

from benchmarks.results import LARGEST_FLOOR

MISSING = "–"
_MINUS = "\N{MINUS SIGN}"
# Control characters, halves of surrogate pairs, and marks that reorder the text around them.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def known(value: float | None) -> float | None:
    """The value where it is a finite number, else None."""
    return value if value is not None and math.isfinite(value) else None


def fixed(value: float | None, digits: int = 1) -> str:
    """A number with ``digits`` decimals."""
    value = known(value)
    return MISSING if value is None else _with_minus(f"{value:.{digits}f}")


def three_digits(value: float | None) -> str:
    """A number with three significant digits: 0.123, 1.23, 12.3, 123, 1234."""
    value = known(value)
    if value is None:
        return MISSING
    if value == 0:
        return "0"
    decimals = 2 - math.floor(math.log10(abs(value)))
    return _with_minus(f"{value:.{min(max(decimals, 0), 6)}f}")


def factor(ratio: float | None) -> str:
    """A noise floor with three decimals, up to :data:`benchmarks.results.LARGEST_FLOOR`."""
    ratio = known(ratio)
    if ratio is not None and ratio >= LARGEST_FLOOR:
        return f"above {LARGEST_FLOOR:g}"
    return fixed(ratio, 3)


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 1 in per cent, without the sign: 0.4321 is 43.2."""
    share = known(share)
    return MISSING if share is None else fixed(100 * share, digits)


def points(change: float | None) -> str:
    """A change of a share in percentage points, signed; no sign where it rounds to nothing."""
    change = known(change)
    if change is None:
        return MISSING
    rounded = round(100 * change, 1)
    return "0.0" if rounded == 0 else _with_minus(f"{rounded:+.1f}")


def tiny(value: float | None) -> str:
    """A number that may be near nothing: 1.2e−06."""
    value = known(value)
    return MISSING if value is None else _with_minus(f"{value:.1e}")


def plain(text: str) -> str:
    """Text without what could disturb the text around it; such characters become U+FFFD."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)


def short(name: str, limit: int = 36) -> str:
    """A name of at most ``limit`` characters: the end, which tells files apart, is kept."""
    if len(name) <= limit:
        return name
    end = (limit - 1) * 2 // 3
    return f"{name[: limit - 1 - end]}…{name[-end:]}"


def _with_minus(text: str) -> str:
    return text.replace("-", _MINUS)
