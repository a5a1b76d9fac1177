"""Removal of training-only modules: dropout of every kind."""

from __future__ import annotations

from torch import nn

from export.passes.rewrite import Rewrite, replace_modules

_DROPPING = ("StochasticDepth", "DropPath")
"""Class names in HierAttn, torchvision and timm; each does nothing in evaluation mode."""


def _remove(root: nn.Module, _: int) -> None:
    replace_modules(root, nn.modules.dropout._DropoutNd, lambda *_: nn.Identity())
    for kind in {type(module) for module in root.modules()}:
        if kind.__name__ in _DROPPING:
            replace_modules(root, kind, lambda *_: nn.Identity())


REMOVE_TRAINING_ONLY = Rewrite(
    "training only", "dropout and stochastic depth do nothing in evaluation: removed", _remove
)
