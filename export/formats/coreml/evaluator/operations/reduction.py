"""Reductions along axes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from export.formats.coreml.evaluator.bind import Kernel, Operation


def reduction(function: Callable[[Tensor, tuple[int, ...], bool], Tensor]) -> Callable[..., Kernel]:
    """Handler of a reduction; without axes it reduces all of them."""

    def build(axes: tuple[int, ...] = (), keep_dims: bool = False) -> Kernel:
        def run(x: Tensor) -> Tensor:
            return function(x, axes or tuple(range(x.ndim)), keep_dims)

        return run

    return build


OPERATIONS = {
    "reduce_max": Operation(reduction(torch.amax), exact=True),
    "reduce_mean": Operation(reduction(torch.mean)),
    "reduce_min": Operation(reduction(torch.amin), exact=True),
    "reduce_sum": Operation(reduction(torch.sum)),
}
