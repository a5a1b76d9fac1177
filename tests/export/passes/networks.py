"""Networks whose norms have statistics and weights worth folding."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from hierattn.models.registry import create_model


def seasoned(name: str) -> nn.Module:
    """A network of 6 classes in evaluation mode, its norms far from what they start as."""
    torch.manual_seed(0)
    model = create_model(name, 6).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        if isinstance(module, nn.BatchNorm2d | nn.LayerNorm):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.bias, 0, 0.1)
    return model


@torch.no_grad()
def relative_error(
    found: Callable[[Tensor], Tensor], expected: Callable[[Tensor], Tensor], x: Tensor
) -> float:
    """Largest difference, relative to the largest logit."""
    right = expected(x)
    return ((found(x) - right).abs().max() / right.abs().max()).item()
