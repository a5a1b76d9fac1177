"""Rewrites of self-attention and its stages: tokens as the rows of one matrix."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Size, Tensor, nn

from export.passes.rewrite import Rewrite, affine_of, input_shapes, make_linear, replace_modules
from hierattn.models.blocks import PATCH, Attention, StageAttention

_NARROW_TILE = 16
"""Columns of the narrowest matrix kernel that XNNPACK and onnxruntime use at full speed."""


class RowAttention(nn.Module):
    """:class:`hierattn.models.blocks.Attention` over rows, with less arithmetic.

    The scale is in the query's weights. The key has no bias: it adds the same number to every
    score of a query, which softmax does not see. The value's bias is in the output's: the weights
    of a query sum to one.
    """

    def __init__(self, attention: Attention, tokens: int) -> None:
        super().__init__()
        self.heads, self.tokens = attention.heads, tokens
        self.width = attention.out.in_features
        like = attention.qkv.weight
        weight, bias = affine_of(attention.qkv)
        query, key, value = weight.split(self.width)
        query_bias, _, value_bias = bias.split(self.width)
        scale = (self.width // self.heads) ** -0.5
        self.query = make_linear(query * scale, query_bias * scale, like)
        self.key = make_linear(key, None, like)
        self.value = make_linear(value, None, like)
        out, out_bias = affine_of(attention.out)
        self.out = make_linear(out, out_bias + out @ value_bias, like)

    def forward(self, x: Tensor) -> Tensor:
        """Rows [sequences * tokens, width] to the same shape."""
        query, key, value = (
            layer(x).reshape(-1, self.tokens, self.heads, self.width // self.heads).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        mixed = (query @ key.transpose(-1, -2)).softmax(-1) @ value
        return self.out(mixed.transpose(1, 2).reshape(-1, self.width))


class HeadAttention(nn.Module):
    """:class:`RowAttention` with the projections of each head apart, so nothing is transposed."""

    def __init__(self, attention: RowAttention) -> None:
        super().__init__()
        self.tokens, self.width = attention.tokens, attention.width
        self.queries = _split_heads(attention.query, attention.heads)
        self.keys = _split_heads(attention.key, attention.heads)
        self.values = _split_heads(attention.value, attention.heads)
        self.out = attention.out

    def forward(self, x: Tensor) -> Tensor:
        """Rows [sequences * tokens, width] to the same shape."""
        mixed = []
        for layers in zip(self.queries, self.keys, self.values, strict=True):
            query, key, value = (
                layer(x).reshape(-1, self.tokens, layer.out_features) for layer in layers
            )
            mixed.append((query @ key.transpose(-1, -2)).softmax(-1) @ value)
        return self.out(torch.cat(mixed, dim=-1).reshape(-1, self.width))


class RowStage(nn.Module):
    """:class:`hierattn.models.blocks.StageAttention` for maps of one size, tokens as rows.

    Takes over the stage's modules under their names; one matrix of rows needs no reshaping around
    the linear layers.
    """

    def __init__(self, stage: StageAttention, shape: Size) -> None:
        super().__init__()
        self.local, self.widen, self.blocks = stage.local, stage.widen, stage.blocks
        self.norm, self.narrow, self.fuse = stage.norm, stage.narrow, stage.fuse
        self.size = (shape[-2], shape[-1])
        self.even = (_round_up(shape[-2]), _round_up(shape[-1]))
        self.width = stage.widen.out_channels
        tokens = self.even[0] * self.even[1] // PATCH**2
        replace_modules(
            self.blocks, Attention, lambda _, attention: RowAttention(attention, tokens)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, H, W] of the given size to the same shape."""
        y = self._resize(self.widen(self.local(x)), self.even)
        height, width = self.even
        rows, columns = height // PATCH, width // PATCH
        grid = y.permute(0, 2, 3, 1).reshape(-1, rows, PATCH, columns, PATCH, self.width)
        tokens = grid.permute(0, 2, 4, 1, 3, 5).reshape(-1, self.width)
        tokens = self.norm(self.blocks(tokens))
        grid = tokens.reshape(-1, PATCH, PATCH, rows, columns, self.width)
        y = grid.permute(0, 3, 1, 4, 2, 5).reshape(-1, height, width, self.width)
        y = self.narrow(self._resize(y.permute(0, 3, 1, 2), self.size))
        return self.fuse(torch.cat((x, y), dim=1))

    def _resize(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        if self.even == self.size:
            return x
        return F.interpolate(x, size, mode="bilinear", align_corners=False)


def _round_up(length: int) -> int:
    return length + length % PATCH


def _split_heads(layer: nn.Linear, heads: int) -> nn.ModuleList:
    weight, bias = affine_of(layer)
    weights = weight.chunk(heads)
    biases = [None] * heads if layer.bias is None else bias.chunk(heads)
    return nn.ModuleList(
        make_linear(head, head_bias, layer.weight)
        for head, head_bias in zip(weights, biases, strict=True)
    )


def _use_rows(root: nn.Module, image_size: int) -> None:
    shapes = input_shapes(root, image_size, StageAttention)
    replace_modules(root, StageAttention, lambda name, stage: RowStage(stage, shapes[name][0]))


def _use_heads(root: nn.Module, _: int) -> None:
    def split(_: str, attention: RowAttention) -> nn.Module:
        whole = attention.width // attention.heads % _NARROW_TILE == 0
        return HeadAttention(attention) if whole else attention

    replace_modules(root, RowAttention, split)


ROW_ATTENTION = Rewrite(
    "attention", "tokens as rows of one matrix; softmax scale, key and value bias folded", _use_rows
)
SPLIT_HEADS = Rewrite(
    "heads",
    "projections of each head apart where a head fills a matrix kernel: nothing is transposed",
    _use_heads,
    optional=True,
)
