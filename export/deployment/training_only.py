"""Remove what only training needs: dropout of every kind."""

from __future__ import annotations

from torch import nn

from export.deployment.rewrite import Rewrite, replace_modules

_DROPPING = ("StochasticDepth", "DropPath")
"""Class names in torchvision, timm and HierAttn; each is the identity in evaluation mode."""


def _apply(root: nn.Module, image_size: int) -> None:
    named = {type(module) for module in root.modules() if type(module).__name__ in _DROPPING}
    kinds = (nn.modules.dropout._DropoutNd, *named)
    replace_modules(root, kinds, lambda _: nn.Identity())


REMOVE_TRAINING_ONLY = Rewrite(
    "training only", "dropout and stochastic depth do nothing in evaluation: removed", _apply
)
