"""Adaptive pooling as a product with a constant matrix."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.deployment.rewrite import Rewrite, replace_modules
from hierattn.models.blocks import BranchAttention, pooling_weights
from hierattn.models.hierattn import HierAttn

_STRIDES = (8, 16, 32)


class DeployedBranchAttention(nn.Module):
    """:class:`hierattn.models.blocks.BranchAttention` for stage maps of known sizes."""

    def __init__(self, branch: BranchAttention, sizes: list[int], dtype: torch.dtype) -> None:
        super().__init__()
        self.side = branch.side
        self.sizes = sizes
        for size in sorted(set(sizes)):
            weights = pooling_weights(size, size, branch.grids).to(dtype)
            self.register_buffer(f"pool{size}", weights.T.contiguous(), persistent=False)

    def forward(self, stages: list[Tensor]) -> Tensor:
        """Maps [B, C_i, S_i, S_i] to [B, sum of C_i, 6, 6]."""
        pooled = [
            stage.flatten(2) @ getattr(self, f"pool{size}")
            for stage, size in zip(stages, self.sizes, strict=True)
        ]
        return torch.cat(pooled, dim=1).unflatten(2, (self.side, self.side))


def _apply(root: nn.Module, image_size: int) -> None:
    if not isinstance(root, HierAttn):
        return
    sizes = [-(-image_size // stride) for stride in _STRIDES]
    dtype = root.classifier.weight.dtype
    replace_modules(
        root, BranchAttention, lambda module: DeployedBranchAttention(module, sizes, dtype)
    )


POOL_BY_MATRIX = Rewrite(
    "pooling", "adaptive pooling to 1, 3 and 5 cells: a product with a constant matrix", _apply
)
