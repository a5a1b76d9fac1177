from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from hierattn.models import blocks
from hierattn.models.blocks import (
    Attention,
    BranchAttention,
    MBConv,
    StochasticDepth,
    fold_patches,
    pooling_weights,
    round_channels,
    unfold_patches,
)


@given(st.floats(0.1, 5000))
def test_round_channels_keeps_its_promises(channels: float) -> None:
    rounded = round_channels(channels)
    assert rounded % 8 == 0
    assert rounded >= 8
    assert rounded >= 0.9 * channels
    # Nearest multiple, or the next one up where that would lose more than 10 %.
    assert rounded - channels <= 8


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 2, 3, 5, 7]))
def test_pooling_weights_are_adaptive_average_pooling(height: int, width: int, grid: int) -> None:
    torch.manual_seed(height * 100 + width)
    x = torch.rand(2, 3, height, width, dtype=torch.float64)
    pooled = x.flatten(2) @ pooling_weights(height, width, (grid,)).T
    torch.testing.assert_close(
        pooled.unflatten(2, (grid, grid)), F.adaptive_avg_pool2d(x, grid), rtol=0, atol=1e-14
    )


def test_branch_attention_counts_the_global_average_twice() -> None:
    stages = [torch.rand(2, c, s, s, dtype=torch.float64) for c, s in ((3, 8), (4, 4), (5, 2))]
    folded = BranchAttention()(stages)
    assert folded.shape == (2, 12, 6, 6)
    positions = folded.flatten(2)
    means = torch.cat([stage.mean((2, 3)) for stage in stages], dim=1)
    torch.testing.assert_close(positions[..., 0], means)
    torch.testing.assert_close(positions[..., 1], means)
    threes = torch.cat([F.adaptive_avg_pool2d(stage, 3).flatten(2) for stage in stages], dim=1)
    torch.testing.assert_close(positions[..., 2:11], threes)


def test_unfold_gathers_one_position_of_every_patch() -> None:
    x = torch.arange(2 * 1 * 4 * 6).view(2, 1, 4, 6)
    tokens = unfold_patches(x)
    assert tokens.shape == (8, 6, 1)
    # Second sequence of the first image: top right of each 2x2 patch, row by row.
    assert tokens[1, :, 0].tolist() == [1, 3, 5, 13, 15, 17]
    assert tokens[6, :, 0].tolist() == (torch.tensor([6, 8, 10, 18, 20, 22]) + 24).tolist()


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5))
def test_fold_undoes_unfold(batch: int, channels: int, rows: int, columns: int) -> None:
    x = torch.arange(batch * channels * rows * columns * 4).view(
        batch, channels, 2 * rows, 2 * columns
    )
    assert torch.equal(fold_patches(unfold_patches(x), 2 * rows, 2 * columns), x)


def test_attention_is_scaled_dot_product_attention() -> None:
    torch.manual_seed(0)
    attention = Attention(24).double()
    x = torch.randn(3, 7, 24, dtype=torch.float64)
    query, key, value = (
        part.unflatten(2, (4, 6)).transpose(1, 2) for part in attention.qkv(x).chunk(3, dim=2)
    )
    mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
    torch.testing.assert_close(attention(x), attention.out(mixed))


@pytest.mark.parametrize("scores", [1, 4 * 7 * 7, 2 * 4 * 7 * 7])
def test_attention_in_pieces_changes_neither_output_nor_gradient(
    scores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    attention = Attention(24).double()
    x = torch.randn(5, 7, 24, dtype=torch.float64, requires_grad=True)
    direction = torch.randn_like(x)
    gradients = []
    for limit in (blocks.CACHED_SCORES, scores):
        monkeypatch.setattr(blocks, "CACHED_SCORES", limit)
        y = attention(x)
        parameters = [x, *attention.parameters()]
        gradients.append([y, *torch.autograd.grad(y, parameters, direction)])
    for whole, pieces in zip(*gradients, strict=True):
        torch.testing.assert_close(pieces, whole, rtol=0, atol=1e-12)


def test_stochastic_depth_drops_whole_samples_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    drop = StochasticDepth(0.25).train()
    y = drop(torch.ones(4000, 2, 3, 3))
    per_sample = y.flatten(1)
    assert ((per_sample == 0).all(1) | torch.isclose(per_sample, torch.tensor(4 / 3)).all(1)).all()
    assert (per_sample[:, 0] == 0).float().mean().item() == pytest.approx(0.25, abs=0.03)
    x = torch.rand(2, 2, 3, 3)
    assert torch.equal(drop.eval()(x), x)


@pytest.mark.parametrize(
    ("inputs", "outputs", "stride", "residual"),
    [(8, 8, 1, True), (8, 8, 2, False), (8, 16, 1, False)],
)
def test_mbconv_has_a_residual_only_where_the_shape_stays(
    inputs: int, outputs: int, stride: int, residual: bool
) -> None:
    block = MBConv(inputs, outputs, stride, expand=2).eval()
    torch.nn.init.zeros_(block.project.norm.weight)
    x = torch.rand(1, inputs, 9, 9)
    y = block(x)
    assert y.shape == (1, outputs, -(-9 // stride), -(-9 // stride))
    assert torch.equal(y, x if residual else torch.zeros_like(y))


def test_the_gates_own_backward_pass_is_autograds() -> None:
    x = torch.randn(2, 3, 5, 4, dtype=torch.float64, requires_grad=True)
    gate = blocks.SameChannelAttention()
    assert torch.autograd.gradcheck(gate, x)
    upstream = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    (mine,) = torch.autograd.grad(gate(x), x, upstream)
    plain = x * x.mean((2, 3), keepdim=True).sigmoid()
    assert torch.equal(gate(x), plain)
    (expected,) = torch.autograd.grad(plain, x, upstream)
    torch.testing.assert_close(mine, expected, rtol=1e-12, atol=1e-12)


def test_dropout_drops_its_share_scales_the_rest_and_sleeps_in_evaluation() -> None:
    torch.manual_seed(0)
    dropout = blocks.Dropout(0.25)
    dropped = dropout(torch.ones(999, 101))
    # The share's standard deviation is sqrt(0.25 * 0.75 / 100899) = 0.0014.
    assert float((dropped == 0).float().mean()) == pytest.approx(0.25, abs=0.007)
    assert dropped.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert torch.equal(dropout.eval()(torch.ones(5)), torch.ones(5))
