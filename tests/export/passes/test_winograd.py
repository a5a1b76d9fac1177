from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from export.formats.conversion_input import ExportSource
from export.formats.tflite.flatbuffer import operator_kinds, read_tflite
from export.formats.tflite.format import TfliteFormat
from export.passes import deployment_graph
from export.passes.winograd import WINOGRAD, WinogradConvolution
from hierattn.models.blocks import StageAttention
from tests.export.formats.tflite.tiny import tiny_description
from tests.export.passes.networks import seasoned


def random_convolution(inputs: int, outputs: int, bias: bool = True, **other: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias, **other).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    return layer.requires_grad_(False)


@settings(max_examples=60, deadline=None)
@given(
    inputs=st.integers(1, 6),
    outputs=st.integers(1, 6),
    height=st.integers(1, 11),
    width=st.integers(1, 11),
    batch=st.integers(1, 3),
    bias=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_it_is_the_convolution(
    inputs: int, outputs: int, height: int, width: int, batch: int, bias: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    layer = random_convolution(inputs, outputs, bias)
    x = torch.randn(batch, inputs, height, width, dtype=torch.float64)
    rewritten = WinogradConvolution(layer)
    assert torch.allclose(rewritten(x), layer(x), rtol=1e-10, atol=1e-10)
    single = rewritten.float()(x.float()).double()
    assert (single - layer(x)).abs().max() <= 2e-6 * 9 * inputs * x.abs().max() * 4


def test_products_are_four_of_nine() -> None:
    layer = random_convolution(8, 12)
    linear = [one for one in WinogradConvolution(layer).modules() if isinstance(one, nn.Linear)]
    # For each 2x2 outputs.
    assert sum(one.weight.numel() for one in linear) * 9 == 4 * layer.weight.numel() * 4


@pytest.mark.parametrize(
    ("settings", "suited"),
    [
        ({"padding": 1}, True),
        ({"padding": 1, "stride": 2}, False),
        ({"padding": 2, "dilation": 2}, False),
        ({"padding": 1, "groups": 2}, False),
        ({"padding": 0}, False),
        ({"padding": 1, "padding_mode": "reflect"}, False),
        ({"padding": 2, "kernel_size": 5}, False),
    ],
)
def test_only_dense_ones_of_stride_one_are_rewritten(
    settings: dict[str, Any], suited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("export.passes.winograd.LEAST_PRODUCTS", 1)
    stage = StageAttention(4, 8, 1, 0.0)
    fuse = nn.Conv2d(8, 4, **{"kernel_size": 3, **settings})
    stage.fuse = nn.Sequential(fuse, nn.AdaptiveAvgPool2d(8))
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), stage).eval()
    x = torch.rand(1, 3, 8, 8)
    expected = network(x)
    WINOGRAD.apply(network, 8)
    assert isinstance(stage.fuse[0], WinogradConvolution) is suited
    assert isinstance(stage.local.conv, WinogradConvolution)
    assert isinstance(network[0], nn.Conv2d), "outside of any stage"
    assert torch.allclose(network(x), expected, atol=1e-5)


@pytest.mark.slow
def test_a_file_stays_whole_in_the_delegate(tmp_path: Path) -> None:
    """An odd side, and inputs joined by no more than the delegate joins."""
    torch.manual_seed(0)
    body = WinogradConvolution(nn.Conv2d(3, 8, 3, padding=1).requires_grad_(False))
    network = nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)).eval()
    for side in (8, 9):
        description = tiny_description().model_copy(update={"image_size": side})
        converted = TfliteFormat().convert(ExportSource(network, description), tmp_path)
        model, _ = read_tflite(converted.read_bytes(), converted)
        kinds = operator_kinds(model)
        assert kinds.count("FULLY_CONNECTED") == 17 and kinds.count("DEPTHWISE_CONV_2D") == 20
        assert "CONV_2D" not in kinds
        joined = [
            len(operator.inputs)
            for operator, kind in zip(model.subgraphs[0].operators, kinds, strict=True)
            if kind == "CONCATENATION"
        ]
        assert joined == [2, 2, 2]


def test_which_of_hierattns_are_rewritten() -> None:
    graph = deployment_graph(seasoned("hierattn_xs"), 256, "tflite")
    found = [n for n, one in graph.named_modules() if isinstance(one, WinogradConvolution)]
    assert found == ["layer3.1.local.conv", "layer3.1.fuse.conv", "layer4.1.fuse.conv"]


@pytest.mark.parametrize(
    ("name", "size", "target", "precision"),
    [
        ("hierattn_xs", 256, "any", "fp32"),
        ("hierattn_xs", 256, "onnx", "fp32"),
        ("hierattn_xs", 256, "tflite", "int8"),
        ("hierattn_xs", 128, "tflite", "fp32"),
        ("mobilevit_s", 256, "tflite", "fp32"),
    ],
)
def test_where_it_does_not_pay_it_is_not_used(
    name: str, size: int, target: str, precision: str
) -> None:
    graph = deployment_graph(seasoned(name), size, target, precision)
    assert not any(isinstance(one, WinogradConvolution) for one in graph.modules())
