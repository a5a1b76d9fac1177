"""The :class:`Rewrite` type, and functions that all rewrites share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Size, Tensor, nn

ModuleKind = TypeVar("ModuleKind", bound=nn.Module)


ANY = "any"
"""Target of a graph for every format."""


@dataclass(frozen=True)
class Rewrite:
    """One exact change of a network in evaluation mode.

    Attributes:
        name: short, for listings.
        purpose: one line that says what it does and why.
        apply: changes the given network in place, for square inputs of the given side in pixels;
            leaves unknown modules unchanged.
        optional: for formats alone whose abilities name it; elsewhere it would be as exact, but
            slower.
    """

    name: str
    purpose: str
    apply: Callable[[nn.Module, int], None]
    optional: bool = False


def replace_modules(
    root: nn.Module, kind: type[ModuleKind], build: Callable[[str, ModuleKind], nn.Module]
) -> None:
    """Replace every module of a kind below ``root`` by ``build(name, module)``."""
    found = [(name, module) for name, module in root.named_modules() if isinstance(module, kind)]
    for name, module in found:
        if name:
            root.set_submodule(name, build(name, module))


@torch.no_grad()
def run_once(root: nn.Module, image_size: int) -> None:
    """Run a network on one black image, for its hooks."""
    weight = next(root.parameters())
    root(weight.new_zeros(1, 3, image_size, image_size))


def input_shapes(
    root: nn.Module, image_size: int, kind: type[nn.Module] | tuple[type[nn.Module], ...]
) -> dict[str, tuple[Size, ...]]:
    """Shapes of the tensors that each module of some kinds is given, by the module's name."""
    shapes: dict[str, tuple[Size, ...]] = {}
    handles = []
    for name, module in root.named_modules():
        if isinstance(module, kind):

            def hook(_: nn.Module, inputs: tuple[Any, ...], name: str = name) -> None:
                tensors = inputs[0] if isinstance(inputs[0], list) else inputs
                shapes[name] = tuple(tensor.shape for tensor in tensors)

            handles.append(module.register_forward_pre_hook(hook))
    if not handles:
        return shapes
    try:
        run_once(root, image_size)
    finally:
        for handle in handles:
            handle.remove()
    return shapes


def affine_of(layer: nn.Linear | nn.Conv2d) -> tuple[Tensor, Tensor]:
    """Weight and bias (zeros if there is none) in float64, so that folding rounds only once."""
    weight = layer.weight.detach().double()
    if layer.bias is None:
        return weight, weight.new_zeros(weight.shape[0])
    return weight, layer.bias.detach().double()


def set_affine(layer: nn.Linear | nn.Conv2d, weight: Tensor, bias: Tensor | None) -> None:
    """Give a layer new float64 weights, rounded to the dtype it has."""
    like = layer.weight
    layer.weight = nn.Parameter(weight.to(like), requires_grad=False)
    layer.bias = None if bias is None else nn.Parameter(bias.to(like), requires_grad=False)


def make_linear(weight: Tensor, bias: Tensor | None, like: Tensor) -> nn.Linear:
    """A linear layer of float64 weights, in the dtype and on the device of ``like``."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    layer.weight = nn.Parameter(like, requires_grad=False)
    set_affine(layer, weight, bias)
    return layer
