"""Exponential moving average of weights and buffers, through torch's own averaged model."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """A copy of ``model`` that ``update_parameters`` moves towards it.

    The decay is min(decay, (1 + n) / (10 + n)) after n updates, so that the first epochs are not
    held back by the random start (the rule of TensorFlow's ExponentialMovingAverage).
    """

    def average(mean: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
        if not mean.is_floating_point():
            return current
        count = float(updates)
        return mean.lerp(current, 1.0 - min(decay, (1.0 + count) / (10.0 + count)))

    return AveragedModel(model, avg_fn=average, use_buffers=True)
