"""The size of a model: trainable parameters and multiply-adds."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hierattn.models.blocks import BranchAttention


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
    shapes: list[torch.Size] = []
    for part in shadow.modules():
        if isinstance(part, BranchAttention):
            part.register_forward_pre_hook(
                lambda _, inputs: shapes.extend(stage.shape for stage in inputs[0])
            )
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        shadow(torch.zeros(1, 3, image_size, image_size, device="meta"))
    # BranchAttention pools by a matrix product, which the counter takes for arithmetic.
    positions = BranchAttention.side**2
    pooled = sum(positions * shape.numel() for shape in shapes)
    return int(counter.get_total_flops()) // 2 - pooled
