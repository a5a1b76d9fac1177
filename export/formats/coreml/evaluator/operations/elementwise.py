"""Arithmetic element by element, with broadcasting, and casts."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from export.formats.coreml.evaluator.bind import Kernel, Operation, ValueRefusedError
from export.formats.coreml.evaluator.program import round_to_half


def unary(function: Callable[[Tensor], Tensor]) -> Callable[[], Kernel]:
    """Handler of a function of one tensor without settings."""

    def build() -> Kernel:
        def run(x: Tensor) -> Tensor:
            return function(x)

        return run

    return build


def binary(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[], Kernel]:
    """Handler of a function of two tensors that broadcast as in numpy."""

    def build() -> Kernel:
        def run(x: Tensor, y: Tensor) -> Tensor:
            return function(x, y)

        return run

    return build


def clip(alpha: float, beta: float) -> Kernel:
    """min(max(x, alpha), beta)."""

    def run(x: Tensor) -> Tensor:
        return x.clamp(alpha, beta)

    return run


def rsqrt(epsilon: float = 1e-12) -> Kernel:
    """1 / sqrt(x + epsilon)."""

    def run(x: Tensor) -> Tensor:
        return torch.rsqrt(x + epsilon)

    return run


def cast(dtype: str) -> Kernel:
    """Between single and half precision; half is kept as rounded float32."""
    if dtype not in ("fp16", "fp32"):
        raise ValueRefusedError("dtype", dtype)

    def run(x: Tensor) -> Tensor:
        return round_to_half(x) if dtype == "fp16" else x

    return run


OPERATIONS = {
    "abs": Operation(unary(torch.abs), exact=True),
    "add": Operation(binary(torch.add)),
    "cast": Operation(cast, exact=True),
    "clip": Operation(clip, exact=True),
    "exp": Operation(unary(torch.exp)),
    "maximum": Operation(binary(torch.maximum), exact=True),
    "minimum": Operation(binary(torch.minimum), exact=True),
    "mul": Operation(binary(torch.mul)),
    "pow": Operation(binary(torch.pow)),
    "real_div": Operation(binary(torch.div)),
    "rsqrt": Operation(rsqrt),
    "sqrt": Operation(unary(torch.sqrt)),
    "square": Operation(unary(torch.square)),
    "sub": Operation(binary(torch.sub)),
}
