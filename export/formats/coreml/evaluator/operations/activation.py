"""Activation functions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from export.formats.coreml.evaluator.bind import Kernel, Operation, ValueRefusedError
from export.formats.coreml.evaluator.operations.elementwise import unary


def gelu(mode: str = "EXACT") -> Kernel:
    """Gaussian error linear unit: by erf, or one of two approximations."""
    if mode not in ("EXACT", "TANH_APPROXIMATION", "SIGMOID_APPROXIMATION"):
        raise ValueRefusedError("mode", mode)

    def run(x: Tensor) -> Tensor:
        if mode == "SIGMOID_APPROXIMATION":
            return x * torch.sigmoid(1.702 * x)
        return F.gelu(x, approximate="none" if mode == "EXACT" else "tanh")

    return run


def sigmoid_hard(alpha: float, beta: float) -> Kernel:
    """min(max(alpha x + beta, 0), 1)."""

    def run(x: Tensor) -> Tensor:
        return (alpha * x + beta).clamp(0, 1)

    return run


def thresholded_relu(alpha: float) -> Kernel:
    """x where x >= alpha, else 0."""

    def run(x: Tensor) -> Tensor:
        return torch.where(x >= alpha, x, 0.0)

    return run


def softmax(axis: int = -1) -> Kernel:
    """exp(x) / sum(exp(x)) along an axis."""

    def run(x: Tensor) -> Tensor:
        return x.softmax(axis)

    return run


OPERATIONS = {
    "gelu": Operation(gelu),
    "relu": Operation(unary(torch.relu), exact=True),
    "relu6": Operation(unary(F.relu6), exact=True),
    "sigmoid": Operation(unary(torch.sigmoid)),
    "sigmoid_hard": Operation(sigmoid_hard),
    "silu": Operation(unary(F.silu)),
    "softmax": Operation(softmax),
    "tanh": Operation(unary(torch.tanh)),
    "thresholded_relu": Operation(thresholded_relu, exact=True),
}
