from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from export.passes.pooling import MatrixPooling, PooledGate
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
