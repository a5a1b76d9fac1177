"""Cheaper layer norm: its affine part folded into its reader, its mean into its writers."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from export.passes.rewrite import Rewrite, affine_of, replace_modules, set_affine
from hierattn.models.blocks import StageAttention, TransformerBlock


def fold_affine(norm: nn.LayerNorm, reader: nn.Linear | nn.Conv2d) -> nn.LayerNorm:
    """Move a norm's scale and shift into its only reader; returns the norm that is left."""
    weight, bias = affine_of(reader)
    matrix = weight.flatten(1)
    scale, shift = norm.weight.detach().double(), norm.bias.detach().double()
    set_affine(reader, (matrix * scale).view_as(weight), bias + matrix @ shift)
    return nn.LayerNorm(norm.normalized_shape, norm.eps, elementwise_affine=False)


def _fold(root: nn.Module, _: int) -> None:
    for module in root.modules():
        if isinstance(module, TransformerBlock):
            module.attention_norm = fold_affine(module.attention_norm, module.attention.qkv)
            module.mlp_norm = fold_affine(module.mlp_norm, cast(nn.Linear, module.mlp[0]))
        elif isinstance(module, StageAttention):
            # At odd sizes a bilinear resize stands between the two; its weights sum to one, so a
            # shift by channel passes through.
            module.norm = fold_affine(module.norm, module.narrow.conv)


class RmsNorm(nn.Module):
    """Layer norm of vectors whose mean is zero already."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.epsilon, self.weight, self.bias = norm.eps, norm.weight, norm.bias

    def forward(self, x: Tensor) -> Tensor:
        """[..., width] to the same shape."""
        y = x * torch.rsqrt((x * x).mean(-1, keepdim=True) + self.epsilon)
        return y if self.weight is None else y * self.weight + self.bias


def centre(writer: nn.Linear | nn.Conv2d) -> None:
    """Make a layer's output have mean zero over its channels, by taking its mean away."""
    weight, bias = affine_of(writer)
    centred = None if writer.bias is None else bias - bias.mean()
    set_affine(writer, weight - weight.mean(0, keepdim=True), centred)


def _centre_stages(root: nn.Module, _: int) -> None:
    for stage in root.modules():
        if not isinstance(stage, StageAttention):
            continue
        # Every norm subtracts the mean of what it reads, and nothing else reads this stream, so
        # its mean may be anything: zero saves the subtraction (SliceGPT, arXiv 2401.15024).
        centre(stage.widen)
        for block in stage.blocks:
            if isinstance(block, TransformerBlock):
                centre(block.attention.out)
                centre(cast(nn.Linear, block.mlp[2]))
        replace_modules(stage, nn.LayerNorm, lambda _, norm: RmsNorm(norm))


FOLD_LAYER_NORM = Rewrite(
    "layer norm", "its scale and shift by channel: folded into the linear layer after", _fold
)
CENTRE_STREAM = Rewrite(
    "rms norm",
    "mean of the residual stream taken away by its writers: LiteRT has no layer norm",
    _centre_stages,
    optional=True,
)
