"""Convolutions whose output channels do not fill the last tile of the kernel."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.deployment.rewrite import Rewrite, Target, affine_of, replace_modules, set_affine

WIDE, NARROW = 32, 16
"""Output channels that XNNPACK's AVX-512 convolution computes at a time; it has one kernel of
either width, but uses the narrow one only if no more channels are asked for. On ARM the tile is 8
and the split neither helps nor costs much."""


class TiledConv2d(nn.Module):
    """A convolution in two: the channels that fill wide tiles, and the few that are left."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        left = convolution.out_channels % WIDE
        weight, bias = affine_of(convolution)
        sizes = [convolution.out_channels - left, left]
        self.parts = nn.ModuleList()
        for part, part_bias in zip(weight.split(sizes), bias.split(sizes), strict=True):
            layer = nn.Conv2d(
                convolution.in_channels,
                len(part),
                convolution.kernel_size,  # type: ignore[arg-type]
                convolution.stride,  # type: ignore[arg-type]
                convolution.padding,  # type: ignore[arg-type]
                convolution.dilation,  # type: ignore[arg-type]
            ).to(convolution.weight)
            set_affine(layer, part, part_bias)
            self.parts.append(layer)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, H', W']."""
        return torch.cat([part(x) for part in self.parts], dim=1)


def _tile(root: nn.Module, _: int) -> None:
    def split(_: str, layer: nn.Conv2d) -> nn.Module:
        spatial = max(layer.kernel_size) > 1 and layer.groups == 1
        wasteful = layer.out_channels > WIDE and 0 < layer.out_channels % WIDE <= NARROW
        return TiledConv2d(layer) if spatial and wasteful else layer

    replace_modules(root, nn.Conv2d, split)


SPLIT_TILES = Rewrite(
    "tiles",
    "a convolution of 48 or 80 channels as 32 + 16 or 64 + 16, the widths XNNPACK has kernels for",
    _tile,
    frozenset({Target.TFLITE}),
)
