"""The size of a model: trainable parameters and multiply-adds."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def count_parameters(model: nn.Module) -> int:
    """Number of parameters; batch-norm statistics are buffers and not counted."""
    return sum(parameter.numel() for parameter in model.parameters())


def count_multiply_adds(model: nn.Module, image_size: int) -> int:
    """Multiply-adds of one image [1, 3, S, S] in evaluation mode.

    Counted: convolutions, linear layers, and the two products of attention (query with key,
    scores with value). Not counted: norms, activations, softmax, pooling, additions. The model is
    not changed and nothing is computed: shapes run through a copy without memory.
    """
    shadow = copy.deepcopy(model).to("meta").eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        shadow(torch.zeros(1, 3, image_size, image_size, device="meta"))
    return int(counter.get_total_flops()) // 2
