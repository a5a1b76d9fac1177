from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import export
from export.passes import REWRITES, Rewrite, deployment_graph, rewrites_for
from hierattn.data.folder import read_data_folder
from hierattn.errors import ConfigError
from hierattn.models.registry import list_models
from hierattn.preprocessing import PreprocessSpec
from hierattn.runs import load_run
from tests.export.passes.networks import relative_error, seasoned

# 72 leaves odd stages of 9 and 5 pixels a side, which are resized to even ones.
SIZES = (64, 72)
# Only large maps are cut; rows of 250 pixels divide unevenly.
LARGE_SIZES = (256, 250)
TARGETS = ("any", "onnx", "tflite")


@pytest.fixture
def _small_ones_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of a test are too small for what large convolutions alone are given."""
    monkeypatch.setattr("export.passes.winograd.LEAST_PRODUCTS", 1)


@pytest.mark.usefixtures("_small_ones_too")
@pytest.mark.parametrize("index", range(2))
@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda rewrite: rewrite.name)
def test_each_rewrite_alone_is_exact(rewrite: Rewrite, index: int) -> None:
    size = (LARGE_SIZES if rewrite.name == "stripes" else SIZES)[index]
    model = seasoned("hierattn_xs").double()
    graph = copy.deepcopy(model)
    if rewrite.name == "heads":
        next(other for other in REWRITES if other.name == "attention").apply(graph, size)
    before = repr(graph)
    rewrite.apply(graph, size)
    assert repr(graph) != before
    x = torch.rand(2, 3, size, size, dtype=torch.float64)
    assert relative_error(graph, model, x) < 1e-10
    assert relative_error(graph.float(), model.float(), x.float()) < 1e-5


@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda rewrite: rewrite.name)
def test_a_rewrite_leaves_alone_what_it_does_not_know(rewrite: Rewrite) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
    graph = copy.deepcopy(model)
    rewrite.apply(graph, 64)
    assert repr(graph) == repr(model)
    assert all(map(torch.equal, graph.state_dict().values(), model.state_dict().values()))


@pytest.mark.usefixtures("_small_ones_too")
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", list_models())
def test_the_whole_graph_is_exact(name: str, target: str) -> None:
    if not name.startswith("hierattn") and target != "tflite":
        pytest.skip("peers pass through the same rewrites for every target but this one")
    model = seasoned(name).double()
    size = 72 if name.startswith("hierattn") else 64
    x = torch.rand(2, 3, size, size, dtype=torch.float64)
    graph = deployment_graph(model, size, target)
    assert relative_error(graph, model, x) < 1e-10
    single = deployment_graph(model.float(), size, target)
    assert next(single.parameters()).dtype == torch.float32
    assert relative_error(single, model, x.float()) < 1e-5


@pytest.mark.parametrize("name", list_models())
def test_no_batch_norm_and_no_dropout_is_left(name: str) -> None:
    graph = deployment_graph(seasoned(name), 64)
    kinds = {type(module).__name__ for module in graph.modules()}
    left = {kind for kind in kinds if "BatchNorm" in kind or "Drop" in kind or "Depth" in kind}
    assert left <= {"SqueezeExcitation", "DepthwiseSeparableConv"}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("size", [224, 256])
def test_logits_of_real_photos_stay(photos_root: Path, size: int, target: str) -> None:
    model = load_run("hierattn_xs.pad_ufes_20").load_model()
    folder = read_data_folder(photos_root / "pad_ufes_20")
    spec = PreprocessSpec(image_size=size)
    files = [folder.root / record.file for record in folder.records[::800]][:2]
    x = torch.from_numpy(spec.to_input(np.stack([spec.load(file) for file in files])))
    graph = deployment_graph(model, size, target)
    assert relative_error(graph, model, x) < 1e-5
    double = deployment_graph(model.double(), size, target)
    assert relative_error(double, model, x.double()) < 1e-10


def test_the_argument_is_never_changed() -> None:
    model = seasoned("hierattn_xs").train()
    before, state = repr(model), copy.deepcopy(model.state_dict())
    graph = deployment_graph(model, 64, "tflite")
    assert repr(model) == before
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())
    assert not graph.training
    assert not any(parameter.requires_grad for parameter in graph.parameters())
    shared = {id(tensor) for tensor in model.parameters()} & set(map(id, graph.parameters()))
    assert not shared


def test_two_graphs_of_a_model_are_the_same_bits() -> None:
    model = seasoned("hierattn_xs")
    first, second = (deployment_graph(model, 64, "tflite") for _ in range(2))
    assert repr(first) == repr(second)
    assert all(map(torch.equal, first.state_dict().values(), second.state_dict().values()))


def test_blocks_keep_their_names() -> None:
    model = seasoned("hierattn_xs")
    names = dict(deployment_graph(model, 64, "tflite").named_modules())
    for name in ("stem.conv", "layer3.1.blocks.0.mlp.0", "layer4.1.fuse", "branch_attention"):
        assert name in names


def test_any_batch_runs() -> None:
    graph = deployment_graph(seasoned("hierattn_xs"), 64, "onnx")
    x = torch.rand(5, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(graph(x)[3:4], graph(x[3:4]), atol=1e-5)


def test_too_small_a_size_is_refused() -> None:
    with pytest.raises(ConfigError, match="image size 32 is too small; use at least 64"):
        deployment_graph(seasoned("hierattn_xs"), 32)


def test_a_format_without_rewrites_of_its_own_gets_the_neutral_ones() -> None:
    assert rewrites_for("a fourth format") == rewrites_for("any")


def test_rewrites_are_listed_by_name() -> None:
    names = [rewrite.name for rewrite in REWRITES]
    assert len(set(names)) == len(names)
    assert all(rewrite.purpose and "\n" not in rewrite.purpose for rewrite in REWRITES)
    assert rewrites_for("coreml") == rewrites_for("any")
    assert {*rewrites_for("onnx"), *rewrites_for("tflite")} == set(REWRITES)


def test_the_package_offers_it() -> None:
    assert export.deployment_graph is deployment_graph
