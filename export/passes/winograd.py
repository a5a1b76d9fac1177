"""Rewrite of 3x3 convolutions by Winograd's minimal filtering F(2x2, 3x3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.passes.attention import RowStage
from export.passes.rewrite import Rewrite, affine_of, input_shapes, make_linear, replace_modules
from hierattn.models.blocks import StageAttention

# Of two outputs of three taps (Lavin and Gray, arXiv 1509.09308); one row a product.
_INPUTS = ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1))
_KERNEL = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))
_PRODUCTS = range(len(_KERNEL))
_DOWN, _ACROSS = (4, 1), (1, 4)

LEAST_PRODUCTS = 15_000_000
"""Multiply-adds from which on a convolution is rewritten: each of the some 60 operators that take
its place is a meeting of the threads, and smaller ones were slower on two."""


class WinogradConvolution(nn.Module):
    """A 3x3 convolution of stride 1 and padding 1 with 4/9 of its multiplications.

    Each 2x2 outputs are made of 4x4 inputs. The sums of inputs that the method multiplies are
    depthwise convolutions of stride 2, first down, then across; 16 linear layers are the products,
    and sums of those the outputs.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        weight, bias = affine_of(convolution)
        like = convolution.weight
        self.channels = convolution.out_channels
        self.down = _input_sums(convolution.in_channels, _DOWN, like)
        self.across = _input_sums(convolution.in_channels, _ACROSS, like)
        side = weight.new_tensor(_KERNEL)
        parts = torch.einsum("ih,ochw,jw->ijoc", side, weight, side)
        # This product is in every output once, so it brings the bias.
        biases = {(1, 1): bias} if convolution.bias is not None else {}
        self.products = nn.ModuleList(
            make_linear(parts[i, j], biases.get((i, j)), like) for i in _PRODUCTS for j in _PRODUCTS
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, H, W]."""
        height, width = x.shape[-2:]
        down, right = height % 2, width % 2
        if down or right:
            x = F.pad(x, (0, right, 0, down))
        rows = [make(x) for make in self.down]
        inputs = (make(row).permute(0, 2, 3, 1) for row in rows for make in self.across)
        made = [product(sums) for product, sums in zip(self.products, inputs, strict=True)]
        columns = [_two_outputs(*made[j :: len(_PRODUCTS)]) for j in _PRODUCTS]
        # Side by side in memory, so that to interleave them is to join them.
        lines = [torch.cat(_two_outputs(*line), 3) for line in zip(*columns, strict=True)]
        lines = [line.flatten(2).unsqueeze(2) for line in lines]
        y = torch.cat(lines, 2).reshape(-1, height + down, width + right, self.channels)
        y = y.permute(0, 3, 1, 2)
        return y[:, :, :height, :width] if down or right else y


def _input_sums(channels: int, kernel: tuple[int, int], like: Tensor) -> nn.ModuleList:
    """One depthwise convolution a row of the input's matrix, along one side."""
    stride, padding = ((2, 1), (1, 0)) if kernel == _DOWN else ((1, 2), (0, 1))
    layers = nn.ModuleList()
    for taps in _INPUTS:
        layer = nn.Conv2d(channels, channels, kernel, stride, padding, groups=channels, bias=False)
        weight = like.new_tensor(taps).view(1, 1, *kernel).repeat(channels, 1, 1, 1)
        layer.weight = nn.Parameter(weight, requires_grad=False)
        layers.append(layer)
    return layers


def _two_outputs(first: Tensor, second: Tensor, third: Tensor, fourth: Tensor) -> list[Tensor]:
    """Both outputs of one side, of its four products."""
    return [first + (second + third), (second - third) - fourth]


def _is_suited(layer: nn.Conv2d) -> bool:
    sizes = layer.kernel_size, layer.stride, layer.padding, layer.dilation
    return (
        type(layer) is nn.Conv2d
        and sizes == ((3, 3), (1, 1), (1, 1), (1, 1))
        and layer.groups == 1
        and layer.padding_mode == "zeros"
    )


def _use_winograd(root: nn.Module, image_size: int) -> None:
    # Other networks' convolutions would be as exact, but nobody has timed them.
    shapes = input_shapes(root, image_size, (StageAttention, RowStage))

    def use(name: str, stage: nn.Module) -> nn.Module:
        pixels = shapes[name][0][-2:].numel()

        def build(_: str, layer: nn.Conv2d) -> nn.Module:
            large = layer.weight.numel() * pixels >= LEAST_PRODUCTS
            return WinogradConvolution(layer) if large and _is_suited(layer) else layer

        replace_modules(stage, nn.Conv2d, build)
        return stage

    for kind in (StageAttention, RowStage):
        replace_modules(root, kind, use)


WINOGRAD = Rewrite(
    "winograd",
    "large 3x3 convolutions of the stages by Winograd's F(2x2, 3x3): 4/9 of the multiplications",
    _use_winograd,
    optional=True,
)
