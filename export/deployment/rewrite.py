"""What a rewrite of a network is, and the two tools all of them use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Rewrite:
    """One exact change of a network in evaluation mode.

    Attributes:
        name: short, for listings.
        purpose: one line that says what it does and why.
        apply: changes the given network in place, for square inputs of the given side in pixels.
            What it does not know it leaves alone.
    """

    name: str
    purpose: str
    apply: Callable[[nn.Module, int], None]


def replace_modules(
    root: nn.Module, kinds: type[nn.Module] | tuple[type[nn.Module], ...],
    build: Callable[[nn.Module], nn.Module],
) -> None:
    """Put ``build(module)`` in the place of every module of some kinds, under the same name."""
    for parent in list(root.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, kinds):
                setattr(parent, name, build(child))


@torch.no_grad()
def set_affine(layer: nn.Linear | nn.Conv2d, weight: Tensor, bias: Tensor) -> None:
    """Give a layer new float64 weights, rounded once to the dtype it has."""
    layer.weight = nn.Parameter(weight.to(layer.weight), requires_grad=False)
    layer.bias = nn.Parameter(bias.to(layer.weight), requires_grad=False)


def affine_of(layer: nn.Linear | nn.Conv2d) -> tuple[Tensor, Tensor]:
    """Weight and bias (zeros if there is none) in float64, so that folding rounds once."""
    weight = layer.weight.detach().double()
    if layer.bias is None:
        return weight, weight.new_zeros(weight.shape[0])
    return weight, layer.bias.detach().double()
