"""Batch norm into the convolution before it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.deployment.rewrite import Rewrite, affine_of, set_affine


def fold_batch_norm(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """Make a convolution compute ``norm(convolution(x))``, with the norm's running statistics."""
    weight, bias = affine_of(convolution)
    assert norm.running_var is not None and norm.running_mean is not None
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    shift = norm.bias.double() - norm.running_mean.double() * scale
    set_affine(convolution, weight * scale[:, None, None, None], bias * scale + shift)


@torch.no_grad()
def find_pairs(root: nn.Module, image_size: int) -> list[tuple[str, str]]:
    """Names of every convolution and batch norm that reads its very output, found in one run."""
    outputs: list[tuple[Tensor, str]] = []
    pairs: list[tuple[str, str]] = []
    handles = []

    def remember(name: str) -> None:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if isinstance(module, nn.Conv2d):
                outputs.append((output, name))
                return
            for made, maker in outputs:
                if made is inputs[0]:
                    pairs.append((maker, name))

        handles.append(modules[name].register_forward_hook(hook))

    modules = dict(root.named_modules())
    for name, module in modules.items():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
            remember(name)
    try:
        weight = next(root.parameters())
        root(weight.new_zeros(1, 3, image_size, image_size))
    finally:
        for handle in handles:
            handle.remove()
    return pairs


def _apply(root: nn.Module, image_size: int) -> None:
    for maker, name in find_pairs(root, image_size):
        norm = root.get_submodule(name)
        fold_batch_norm(root.get_submodule(maker), norm)
        # timm's batch norm brings its activation along.
        rest = getattr(norm, "act", nn.Identity())
        root.set_submodule(name, rest)


FOLD_BATCH_NORM = Rewrite(
    "batch norm", "a fixed scale and shift by channel: folded into the convolution before", _apply
)
