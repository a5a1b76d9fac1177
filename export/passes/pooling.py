"""Rewrites of pooling as products with constant matrices."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Size, Tensor, nn

from export.passes.rewrite import Rewrite, input_shapes, replace_modules
from hierattn.models.blocks import BranchAttention, SameChannelAttention, pooling_weights


class MatrixPooling(nn.Module):
    """:class:`hierattn.models.blocks.BranchAttention` for square stage maps of known sides.

    Average pooling is separable: the columns of all grids first, then their rows. The products
    give every combination of grids; those of a grid with itself are kept.
    """

    def __init__(self, branch: BranchAttention, sides: list[int], like: Tensor) -> None:
        super().__init__()
        self.side = branch.side
        self.count = len(sides)
        distinct = sorted(set(branch.grids))
        starts = dict(zip(distinct, torch.tensor([0, *distinct]).cumsum(0).tolist(), strict=False))
        self.spans = [(starts[grid], starts[grid] + grid) for grid in branch.grids]
        for index, side in enumerate(sides):
            # One row of pixels pooled to one row of cells is the pooling of a side.
            cells = torch.cat([_side_weights(side, grid) for grid in distinct])
            self.register_buffer(f"weights{index}", cells.T.to(like), persistent=False)

    def forward(self, stages: list[Tensor]) -> Tensor:
        """Maps [B, C_i, S_i, S_i] to [B, sum of C_i, 6, 6]."""
        pooled = []
        for index, stage in enumerate(stages):
            weights = self.get_buffer(f"weights{index}")
            pooled.append((stage @ weights).transpose(-1, -2) @ weights)
        cells = torch.cat(pooled, dim=1).transpose(-1, -2)
        grids = [cells[:, :, first:last, first:last].flatten(2) for first, last in self.spans]
        return torch.cat(grids, dim=2).unflatten(2, (self.side, self.side))


class PooledGate(nn.Module):
    """:class:`hierattn.models.blocks.SameChannelAttention` for maps of one size."""

    def __init__(self, shape: Size) -> None:
        super().__init__()
        self.size = (shape[-2], shape[-1])

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] to the same shape."""
        return x * F.avg_pool2d(x, self.size).sigmoid()


def _side_weights(side: int, grid: int) -> Tensor:
    """One dimension of :func:`hierattn.models.blocks.pooling_weights`, float64 [grid, side]."""
    return pooling_weights(side, 1, (grid,)).view(grid, grid, side)[:, 0]


def _pool_by_matrix(root: nn.Module, image_size: int) -> None:
    shapes = input_shapes(root, image_size, BranchAttention)
    like = next(root.parameters())

    def build(name: str, branch: BranchAttention) -> nn.Module:
        square = all(shape[-1] == shape[-2] for shape in shapes[name])
        sides = [shape[-1] for shape in shapes[name]]
        return MatrixPooling(branch, sides, like) if square else branch

    replace_modules(root, BranchAttention, build)


def _pool_gates(root: nn.Module, image_size: int) -> None:
    shapes = input_shapes(root, image_size, SameChannelAttention)
    replace_modules(root, SameChannelAttention, lambda name, _: PooledGate(shapes[name][0]))


POOL_BY_MATRIX = Rewrite(
    "pooling",
    "adaptive pooling to 1, 3 and 5 cells a side: two small constant matrices",
    _pool_by_matrix,
)
POOL_GATES = Rewrite(
    "gates",
    "mean of a map as average pooling, which onnxruntime computes in its blocked layout",
    _pool_gates,
    optional=True,
)
