"""Matching of tensors by value between a file and torch, whatever their layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from types import MappingProxyType

import numpy as np

from export.schema.metadata import Precision

RECOGNISABLE = 0.7
"""A damaged tensor is mostly nearer than that; unrelated ones are about 1.4 off."""
MOSTLY_ALIKE = 0.25
_MOST_AXES = 4
_ENOUGH_VALUES = 256
_CLEAR = 1e-3
_LEAST_SPREAD = 0.05
_CONSTANT = 1e-4


@dataclass(frozen=True)
class MatchTolerance:
    """Largest relative distance at which two tensors match.

    Attributes:
        ordered: compared value by value, in some order of axes.
        unordered: compared after sorting both, which is the distance under the kindest order of
            all; 0 where rounding is too coarse for that to distinguish two tensors.
    """

    ordered: float
    unordered: float


MATCH_TOLERANCES: Mapping[Precision, MatchTolerance] = MappingProxyType(
    {
        Precision.FP32: MatchTolerance(ordered=1e-4, unordered=2e-5),
        Precision.FP16: MatchTolerance(ordered=3e-2, unordered=2e-3),
        Precision.INT8: MatchTolerance(ordered=0.5, unordered=0.0),
    }
)
"""For one operation from the file's own inputs; several times its rounding (see the tests)."""


class Fingerprint:
    """A tensor with cached statistics for fast comparison; float32, any shape."""

    def __init__(self, value: np.ndarray) -> None:
        self.value = np.ascontiguousarray(value, dtype=np.float32)
        self.count = int(self.value.size)

    @cached_property
    def finite(self) -> bool:
        """Whether it holds neither NaN nor infinity."""
        return bool(np.isfinite(self.value).all())

    @cached_property
    def norm(self) -> float:
        """Euclidean norm."""
        return _norm(self.value)

    @cached_property
    def scale(self) -> float:
        """What distances are relative to: the norm around the mean, at least 5 % of the norm.

        Gates near one half, or weights near 1/N, are alike but for what is around the mean. 0 for
        a constant, such as the softmax over one value: to find it again would prove nothing.
        """
        around = _norm(self.value - np.float32(self.total / max(self.count, 1)))
        return max(around, _LEAST_SPREAD * self.norm) if around > _CONSTANT * self.norm else 0.0

    @cached_property
    def total(self) -> float:
        """Sum of all values."""
        return float(self.value.sum(dtype=np.float64))

    @cached_property
    def ascending(self) -> np.ndarray:
        """All values, sorted."""
        return np.sort(self.value, axis=None)


@dataclass(frozen=True)
class Alignment:
    """Distance of a file's tensor from torch's, value by value, under one order of axes.

    Attributes:
        error: L2 distance over torch's ``scale``.
        order: of torch's axes, as the file has them in memory.
    """

    error: float
    order: tuple[int, ...]

    def restore(self, file: Fingerprint, shape: tuple[int, ...]) -> np.ndarray:
        """The file's values in torch's ``shape``."""
        moved = file.value.reshape([shape[axis] for axis in self.order])
        return np.ascontiguousarray(moved.transpose(np.argsort(self.order)))


def align(torch: Fingerprint, file: Fingerprint, bound: float) -> Alignment | None:
    """Compare two tensors under every order of torch's axes.

    Reshaping and transposing keep the values but not their places. So torch's axes are tried in
    every order against the file's values as they lie in memory, which covers NCHW, NHWC and
    tokens, with any axes split or merged.

    Returns:
        The nearest order; None where none is nearer than ``bound``.
    """
    if least_distance(torch, file) >= bound:
        return None
    best = _nearest(torch, file, _usual_layouts(torch.value), bound)
    if best is not None and best.error <= _CLEAR:
        return best
    bound = bound if best is None else best.error
    if sorted_distance(torch, file) >= bound:
        return best
    return _nearest(torch, file, _all_layouts(torch.value), bound) or best


def nearest(
    file: Fingerprint, torch: Mapping[int, Fingerprint], bound: float = RECOGNISABLE
) -> int | None:
    """Key of the torch tensor nearest to a file's tensor; the first of equals."""
    best = None
    for key in sorted(torch, key=lambda key: least_distance(torch[key], file)):
        found = align(torch[key], file, bound)
        if found is not None:
            best, bound = key, found.error
    return best


def mostly_alike(file: Fingerprint, torch: Mapping[int, Fingerprint]) -> int | None:
    """Key of the torch tensor from which a file's tensor differs in few values, but by much.

    That is how one wrong channel looks. The quarter of values that are furthest off is left out;
    unrelated tensors are then still about 0.6 off.
    """
    best, bound = None, MOSTLY_ALIKE
    for key, other in torch.items():
        if other.count != file.count or not other.scale or not file.finite:
            continue
        flat = file.value.ravel()
        for order in _usual_layouts(other.value):
            off = np.abs(other.value.transpose(order).ravel() - flat)
            kept = np.partition(off, len(off) * 3 // 4)[: len(off) * 3 // 4]
            distance = _norm(kept) / other.scale
            if distance < bound:
                best, bound = key, distance
    return best


def same_values(torch: Fingerprint, file: Fingerprint, bound: float) -> float | None:
    """Distance of the sorted values, if at most ``bound`` and of enough values to be conclusive.

    For tensors cut into patches and the like, whose layout :func:`align` does not find. It cannot
    distinguish a tensor from a permutation of it.
    """
    if torch.count < _ENOUGH_VALUES or least_distance(torch, file) > bound:
        return None
    distance = sorted_distance(torch, file)
    return distance if distance <= bound else None


def least_distance(torch: Fingerprint, file: Fingerprint) -> float:
    """Lower bound of the distance: triangle inequality, and Cauchy-Schwarz on the sums."""
    if torch.count != file.count or not torch.scale or not file.finite:
        return float("inf")
    by_norm = abs(torch.norm - file.norm)
    by_total = abs(torch.total - file.total) / float(np.sqrt(torch.count))
    # Norms in float32 are themselves a little off, large ones by more.
    return max(by_norm, by_total) / torch.scale * (1 - 1e-6) - 1e-5


def sorted_distance(torch: Fingerprint, file: Fingerprint) -> float:
    """Relative distance of the sorted values: the least under any permutation.

    By the rearrangement inequality.
    """
    return _distance(torch.ascending, file.ascending, torch.scale)


def _nearest(
    torch: Fingerprint, file: Fingerprint, layouts: Iterator[tuple[int, ...]], bound: float
) -> Alignment | None:
    best, flat = None, file.value.ravel()
    for order in layouts:
        error = _distance(torch.value.transpose(order).ravel(), flat, torch.scale)
        if error < bound:
            best, bound = Alignment(error, order), error
    return best


def _usual_layouts(value: np.ndarray) -> Iterator[tuple[int, ...]]:
    """As it is, and with the second axis last: NCHW to NHWC."""
    axes = tuple(range(value.ndim))
    yield axes
    if value.ndim > 2:
        yield (axes[0], *axes[2:], axes[1])


def _all_layouts(value: np.ndarray) -> Iterator[tuple[int, ...]]:
    """Every order of the axes longer than 1, the others first; the usual ones of many axes."""
    single = tuple(axis for axis, length in enumerate(value.shape) if length == 1)
    several = [axis for axis, length in enumerate(value.shape) if length > 1]
    if len(several) > _MOST_AXES:
        yield from _usual_layouts(value)
        return
    for order in permutations(several):
        yield single + order


def _distance(reference: np.ndarray, other: np.ndarray, scale: float) -> float:
    return _norm(reference - other) / scale


def _norm(value: np.ndarray) -> float:
    # A damaged file may hold numbers whose squares overflow; infinity says enough of them.
    with np.errstate(over="ignore"):
        return float(np.linalg.norm(value))
