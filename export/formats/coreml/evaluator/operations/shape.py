"""Operations that move numbers and leave them as they are."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from export.formats.coreml.evaluator.bind import Kernel, Operation, ValueRefusedError


def reshape(shape: tuple[int, ...]) -> Kernel:
    """Row-major reshape; one side may be -1. A side of 0, which inherits, is refused."""
    if any(side == 0 or side < -1 for side in shape):
        raise ValueRefusedError("shape", list(shape))

    def run(x: Tensor) -> Tensor:
        return x.reshape(shape)

    return run


def transpose(perm: tuple[int, ...]) -> Kernel:
    """Permute the axes."""

    def run(x: Tensor) -> Tensor:
        return x.permute(perm)

    return run


def squeeze(axes: tuple[int, ...] = ()) -> Kernel:
    """Remove axes of length 1: the given ones, or all."""

    def run(x: Tensor) -> Tensor:
        if not axes:
            return x.squeeze()
        if any(x.shape[axis] != 1 for axis in axes):
            raise ValueError("an axis to remove is longer than 1")
        return x.squeeze(axes)

    return run


def expand_dims(axes: tuple[int, ...]) -> Kernel:
    """Insert axes of length 1; positions count in the result."""

    def run(x: Tensor) -> Tensor:
        rank = x.ndim + len(axes)
        for axis in sorted(axis % rank for axis in axes):
            x = x.unsqueeze(axis)
        return x

    return run


def concat(axis: int, interleave: bool = False) -> Kernel:
    """Join along an axis, one after the other or taking turns element by element.

    Converters write a channel shuffle as an interleaved concatenation.
    """

    def run(values: list[Tensor]) -> Tensor:
        if not interleave:
            return torch.cat(values, axis)
        place = axis % values[0].ndim
        return torch.stack(values, place + 1).flatten(place, place + 1)

    return run


def pad(pad: tuple[int, ...], mode: str = "constant", constant_val: float = 0.0) -> Kernel:
    """Surround the last axes with a constant: numbers before and after, the first of them first."""
    if mode != "constant":
        raise ValueRefusedError("mode", mode)
    if len(pad) % 2 or any(side < 0 for side in pad):
        raise ValueRefusedError("pad", list(pad))
    # torch counts from the last axis.
    sides = [side for end in range(len(pad), 0, -2) for side in pad[end - 2 : end]]

    def run(x: Tensor) -> Tensor:
        return F.pad(x, sides, value=constant_val)

    return run


def stack(axis: int) -> Kernel:
    """Join along a new axis."""

    def run(values: list[Tensor]) -> Tensor:
        return torch.stack(values, axis)

    return run


def split(axis: int, num_splits: int = 0, split_sizes: tuple[int, ...] = ()) -> Kernel:
    """Cut along an axis into equal parts, or into parts of given sizes."""
    if num_splits < 0 or (num_splits == 0 and not split_sizes):
        raise ValueRefusedError("num_splits", num_splits)

    def run(x: Tensor) -> tuple[Tensor, ...]:
        length = x.shape[axis]
        sizes = list(split_sizes) or [length // num_splits] * num_splits
        if num_splits not in (0, len(sizes)) or sum(sizes) != length:
            raise ValueError("the parts do not add up")
        return tuple(x.split(sizes, axis))

    return run


def slice_by_index(
    begin: tuple[int, ...],
    end: tuple[int, ...],
    stride: tuple[int, ...] = (),
    begin_mask: tuple[bool, ...] = (),
    end_mask: tuple[bool, ...] = (),
    squeeze_mask: tuple[bool, ...] = (),
) -> Kernel:
    """x[begin:end:stride] on every axis; a mask ignores the bound, or takes one index."""
    rank = len(begin)
    steps = stride or (1,) * rank
    if min(steps) < 1:
        raise ValueRefusedError("stride", list(steps))
    opened = begin_mask or (False,) * rank
    closed = end_mask or (False,) * rank
    single = squeeze_mask or (False,) * rank
    if {len(part) for part in (end, steps, opened, closed, single)} != {rank}:
        raise ValueRefusedError("begin", list(begin))
    key: tuple[int | slice, ...] = tuple(
        begin[i]
        if single[i]
        else slice(None if opened[i] else begin[i], None if closed[i] else end[i], steps[i])
        for i in range(rank)
    )

    def run(x: Tensor) -> Tensor:
        if x.ndim != rank:
            raise ValueError(f"bounds of {rank} axes for a tensor of {x.ndim}")
        return x[key]

    return run


OPERATIONS = {
    "concat": Operation(concat, exact=True),
    "expand_dims": Operation(expand_dims, exact=True),
    "pad": Operation(pad, exact=True),
    "reshape": Operation(reshape, exact=True),
    "slice_by_index": Operation(slice_by_index, exact=True),
    "split": Operation(split, exact=True),
    "squeeze": Operation(squeeze, exact=True),
    "stack": Operation(stack, exact=True),
    "transpose": Operation(transpose, exact=True),
}
