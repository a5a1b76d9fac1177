from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from export.deployment.pooling import MatrixPooling, PooledGate
from export.deployment.tiles import SPLIT_TILES, TiledConv2d
from hierattn.models.blocks import BranchAttention, SameChannelAttention


@settings(max_examples=40, deadline=None)
@given(sides=st.lists(st.integers(1, 40), min_size=1, max_size=3), seed=st.integers(0, 1000))
def test_two_products_are_adaptive_pooling(sides: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    stages = [
        torch.randn(2, 3 + index, side, side, dtype=torch.float64)
        for index, side in enumerate(sides)
    ]
    branch = BranchAttention().eval()
    pooling = MatrixPooling(branch, sides, stages[0])
    assert torch.allclose(pooling(stages), branch(stages), rtol=1e-10, atol=1e-12)


def test_the_constants_are_small() -> None:
    pooling = MatrixPooling(BranchAttention(), [32, 16, 8], torch.zeros(1))
    assert sum(buffer.numel() for buffer in pooling.buffers()) == (32 + 16 + 8) * 9
    assert not pooling.state_dict()


def test_a_pooled_gate_is_the_gate() -> None:
    x = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    assert torch.allclose(PooledGate(x.shape)(x), SameChannelAttention()(x), rtol=1e-12)


@settings(max_examples=20, deadline=None)
@given(
    outputs=st.integers(33, 100),
    stride=st.integers(1, 2),
    bias=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_a_tiled_convolution_is_the_convolution(
    outputs: int, stride: int, bias: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    convolution = nn.Conv2d(2, outputs, 3, stride, 1, bias=bias).double()
    x = torch.randn(2, 2, 5, 5, dtype=torch.float64)
    expected = convolution(x)
    model = nn.Sequential(convolution)
    SPLIT_TILES.apply(model, 5)
    assert torch.allclose(model(x), expected, rtol=1e-12, atol=1e-13)
    assert isinstance(model[0], TiledConv2d) == (0 < outputs % 32 <= 16)


@pytest.mark.parametrize(
    "convolution",
    [nn.Conv2d(8, 48, 1), nn.Conv2d(48, 48, 3, groups=48), nn.Conv2d(8, 24, 3)],
    ids=["pointwise", "depthwise", "narrow"],
)
def test_convolutions_that_gain_nothing_stay_whole(convolution: nn.Conv2d) -> None:
    model = nn.Sequential(convolution)
    SPLIT_TILES.apply(model, 8)
    assert model[0] is convolution
