from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from export.passes import deployment_graph
from export.passes.attention import HeadAttention, RowAttention, RowStage
from hierattn.models.blocks import Attention, StageAttention
from tests.export.passes.networks import seasoned


@settings(max_examples=25, deadline=None)
@given(
    heads=st.integers(1, 4),
    head_width=st.integers(1, 9),
    tokens=st.integers(1, 7),
    sequences=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_rows_and_heads_attend_like_the_original(
    heads: int, head_width: int, tokens: int, sequences: int, seed: int
) -> None:
    torch.manual_seed(seed)
    width = heads * head_width
    attention = Attention(width, heads).double().requires_grad_(False)
    for parameter in attention.parameters():
        nn.init.normal_(parameter)
    x = torch.randn(sequences, tokens, width, dtype=torch.float64)
    expected = attention(x).reshape(-1, width)
    rows = RowAttention(attention, tokens)
    assert torch.allclose(rows(x.reshape(-1, width)), expected, rtol=1e-9, atol=1e-10)
    apart = HeadAttention(rows)
    assert torch.allclose(apart(x.reshape(-1, width)), expected, rtol=1e-9, atol=1e-10)


def test_key_and_value_lose_their_bias() -> None:
    attention = RowAttention(Attention(8), 4)
    assert attention.key.bias is None
    assert attention.value.bias is None
    assert attention.query.bias is not None


@pytest.mark.parametrize(("height", "width"), [(4, 6), (3, 5), (4, 5), (1, 1)])
def test_a_stage_of_any_size_stays(height: int, width: int) -> None:
    torch.manual_seed(0)
    stage = StageAttention(4, 8, 2, 0.1).double().eval().requires_grad_(False)
    x = torch.randn(2, 4, height, width, dtype=torch.float64)
    expected = stage(x)
    assert torch.allclose(RowStage(stage, x.shape)(x), expected, rtol=1e-10, atol=1e-12)


def test_heads_are_split_only_where_they_fill_a_kernel() -> None:
    # hierattn_xs: heads of 16, 20 and 24 channels in layers 3, 4 and 5.
    modules = dict(deployment_graph(seasoned("hierattn_xs"), 64, "tflite").named_modules())
    assert isinstance(modules["layer3.1.blocks.0.attention"], HeadAttention)
    assert isinstance(modules["layer4.1.blocks.0.attention"], RowAttention)
    assert isinstance(modules["layer5.1.blocks.0.attention"], RowAttention)
    neutral = deployment_graph(seasoned("hierattn_xs"), 64)
    assert not any(isinstance(module, HeadAttention) for module in neutral.modules())
