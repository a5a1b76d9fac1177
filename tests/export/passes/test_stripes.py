from __future__ import annotations

import copy
from typing import cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from export.passes import deployment_graph
from export.passes.stripes import ROW_STRIPES, Rows, Stripes, stripe_count
from hierattn.models.blocks import MBConv
from hierattn.models.hierattn import HierAttn
from tests.export.passes.networks import seasoned


def start_of(network: HierAttn) -> nn.Sequential:
    return nn.Sequential(network.stem, network.layer1, network.layer2[0])


def stripes_of(network: HierAttn, image_size: int, count: int) -> Stripes:
    own = copy.deepcopy(network)
    blocks = (cast(MBConv, own.layer1[0]), cast(MBConv, own.layer2[0]))
    return Stripes(own.stem, *blocks, image_size, count)


@settings(max_examples=40, deadline=None)
@given(
    size=st.integers(64, 140),
    count=st.integers(1, 8),
    name=st.sampled_from(["hierattn_xs", "hierattn_s"]),
)
@torch.no_grad()
def test_stripes_are_the_whole(size: int, count: int, name: str) -> None:
    network = cast(HierAttn, seasoned(name).double())
    # An image of changing brightness: its rows differ, so a wrong one cannot hide.
    x = torch.rand(2, 3, size, size, dtype=torch.float64) * torch.linspace(0, 1, size)[:, None]
    expected, found = start_of(network)(x), stripes_of(network, size, count)(x)
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 1e-10 * expected.abs().max()


@given(height=st.integers(4, 300), stride=st.integers(1, 2), rest=st.data())
def test_rows_that_are_read_are_those_of_a_padded_convolution(
    height: int, stride: int, rest: st.DataObject
) -> None:
    results = -(-height // stride)
    first = rest.draw(st.integers(0, results - 1))
    last = rest.draw(st.integers(first + 1, results))
    rows = Rows.read_by(first, last, stride, height)
    assert 0 <= rows.first < rows.last <= height
    assert rows.above == (first == 0)
    assert (rows.last - rows.first + rows.above + rows.below - 3) // stride + 1 == last - first


@pytest.mark.parametrize(
    ("name", "size", "count"),
    [
        ("hierattn_xs", 128, 1),
        ("hierattn_xs", 180, 1),
        ("hierattn_xs", 181, 3),
        ("hierattn_xs", 224, 4),
        ("hierattn_xs", 256, 4),
        ("hierattn_s", 96, 3),
        ("hierattn_s", 128, 4),
        ("hierattn_s", 129, 1),
    ],
)
def test_maps_are_cut_where_four_stripes_suffice(name: str, size: int, count: int) -> None:
    assert stripe_count(cast(HierAttn, seasoned(name)), size) == count


def test_only_tflite_is_cut_and_modules_keep_their_names() -> None:
    network = seasoned("hierattn_xs")
    assert not isinstance(deployment_graph(network, 256, "onnx").stem, Stripes)
    small = deployment_graph(network, 128, "tflite")
    large = deployment_graph(network, 256, "tflite")
    assert isinstance(large.stem, Stripes)
    assert not isinstance(small.stem, Stripes)
    assert (large.stem.conv.kernel_size, large.stem.conv.in_channels) == ((3, 2), 6)
    cut = copy.deepcopy(network).eval()
    ROW_STRIPES.apply(cut, 256)
    assert cut.state_dict().keys() == network.state_dict().keys()
