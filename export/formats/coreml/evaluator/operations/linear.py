"""Products of matrices."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from export.formats.coreml.evaluator.bind import Kernel, Operation


def linear() -> Kernel:
    """x weight^T + bias, weight [outputs, inputs]."""

    def run(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return F.linear(x, weight, bias)

    return run


def matmul(transpose_x: bool = False, transpose_y: bool = False) -> Kernel:
    """Product of the last two axes, the others broadcast."""

    def run(x: Tensor, y: Tensor) -> Tensor:
        left = x.transpose(-1, -2) if transpose_x else x
        right = y.transpose(-1, -2) if transpose_y else y
        return left @ right

    return run


OPERATIONS = {"linear": Operation(linear), "matmul": Operation(matmul)}
