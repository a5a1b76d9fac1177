"""Convolutions over two spatial axes."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from export.formats.coreml.evaluator.bind import Kernel, Operation, ValueRefusedError


def sides(pad_type: str, pad: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Padding [top, bottom, left, right] of a window of two axes.

    ``same`` and ``same_lower`` are refused: the documented formula and the one of the converters
    part where the stride is not 1.
    """
    if pad_type not in ("valid", "custom"):
        raise ValueRefusedError("pad_type", pad_type)
    if len(pad) != 4 or min(pad) < 0 or (pad_type == "valid" and any(pad)):
        raise ValueRefusedError("pad", list(pad))
    top, bottom, left, right = pad
    return top, bottom, left, right


def pair(argument: str, value: tuple[int, ...]) -> tuple[int, int]:
    """A setting of both spatial axes, each at least 1."""
    if len(value) != 2 or min(value) < 1:
        raise ValueRefusedError(argument, list(value))
    return value[0], value[1]


def conv(
    strides: tuple[int, ...] = (1, 1),
    pad_type: str = "valid",
    pad: tuple[int, ...] = (0, 0, 0, 0),
    dilations: tuple[int, ...] = (1, 1),
    groups: int = 1,
) -> Kernel:
    """Cross-correlation of [N, C, H, W] with [O, C / groups, kH, kW]."""
    top, bottom, left, right = sides(pad_type, pad)
    step, spread = pair("strides", strides), pair("dilations", dilations)
    even = top == bottom and left == right
    inside = (top, left) if even else (0, 0)

    def run(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        padded = x if even else F.pad(x, (left, right, top, bottom))
        return F.conv2d(padded, weight, bias, step, inside, spread, groups)

    return run


OPERATIONS = {"conv": Operation(conv)}
