"""Batch norm and layer norm folded into the layers beside them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from export.passes.batch_norm import FOLD_BATCH_NORM, find_pairs, fold_batch_norm
from export.passes.layer_norm import RmsNorm, centre, fold_affine


def random_norm(channels: int, affine: bool = True) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels, eps=1e-3, affine=affine).eval()
    nn.init.normal_(norm.running_mean)
    nn.init.uniform_(norm.running_var, 0.1, 2)
    for parameter in norm.parameters():
        nn.init.normal_(parameter)
    return norm


@settings(max_examples=25, deadline=None)
@given(
    channels=st.integers(1, 4),
    groups=st.sampled_from([1, 2]),
    kernel=st.sampled_from([1, 3]),
    stride=st.integers(1, 2),
    bias=st.booleans(),
    affine=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_a_folded_convolution_is_the_pair(
    channels: int, groups: int, kernel: int, stride: int, bias: bool, affine: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    convolution = nn.Conv2d(
        2 * channels, 2 * channels, kernel, stride, kernel // 2, groups=groups, bias=bias
    ).double()
    norm = random_norm(2 * channels, affine).double()
    x = torch.randn(2, 2 * channels, 5, 5, dtype=torch.float64)
    expected = norm(convolution(x))
    fold_batch_norm(convolution, norm)
    assert torch.allclose(convolution(x), expected, rtol=1e-10, atol=1e-12)


def test_a_norm_without_statistics_is_refused() -> None:
    with pytest.raises(ValueError, match="running statistics"):
        fold_batch_norm(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1, track_running_stats=False))


class Shared(nn.Module):
    """One convolution read by two norms, and a norm that reads no convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.first, self.second, self.third = (random_norm(3) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.third(self.first(self.conv(x)) + self.second(self.conv(x)))


def test_a_convolution_called_twice_is_left_alone() -> None:
    model = Shared().eval()
    assert find_pairs(model, 8) == []
    FOLD_BATCH_NORM.apply(model, 8)
    assert isinstance(model.first, nn.BatchNorm2d)
    assert not model.conv._forward_hooks


@settings(max_examples=25, deadline=None)
@given(
    inputs=st.integers(1, 8),
    outputs=st.integers(1, 8),
    conv=st.booleans(),
    bias=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_a_layer_norms_affine_part_moves_into_its_reader(
    inputs: int, outputs: int, conv: bool, bias: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    norm = nn.LayerNorm(inputs).double()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    layer = (
        nn.Conv2d(inputs, outputs, 1, bias=bias) if conv else nn.Linear(inputs, outputs, bias=bias)
    ).double()

    def read(y: Tensor) -> Tensor:
        return layer(y.T[None, :, :, None]) if conv else layer(y)

    x = torch.randn(5, inputs, dtype=torch.float64)
    expected = read(norm(x))
    left = fold_affine(norm, layer)
    assert left.weight is None
    assert torch.allclose(read(left(x)), expected, rtol=1e-10, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(width=st.integers(2, 16), affine=st.booleans(), seed=st.integers(0, 1000))
def test_a_layer_norm_of_a_centred_writer_needs_no_mean(
    width: int, affine: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    norm = nn.LayerNorm(width, elementwise_affine=affine).double()
    for parameter in norm.parameters():
        nn.init.normal_(parameter)
    writer = nn.Linear(6, width).double()
    x = torch.randn(5, 6, dtype=torch.float64)
    expected = norm(writer(x))
    centre(writer)
    assert writer(x).mean(-1).abs().max() < 1e-12
    assert torch.allclose(RmsNorm(norm)(writer(x)), expected, rtol=1e-9, atol=1e-10)


def test_centring_gives_no_bias_to_a_layer_without_one() -> None:
    writer = nn.Conv2d(3, 4, 1, bias=False)
    centre(writer)
    assert writer.bias is None
