"""Exponential moving average of weights and buffers."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class WeightAverage:
    """A copy of a model that follows it, a step at a time, without waiting for the device.

    Args:
        model: what to follow; copied.
        decay: largest decay. After n updates it is min(decay, (1 + n) / (10 + n)), so that the
            random start is soon forgotten (the rule of TensorFlow's ExponentialMovingAverage).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(model).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, updates: int) -> None:
        """Move towards ``model``, given how many updates came before; integers are copied."""
        weight = 1.0 - min(self.decay, (1.0 + updates) / (10.0 + updates))
        means: list[Tensor] = []
        currents: list[Tensor] = []
        pairs = zip(self.module.state_dict().values(), model.state_dict().values(), strict=True)
        for mean, current in pairs:
            if mean.is_floating_point():
                means.append(mean)
                currents.append(current)
            else:
                mean.copy_(current)
        torch._foreach_lerp_(means, currents, weight)
