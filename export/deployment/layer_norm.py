"""Layer norm's scale and shift into the linear layer that reads it."""

from __future__ import annotations

from torch import nn

from export.deployment.rewrite import Rewrite, affine_of, set_affine
from hierattn.models.blocks import StageAttention, TransformerBlock


def fold_affine(norm: nn.LayerNorm, reader: nn.Linear | nn.Conv2d) -> nn.LayerNorm:
    """Move a norm's affine part into its only reader; the norm that is left."""
    weight, bias = affine_of(reader)
    scale, shift = norm.weight.detach().double(), norm.bias.detach().double()
    flat = weight.flatten(1)
    set_affine(reader, (flat * scale).view_as(weight), bias + flat @ shift)
    return nn.LayerNorm(norm.normalized_shape, norm.eps, elementwise_affine=False)


def _apply(root: nn.Module, image_size: int) -> None:
    for module in root.modules():
        if isinstance(module, TransformerBlock):
            module.attention_norm = fold_affine(module.attention_norm, module.attention.qkv)
            module.mlp_norm = fold_affine(module.mlp_norm, module.mlp[0])
        if isinstance(module, StageAttention):
            # The bilinear resize between the two, at odd sizes, keeps a shift by channel as it is.
            module.norm = fold_affine(module.norm, module.narrow.conv)


FOLD_LAYER_NORM = Rewrite(
    "layer norm", "its scale and shift by channel: folded into the linear layer after", _apply
)
