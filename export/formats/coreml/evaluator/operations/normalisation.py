"""Normalisation with statistics of the input itself."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from export.formats.coreml.evaluator.bind import Kernel, Operation, ValueRefusedError


def layer_norm(axes: tuple[int, ...], epsilon: float = 1e-5) -> Kernel:
    """gamma (x - mean) / sqrt(variance + epsilon) + beta over the last axes, biased variance.

    The default of ``axes`` is every axis; since no converter leaves it out, it must be given.
    """
    if not axes or tuple(axes) not in (tuple(range(-len(axes), 0)), _last(axes)):
        raise ValueRefusedError("axes", list(axes))

    def run(x: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None) -> Tensor:
        if axes[-1] not in (-1, x.ndim - 1):
            raise ValueError(f"axes {list(axes)} are not the last of {x.ndim}")
        return F.layer_norm(x, x.shape[-len(axes) :], gamma, beta, epsilon)

    return run


def _last(axes: tuple[int, ...]) -> tuple[int, ...]:
    """Consecutive axes that end where the given ones end, counted from the front."""
    return tuple(range(axes[-1] - len(axes) + 1, axes[-1] + 1)) if axes[0] >= 0 else ()


OPERATIONS = {"layer_norm": Operation(layer_norm)}
