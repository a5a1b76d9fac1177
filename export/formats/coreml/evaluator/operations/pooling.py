"""Pooling by windows over two spatial axes."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional as F

from export.formats.coreml.evaluator.bind import Kernel, Operation, ValueRefusedError
from export.formats.coreml.evaluator.operations.convolution import pair, sides


def max_pool(
    kernel_sizes: tuple[int, ...],
    pad_type: str,
    strides: tuple[int, ...] = (1, 1),
    pad: tuple[int, ...] = (0, 0, 0, 0),
    ceil_mode: bool = False,
) -> Kernel:
    """Largest value of each window; padding never wins."""
    top, bottom, left, right = sides(pad_type, pad)
    size, step = pair("kernel_sizes", kernel_sizes), pair("strides", strides)
    if ceil_mode:
        raise ValueRefusedError("ceil_mode", ceil_mode)

    def run(x: Tensor) -> Tensor:
        padded = F.pad(x, (left, right, top, bottom), value=-math.inf) if any(pad) else x
        return F.max_pool2d(padded, size, step)

    return run


def avg_pool(
    kernel_sizes: tuple[int, ...],
    pad_type: str,
    strides: tuple[int, ...] = (1, 1),
    pad: tuple[int, ...] = (0, 0, 0, 0),
    exclude_padding_from_average: bool = False,
    ceil_mode: bool = False,
) -> Kernel:
    """Mean of each window; zeros of the padding are counted."""
    top, bottom, left, right = sides(pad_type, pad)
    size, step = pair("kernel_sizes", kernel_sizes), pair("strides", strides)
    if ceil_mode:
        raise ValueRefusedError("ceil_mode", ceil_mode)
    if exclude_padding_from_average and any(pad):
        raise ValueRefusedError("exclude_padding_from_average", exclude_padding_from_average)

    def run(x: Tensor) -> Tensor:
        return F.avg_pool2d(F.pad(x, (left, right, top, bottom)), size, step)

    return run


OPERATIONS = {"avg_pool": Operation(avg_pool), "max_pool": Operation(max_pool, exact=True)}
