from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.debug.explain import Explanation, explain
from export.debug.torch_trace import TorchStep, trace_torch
from export.errors import ArtefactError
from export.formats.conversion_input import ExportSource
from export.formats.interface import Artefact, FileFacts, Format, TracedTensor
from export.passes import deployment_graph
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import Description, Precision
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.models.registry import create_model
from hierattn.preprocessing import PreprocessSpec

SIZE = 64
IMAGE = np.random.default_rng(0).random((1, 3, SIZE, SIZE), dtype=np.float32)


class FakeFormat(Format):
    """No format: answers with what a torch network computes, as a converter might lay it out.

    Args:
        network: the network "in the file".
        change: the value of a step as the file shows it; None if it does not.
    """

    name, suffix, extra, packages = "fake", ".fake", "", ()

    def __init__(
        self,
        network: nn.Module,
        change: Callable[[TorchStep], np.ndarray | None] = lambda step: step.value,
    ) -> None:
        self.network, self.change = network, change

    def trace(self, path: Path, image: np.ndarray) -> Iterator[TracedTensor]:
        for step in trace_torch(self.network, image):
            value = self.change(step)
            if value is not None:
                yield TracedTensor(f"t{step.index}", step.operation.upper(), value)

    def convert(self, source: ExportSource, workspace: Path) -> Path:
        raise NotImplementedError

    def write(
        self, converted: Path, source: ExportSource, precision: Precision, target: Path
    ) -> QuantisationRecord:
        raise NotImplementedError

    def load(self, path: Path, threads: int | None = None) -> Artefact:
        raise NotImplementedError

    def describe(self, path: Path) -> FileFacts:
        raise NotImplementedError


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """Trained-like: batch norms that are not the identity."""
    torch.manual_seed(0)
    model = create_model("hierattn_xs", 5)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.7, 1.3)
            nn.init.normal_(module.bias, std=0.2)
            module.running_mean = torch.randn(module.num_features) * 0.2
            module.running_var = torch.rand(module.num_features) * 1.5 + 0.5
    return model.eval()


def _as_phones_do(step: TorchStep) -> np.ndarray | None:
    """NHWC, with every convolution fused into the norm after it."""
    if step.operation == "convolution" and not step.module.endswith("widen"):
        return None
    return step.value.transpose(0, 2, 3, 1) if step.value.ndim == 4 else step.value


def _explain(
    network: nn.Module, tracer: FakeFormat, precision: Precision = Precision.FP32
) -> Explanation:
    return explain(network, Path("model.fake"), IMAGE, precision, tracer)


def _damaged(network: nn.Module, name: str, factor: float = 0.3) -> nn.Module:
    """A copy with one weight of a module off by a share of the largest."""
    copied = copy.deepcopy(network)
    weight = copied.get_submodule(name).weight.data
    assert isinstance(weight, Tensor)
    weight.view(-1)[weight.numel() // 2] += factor * weight.abs().max()
    return copied


def test_equal_networks_agree_everywhere(network: nn.Module) -> None:
    found = _explain(network, FakeFormat(network, _as_phones_do))
    assert found.agrees and found.departure is None
    assert found.logits_error == 0
    hidden = {row.operation for row in found.rows if row.tensor is None}
    # At 64 pixels the last stage attends over one token: a softmax that is always 1.
    assert hidden == {"convolution", "softmax"}
    assert all(row.added == 0 for row in found.rows if row.tensor is not None)
    assert "agrees everywhere" in found.summary()


@pytest.mark.parametrize(
    "name",
    [
        "stem.norm",
        "layer2.0.project.norm",
        "layer3.1.widen",
        "layer3.1.blocks.0.attention.qkv",
        "layer4.1.blocks.3.mlp.2",
        "layer5.1.norm",
        "head.norm",
        "classifier",
    ],
)
@pytest.mark.parametrize("factor", [0.3, 10.0])
def test_the_changed_layer_is_named(network: nn.Module, name: str, factor: float) -> None:
    damaged = _damaged(network, name, factor)
    found = _explain(network, FakeFormat(damaged, _as_phones_do))
    assert not found.agrees
    assert found.departure is not None
    # A norm is fused with the convolution before it, and the two cannot be told apart.
    fused = {name, name.removesuffix("norm") + "conv"}
    assert found.departure.layer.module in fused
    if factor < 1:
        assert found.departure.seen is not None
        assert found.departure.seen.module == name
    expected = {"qkv": "ADDMM", "mlp.2": "ADDMM", "classifier": "ADDMM"}
    for ending, operator in expected.items():
        if name.endswith(ending):
            assert found.departure.operator == operator
    assert found.departure.layer.module in found.summary()
    assert "more than the order of float32 sums explains" in found.summary()


class Cancelling(nn.Module):
    """Sums of large numbers of both signs, whose small rest depends on their order."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(2 * 3 * SIZE * SIZE, 4)
        large = 1e3 * torch.randn(4, 3 * SIZE * SIZE)
        rest = torch.randn(4, 3 * SIZE * SIZE)
        self.linear.weight.data = torch.cat([large, rest - large], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(torch.cat([x.flatten(1)] * 2, dim=1))


def test_the_order_of_sums_is_told_from_a_fault() -> None:
    network = Cancelling().eval()
    with torch.no_grad():
        exact = copy.deepcopy(network).double()(torch.from_numpy(IMAGE).double()).numpy()

    def as_exact(step: TorchStep, off: float = 0.0) -> np.ndarray:
        return (exact + off).astype(np.float32) if step.value.shape == (1, 4) else step.value

    found = _explain(network, FakeFormat(network, as_exact))
    assert not found.agrees and found.logits_error > 1e-5
    assert found.torch_exact_error == pytest.approx(found.logits_error, rel=1e-3)
    assert found.file_exact_error is not None and found.file_exact_error < 1e-6
    assert "the order of float32 sums explains it, no operator is wrong" in found.summary()

    fault = 3 * found.logits_error * float(np.abs(exact).max())
    worse = _explain(network, FakeFormat(network, lambda step: as_exact(step, fault)))
    assert not worse.agrees and worse.file_exact_error is not None
    assert "more than the order of float32 sums explains" in worse.summary()
    # Rounding to 16 bits is no question of order.
    assert _explain(network, FakeFormat(network), Precision.FP16).accumulation == ""


def test_a_network_without_float64_is_explained_without_it() -> None:
    class Single(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(x.float().mean(dim=(2, 3)))

    network = Single().eval()
    found = _explain(network, FakeFormat(network))
    assert found.agrees and found.torch_exact_error is None and found.accumulation == ""


def test_what_came_before_is_not_blamed_on_later_layers(network: nn.Module) -> None:
    """A small fault deep inside, whose effect fades: still found where it is."""
    damaged = _damaged(network, "layer3.1.blocks.1.mlp.0", 0.05)
    found = _explain(network, FakeFormat(damaged, _as_phones_do))
    assert found.departure is not None
    assert found.departure.layer.module == "layer3.1.blocks.1.mlp.0"
    assert found.departure.after is not None
    assert found.departure.after.module == "layer3.1.blocks.1.mlp_norm"
    later = [row for row in found.rows if row.module.startswith("layer5") and row.added is not None]
    assert later and max(row.added or 0 for row in later) < 1e-5
    assert max(row.error or 0 for row in later) > 1e-5


def test_rounding_is_no_departure_and_is_added_up(network: nn.Module) -> None:
    generator = np.random.default_rng(1)

    def rounded(step: TorchStep) -> np.ndarray:
        spread = 1e-3 if step.module == "layer4.0.project.norm" else 1e-5
        noise = spread * step.value.std() * generator.standard_normal(step.value.shape)
        return step.value + noise.astype(np.float32)

    found = _explain(network, FakeFormat(network, rounded), Precision.FP16)
    assert found.agrees
    assert found.largest_addition is not None
    assert found.largest_addition.module == "layer4.0.project.norm"
    assert {row.operation for row in found.rows if row.tensor is None} == {"softmax"}


def test_a_layer_that_overflows_is_named(network: nn.Module) -> None:
    start = next(
        step.index
        for step in trace_torch(network, IMAGE)
        if step.module == "layer4.1.blocks.0.attention.out"
    )

    def overflown(step: TorchStep) -> np.ndarray:
        return np.full_like(step.value, np.nan) if step.index >= start else step.value

    found = _explain(network, FakeFormat(network, overflown), Precision.FP16)
    assert found.departure is not None
    assert found.logits_error == float("inf")
    assert found.departure.layer.module == "layer4.1.blocks.0.attention.out"
    assert found.departure.not_finite == f"t{start}"
    assert "NaN or infinity" in found.summary()


def test_functional_operations_are_named(network: nn.Module) -> None:
    class Scaled(nn.Module):
        def __init__(self, factor: float) -> None:
            super().__init__()
            self.factor = factor
            torch.manual_seed(0)
            self.conv = nn.Conv2d(3, 8, 3, stride=4)
            self.linear = nn.Linear(8, 4)

        def forward(self, x: Tensor) -> Tensor:
            y = F.gelu(self.conv(x))
            y = torch.softmax(y.flatten(2) * self.factor, dim=-1) @ y.flatten(2).transpose(1, 2)
            return self.linear(y.mean(1))

    found = _explain(Scaled(2.0).eval(), FakeFormat(Scaled(2.2).eval()))
    assert found.departure is not None
    assert (found.departure.layer.module, found.departure.layer.operation) == ("", "mul")
    assert found.departure.operator == "MUL"


def test_a_file_of_another_model_is_refused(network: nn.Module) -> None:
    other = create_model("hierattn_xs", 7).eval()
    with pytest.raises(ArtefactError, match=r"model\.fake: answers with 7 logits, torch with 5"):
        _explain(network, FakeFormat(other))
    with pytest.raises(ArtefactError, match="answers with 0 logits"):
        _explain(network, FakeFormat(network, lambda step: None))


def test_other_weights_depart_at_once(network: nn.Module) -> None:
    torch.manual_seed(1)
    found = _explain(network, FakeFormat(create_model("hierattn_xs", 5).eval(), _as_phones_do))
    assert found.departure is not None
    assert found.departure.layer.module == "stem.conv"
    assert found.departure.after is None
    assert "the very first layer" in found.summary()


class Tiny(nn.Module):
    """A few layers, so that converting takes a second."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.widen = nn.Conv2d(8, 16, 1)
        self.hidden = nn.Linear(16, 24)
        self.classifier = nn.Linear(24, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.widen(F.silu(self.norm(self.conv(x))))
        return self.classifier(F.gelu(self.hidden(y.mean((2, 3)))))


@pytest.fixture(scope="module")
def onnx_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    pytest.importorskip("onnxscript")
    from export.formats.onnx.format import OnnxFormat

    torch.manual_seed(0)
    graph = Tiny().eval()
    description = Description(
        model="tiny",
        precision=Precision.FP32,
        classes=list("abcd"),
        image_size=SIZE,
        preprocessing=PreprocessSpec(image_size=SIZE),
        operating_point=OperatingPoint(),
        weights_sha256="0" * 64,
        licence="none",
        intended_use="tests",
    )
    folder, source = tmp_path_factory.mktemp("onnx"), ExportSource(graph, description)
    form = OnnxFormat()
    form.write(form.convert(source, folder), source, Precision.FP32, folder / "tiny.onnx")
    return graph, folder / "tiny.onnx"


def test_a_real_file_agrees(onnx_file: tuple[nn.Module, Path]) -> None:
    found = explain(*onnx_file, IMAGE, Precision.FP32)
    assert found.agrees
    # Batch norm is folded into the convolution; everything else is there to see.
    assert [row.layer for row in found.rows if row.tensor is None] in (
        [],
        ["conv (convolution)"],
    )
    assert max(row.added or 0 for row in found.rows) < 1e-5


@pytest.mark.parametrize("layer", ["conv", "widen", "hidden", "classifier"])
def test_one_changed_weight_of_a_real_file_is_found(
    onnx_file: tuple[nn.Module, Path], layer: str, tmp_path: Path
) -> None:
    import onnx
    from onnx import numpy_helper

    graph, path = onnx_file
    model = onnx.load(path)
    shapes = {name: tuple(p.shape) for name, p in graph.named_parameters() if p.ndim > 1}
    wanted = shapes[f"{layer}.weight"]
    for tensor in model.graph.initializer:
        if tuple(tensor.dims) in (wanted, wanted[::-1]):
            weight = numpy_helper.to_array(tensor).copy()
            weight.reshape(-1)[weight.size // 2] += 0.3 * np.abs(weight).max()
            tensor.CopyFrom(numpy_helper.from_array(weight, tensor.name))
            break
    else:
        pytest.fail(f"no initializer of shape {wanted}")
    onnx.save(model, tmp_path / "changed.onnx")
    found = explain(graph, tmp_path / "changed.onnx", IMAGE, Precision.FP32)
    assert found.departure is not None
    assert found.departure.layer.module == layer
    assert found.departure.operator == ("Conv" if layer in ("conv", "widen") else "Gemm")


def test_the_deployment_graph_can_be_explained(network: nn.Module) -> None:
    graph = deployment_graph(network, SIZE)
    assert _explain(graph, FakeFormat(graph)).agrees
    found = _explain(graph, FakeFormat(_damaged(graph, "layer4.1.fuse.conv")))
    assert found.departure is not None
    assert found.departure.layer.module == "layer4.1.fuse.conv"
    assert found.departure.operator == "CONVOLUTION"
