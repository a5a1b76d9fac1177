"""Self-attention with the scale folded and query, key and value apart."""

from __future__ import annotations

from torch import Tensor, nn

from export.deployment.rewrite import Rewrite, affine_of, replace_modules, set_affine
from hierattn.models.blocks import Attention


class DeployedAttention(nn.Module):
    """:class:`hierattn.models.blocks.Attention`, written for inference."""

    def __init__(self, attention: Attention) -> None:
        super().__init__()
        self.heads = attention.heads
        self.out = attention.out
        width = attention.out.out_features
        weight, bias = affine_of(attention.qkv)
        weights, biases = list(weight.split(width)), list(bias.split(width))
        scale = (width // self.heads) ** -0.5
        weights[0], biases[0] = weights[0] * scale, biases[0] * scale
        layers = []
        for part_weight, part_bias in zip(weights, biases, strict=True):
            layer = nn.Linear(width, width).to(attention.qkv.weight)
            set_affine(layer, part_weight, part_bias)
            layers.append(layer)
        self.query, self.key, self.value = layers

    def forward(self, x: Tensor) -> Tensor:
        """[B, N, width] to the same shape."""
        tokens, width = x.shape[1:]
        shape = (-1, tokens, self.heads, width // self.heads)
        query = self.query(x).reshape(shape).transpose(1, 2)
        key = self.key(x).reshape(shape).transpose(1, 2)
        value = self.value(x).reshape(shape).transpose(1, 2)
        mixed = (query @ key.transpose(-1, -2)).softmax(dim=-1) @ value
        return self.out(mixed.transpose(1, 2).reshape(-1, tokens, width))


def _apply(root: nn.Module, image_size: int) -> None:
    replace_modules(root, Attention, lambda module: DeployedAttention(module))


SPLIT_ATTENTION = Rewrite(
    "attention", "softmax scale folded into the query; query, key and value apart", _apply
)
