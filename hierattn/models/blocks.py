"""Building blocks of HierAttn (Dai et al., arXiv 2205.04326), as in the official code.

Every feature map is NCHW ([B, C, H, W], any floating dtype); channels_last inputs stay so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

BATCH_NORM_EPSILON = 1e-3
LAYER_NORM_EPSILON = 1e-5
PATCH = 2
HEADS = 4
CACHED_SCORES = 2**22
"""Attention scores that are worth holding at once on a CPU: 8 MiB in bfloat16."""


def round_channels(channels: float, divisor: int = 8) -> int:
    """Nearest multiple of ``divisor``, at least ``divisor``, never below 90 % of ``channels``.

    The rule of the MobileNet family (Sandler et al., arXiv 1801.04381, official code).
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


class ConvNormAct(nn.Module):
    """Convolution without bias, batch norm, and SiLU unless ``activation`` is off."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation: bool = True,
    ) -> None:
        super().__init__()
        padding = (kernel - 1) // 2
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=BATCH_NORM_EPSILON, momentum=0.1)
        self.activation = nn.SiLU() if activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, ceil(H / stride), ceil(W / stride)]."""
        return self.activation(self.norm(self.conv(x)))


class SameChannelAttention(nn.Module):
    """Gate each channel by its own global average: x * sigmoid(mean(x)). No parameters."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] to the same shape."""
        if x.requires_grad and torch.is_grad_enabled() and not torch.compiler.is_compiling():
            return _Gate.apply(x)
        return x * x.mean((2, 3), keepdim=True).sigmoid()


class _Gate(torch.autograd.Function):
    """The same gate with a backward pass that reads the map half as often.

    With s = sigmoid(mean(x)), the gradient is g * s + sum(g * x) * s * (1 - s) / (H * W); autograd
    on its own writes the second term out as a whole map.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Keep the input and its gate."""
        # The mean of a bfloat16 map would first write it out in float32.
        total = x.sum((2, 3), keepdim=True).to(torch.promote_types(x.dtype, torch.float32))
        gate = (total / (x.shape[2] * x.shape[3])).sigmoid().to(x.dtype)
        ctx.save_for_backward(x, gate)
        return x * gate

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Gradient of the input."""
        x, gate = ctx.saved_tensors
        slope = gate * (1 - gate) / (x.shape[2] * x.shape[3])
        return torch.addcmul((gradient * x).sum((2, 3), keepdim=True) * slope, gradient, gate)


class Dropout(nn.Dropout):
    """Dropout whose mask costs a quarter of torch's on a CPU: four 16-bit draws a random number.

    The probability is rounded to 1/65536.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        if not self.training or self.p == 0 or x.device.type != "cpu":
            return super().forward(x)
        draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        kept = draws.view(torch.int16)[: x.numel()].view(x.shape) >= round(self.p * 65536) - 32768
        # Scaled after masking: 1 / (1 - p) itself would be rounded to bfloat16.
        return x * kept.to(x.dtype) * (1 / (1 - self.p))


class StochasticDepth(nn.Module):
    """Drop the branch of a whole sample with ``probability``, scale the kept ones to the mean.

    Huang et al., arXiv 1603.09382. Does nothing in evaluation mode.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] to the same shape."""
        if not self.training or self.probability == 0.0:
            return x
        keep = 1.0 - self.probability
        # Drawn in float32 on x's device: the same samples are dropped with and without autocast.
        kept = torch.rand(x.shape[0], 1, 1, 1, device=x.device) < keep
        return x * kept.to(x.dtype) * (1 / keep)

    def extra_repr(self) -> str:
        """The probability, for ``print(model)``."""
        return f"probability={self.probability:.4f}"


class MBConv(nn.Module):
    """Inverted residual with same-channel attention between the depthwise and last convolution.

    The residual exists where the stride is 1 and the channels stay; ``drop_path`` is the
    probability of its stochastic depth.
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int, expand: int, drop_path: float = 0.0
    ) -> None:
        super().__init__()
        hidden = round_channels(inputs * expand)
        self.expand = ConvNormAct(inputs, hidden)
        self.depthwise = ConvNormAct(hidden, hidden, kernel=3, stride=stride, groups=hidden)
        self.gate = SameChannelAttention()
        self.project = ConvNormAct(hidden, outputs, activation=False)
        self.residual = stride == 1 and inputs == outputs
        self.drop_path = StochasticDepth(drop_path if self.residual else 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, ceil(H / stride), ceil(W / stride)]."""
        branch = self.project(self.gate(self.depthwise(self.expand(x))))
        return x + self.drop_path(branch) if self.residual else branch


class Attention(nn.Module):
    """Multi-head self-attention over tokens, one linear for query, key and value."""

    def __init__(self, width: int, heads: int = HEADS) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[B, N, width] to the same shape; scale (width / heads)^-0.5."""
        batch, tokens, width = x.shape
        split = self.qkv(x).view(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        rows = CACHED_SCORES // (self.heads * tokens * tokens)
        # The batch comes last: export traces it as a symbol, and a test of it would fix its size.
        piecewise = x.device.type == "cpu" and query.requires_grad and rows < batch
        if piecewise and not torch.compiler.is_compiling():
            # On a CPU the scores of a large batch fall out of the cache and fill the memory until
            # the backward pass; in pieces and computed again there, they cost less time, too.
            pieces = zip(*(part.split(max(1, rows)) for part in (query, key, value)), strict=True)
            mixed = torch.cat([_recomputed(_attend, *piece) for piece in pieces])
        else:
            mixed = _attend(query, key, value)
        return self.out(mixed.transpose(1, 2).reshape(batch, tokens, width))


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Softmax attention, [B, heads, N, width / heads] each.

    Written out: on a CPU the backward pass of ``scaled_dot_product_attention`` takes half of a
    training step, and on CUDA some of its kernels are not deterministic.
    """
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    return scores.softmax(dim=-1) @ value


def _recomputed(function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """Call a function without random numbers, computing it again in the backward pass."""
    return checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False)


class TransformerBlock(nn.Module):
    """Pre-norm transformer block: x += attention(LN(x)); x += mlp(LN(x))."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=LAYER_NORM_EPSILON)
        self.attention = Attention(width)
        self.mlp_norm = nn.LayerNorm(width, eps=LAYER_NORM_EPSILON)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width), Dropout(dropout)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B, N, width] to the same shape."""
        x = x + self.attention(self.attention_norm(x))
        return x + self.mlp(self.mlp_norm(x))


def unfold_patches(x: Tensor) -> Tensor:
    """[B, C, H, W], H and W even, to tokens [4B, HW/4, C].

    Tokens at the same position inside their 2x2 patch form one sequence.
    """
    batch, channels, height, width = x.shape
    rows, columns = height // PATCH, width // PATCH
    grid = x.permute(0, 2, 3, 1).reshape(batch, rows, PATCH, columns, PATCH, channels)
    return grid.permute(0, 2, 4, 1, 3, 5).reshape(batch * PATCH**2, rows * columns, channels)


def fold_patches(tokens: Tensor, height: int, width: int) -> Tensor:
    """Undo :func:`unfold_patches`: [4B, HW/4, C] to [B, C, H, W], channels_last in memory."""
    rows, columns, channels = height // PATCH, width // PATCH, tokens.shape[-1]
    grid = tokens.reshape(-1, PATCH, PATCH, rows, columns, channels).permute(0, 3, 1, 4, 2, 5)
    return grid.reshape(-1, height, width, channels).permute(0, 3, 1, 2)


class StageAttention(nn.Module):
    """Local convolutions, then attention between patches, fused with the input.

    The official ConvViTBlock, close to MobileViT's block (Mehta and Rastegari, arXiv 2110.02178),
    without a residual around it.

    Args:
        channels: channels of input and output.
        width: channels of a token.
        depth: number of transformer blocks.
        dropout: probability after each MLP.
    """

    def __init__(self, channels: int, width: int, depth: int, dropout: float) -> None:
        super().__init__()
        self.local = ConvNormAct(channels, channels, kernel=3)
        self.widen = nn.Conv2d(channels, width, 1, bias=False)
        self.blocks = nn.Sequential(*(TransformerBlock(width, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=LAYER_NORM_EPSILON)
        self.narrow = ConvNormAct(width, channels)
        self.fuse = ConvNormAct(2 * channels, channels, kernel=3)

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, H, W] to the same shape; any H and W."""
        y = self.widen(self.local(x))
        height, width = y.shape[-2:]
        even_height, even_width = height + height % PATCH, width + width % PATCH
        resized = (even_height, even_width) != (height, width)
        if resized:
            y = F.interpolate(y, (even_height, even_width), mode="bilinear", align_corners=False)
        y = fold_patches(self.norm(self.blocks(unfold_patches(y))), even_height, even_width)
        if resized:
            y = F.interpolate(y, (height, width), mode="bilinear", align_corners=False)
        return self.fuse(torch.cat((x, self.narrow(y)), dim=1))


def pooling_weights(height: int, width: int, grids: tuple[int, ...]) -> Tensor:
    """Adaptive average pooling to every grid as one float64 matrix [sum(g * g), height * width].

    Cell i of g covers the indices floor(i * n / g) up to ceil((i + 1) * n / g), as in
    ``torch.nn.AdaptiveAvgPool2d``.
    """
    rows = []
    for grid in grids:
        sides = []
        for length in (height, width):
            cell, index = torch.arange(grid).unsqueeze(1), torch.arange(length)
            last = -((-(cell + 1) * length) // grid)
            inside = ((index >= cell * length // grid) & (index < last)).double()
            sides.append(inside / inside.sum(1, keepdim=True))
        rows.append(torch.kron(sides[0], sides[1]))
    return torch.cat(rows)


class BranchAttention(nn.Module):
    """Fold stage outputs of several sizes into one 6x6 map of all their channels.

    Each stage is average-pooled to 1x1 (used twice), 3x3 and 5x5: 1 + 1 + 9 + 25 = 36 positions.
    The official code shuffles the positions in training; all that follows is pointwise and then
    a mean over positions, so the shuffle changes nothing and is left out.

    In training the pooling is a product with a constant matrix, because the backward pass of the
    adaptive pooling operator is not deterministic on CUDA.
    """

    grids = (1, 1, 3, 5)
    side = 6

    def forward(self, stages: list[Tensor]) -> Tensor:
        """Maps [B, C_i, H_i, W_i] to [B, sum of C_i, 6, 6], channels_last in memory."""
        pooled = []
        for stage in stages:
            if self.training:
                weights = pooling_weights(stage.shape[2], stage.shape[3], self.grids).to(stage)
                pooled.append(weights @ stage.permute(0, 2, 3, 1).flatten(1, 2))
            else:
                grids = [F.adaptive_avg_pool2d(stage, grid).flatten(2) for grid in self.grids]
                pooled.append(torch.cat(grids, dim=2).transpose(1, 2))
        positions = torch.cat(pooled, dim=2)
        return positions.unflatten(1, (self.side, self.side)).permute(0, 3, 1, 2)
