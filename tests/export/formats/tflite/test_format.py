from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from export.errors import ArtefactError, ExportError
from export.formats.conversion_input import ExportSource
from export.formats.tflite.format import TfliteFormat
from export.schema.file_facts import Delegation
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import Precision
from hierattn.common.files import file_sha256
from hierattn.models.registry import create_model
from hierattn.preprocessing import PreprocessSpec
from tests.export.formats.tflite.tiny import (
    CLASSES,
    SIZE,
    images,
    tiny_description,
    tiny_network,
    tiny_source,
)
from tests.export.loading import loading_says

FORMAT = TfliteFormat()

Written = dict[Precision, tuple[Path, QuantisationRecord]]


def torch_logits(network: nn.Module, batch: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return network(torch.from_numpy(batch)).numpy()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_float32_answers_as_torch_for_any_batch(tiny_tflite: Written, count: int) -> None:
    batch = images(count, seed=count)
    answer = FORMAT.load(tiny_tflite[Precision.FP32][0], threads=1)(batch)
    assert answer.dtype == np.float32 and answer.shape == (count, len(CLASSES))
    expected = torch_logits(tiny_network(), images(3, seed=count))[:count]
    if count == 3:
        assert np.abs(answer - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize(("precision", "tolerance"), [("fp16", 2e-3), ("int8", 0.05)])
def test_smaller_numbers_answer_nearly_as_torch(
    tiny_tflite: Written, precision: str, tolerance: float
) -> None:
    batch = images(6, seed=3)
    answer = FORMAT.load(tiny_tflite[Precision(precision)][0], threads=1)(batch)
    expected = torch_logits(tiny_network(), batch)
    difference = np.abs(answer - expected).max() / np.abs(expected).max()
    assert 1e-7 < difference <= tolerance


def test_every_operator_runs_in_one_partition(tiny_tflite: Written) -> None:
    for path, _ in tiny_tflite.values():
        assert FORMAT.describe(path).delegated == Delegation(partitions=1, left=0)


def test_facts_are_those_of_the_file(tiny_tflite: Written) -> None:
    facts = FORMAT.describe(tiny_tflite[Precision.FP32][0])
    assert (facts.input.name, facts.output.name) == ("input", "logits")
    assert facts.input.layout == "NHWC" and facts.input.shape == [1, SIZE, SIZE, 3]
    assert facts.input.dtype == "float32"
    assert facts.operators["CONV_2D"] == 4 and facts.operators["DEPTHWISE_CONV_2D"] == 1
    assert facts.operators["FULLY_CONNECTED"] == 3


def test_the_signature_has_stable_names(tiny_tflite: Written) -> None:
    from ai_edge_litert.interpreter import Interpreter

    for path, _ in tiny_tflite.values():
        runner = Interpreter(model_path=str(path)).get_signature_runner()
        answer = runner(input=images(1).transpose(0, 2, 3, 1))
        assert list(answer) == ["logits"] and answer["logits"].dtype == np.float32


def test_description_and_labels_are_readable_by_any_zip_tool(tiny_tflite: Written) -> None:
    for precision, (path, _) in tiny_tflite.items():
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert archive.read("labels.txt").decode().splitlines() == CLASSES
        assert FORMAT.load(path).description == tiny_description(precision)


def test_what_int8_left_in_float_is_said(tiny_tflite: Written) -> None:
    done = tiny_tflite[Precision.INT8][1]
    assert done.left_in_float["SOFTMAX"] == 1
    assert done.left_in_float["CONV_2D"] == 3, "of four, the dense 3x3 one pays in int8"
    assert done.left_in_float["FULLY_CONNECTED"] == 1, "the classifier has too few outputs"
    assert tiny_tflite[Precision.FP32][1].left_in_float == {}


def test_int8_without_photos_says_what_to_pass(tmp_path: Path) -> None:
    source = tiny_source(calibrated=False)
    converted = tmp_path / "converted.tflite"
    converted.write_bytes(b"")
    with pytest.raises(ExportError, match="--data"):
        FORMAT.write(converted, source, Precision.INT8, tmp_path / "out.tflite")
    assert not (tmp_path / "out.tflite").exists()


@pytest.mark.parametrize("wrong", [(1, 3, SIZE, SIZE + 1), (1, SIZE, SIZE, 3), (3, SIZE, SIZE)])
def test_images_of_another_shape_are_refused(tiny_tflite: Written, wrong: tuple[int, ...]) -> None:
    artefact = FORMAT.load(tiny_tflite[Precision.FP32][0])
    with pytest.raises(ArtefactError, match=r"takes float32 \["):
        artefact(np.zeros(wrong, np.float32))
    with pytest.raises(ArtefactError, match="float64"):
        artefact(np.zeros((1, 3, SIZE, SIZE)))


@pytest.mark.parametrize("precision", list(Precision))
def test_a_trace_goes_from_the_first_operator_to_the_logits(
    tiny_tflite: Written, precision: Precision
) -> None:
    path = tiny_tflite[precision][0]
    image = images(1, seed=5)
    steps = list(FORMAT.trace(path, image))
    assert steps[-1].name == "logits" or steps[-1].operator == "DEQUANTIZE"
    answer = FORMAT.load(path, threads=1)(image)
    np.testing.assert_allclose(steps[-1].value, answer, rtol=0.05, atol=0.05)
    assert all(step.value.dtype == np.float32 for step in steps)
    kinds = [step.operator for step in steps]
    assert kinds.index("CONV_2D") < kinds.index("SOFTMAX")


def test_tensors_are_named_after_the_modules_that_make_them(tiny_tflite: Written) -> None:
    network = tiny_network()
    image = images(1, seed=6)
    seen: dict[str, np.ndarray] = {}
    for name in ("left", "right"):
        network.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, name=name: seen.__setitem__(name, output.numpy())
        )
    torch_logits(network, image)
    steps = {
        step.name.rpartition(":")[0]: step.value
        for step in FORMAT.trace(tiny_tflite[Precision.FP32][0], image)
        if step.operator == "FULLY_CONNECTED"
    }
    # Both layers have one shape; the converter itself calls the second one by the first's name.
    for name, value in seen.items():
        np.testing.assert_allclose(steps[name].ravel(), value.ravel(), rtol=1e-4, atol=1e-5)


EXPORT = """
import sys
from pathlib import Path
from export.schema.metadata import Precision
from export.formats.tflite.format import TfliteFormat
from tests.export.formats.tflite.tiny import tiny_source
folder = Path(sys.argv[1])
source, one = tiny_source(), TfliteFormat()
converted = one.convert(source, folder)
for precision in Precision:
    one.write(converted, source, precision, folder / f"again-{precision}.tflite")
"""


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(tiny_tflite: Written, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [sys.executable, "-c", EXPORT, str(tmp_path)], check=True, env=environment, timeout=300
    )
    for precision, (path, _) in tiny_tflite.items():
        assert file_sha256(tmp_path / f"again-{precision}.tflite") == file_sha256(path)


def test_nothing_of_this_machine_is_in_the_files(tiny_tflite: Written) -> None:
    for path, _ in tiny_tflite.values():
        content = path.read_bytes()
        for trace in (b"/tmp", b"site-packages", str(Path.cwd()).encode(), b"litert_torch"):
            assert trace not in content


def test_what_reads_a_file_leaves_stderr_alone(tiny_tflite: Written) -> None:
    """In a process of its own: LiteRT announces its delegate once a process."""
    path, _ = tiny_tflite[Precision.FP32]
    assert loading_says(path) == ""


class Unconvertible(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if float(x.sum()) > 0 else -x


def test_a_network_the_converter_cannot_take_is_one_line(tmp_path: Path) -> None:
    source = ExportSource(Unconvertible().eval(), tiny_description())
    with pytest.raises(ExportError, match="litert-torch cannot convert tiny") as caught:
        FORMAT.convert(source, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_hierattn_is_small_and_wholly_delegated(tmp_path: Path) -> None:
    from export.passes import deployment_graph

    torch.manual_seed(0)
    network = create_model("hierattn_xs", num_classes=len(CLASSES)).eval()
    spec = PreprocessSpec(image_size=64)
    description = tiny_description().model_copy(update={"image_size": 64, "preprocessing": spec})
    graph = deployment_graph(network, 64)
    source = ExportSource(graph, description)
    converted = FORMAT.convert(source, tmp_path)
    whole, half = tmp_path / "whole.tflite", tmp_path / "half.tflite"
    FORMAT.write(converted, source, Precision.FP32, whole)
    FORMAT.write(converted, source, Precision.FP16, half)
    weights = 4 * sum(parameter.numel() for parameter in network.parameters())
    assert whole.stat().st_size <= 1.05 * weights
    assert half.stat().st_size <= 0.53 * whole.stat().st_size
    batch = np.random.default_rng(0).random((2, 3, 64, 64), np.float32)
    expected = torch_logits(network, batch)
    for path, tolerance in ((whole, 1e-5), (half, 1e-2)):
        assert FORMAT.describe(path).delegated == Delegation(partitions=1, left=0)
        difference = np.abs(FORMAT.load(path, threads=1)(batch) - expected).max()
        assert difference <= tolerance * np.abs(expected).max()


class Start(nn.Module):
    """The layers that are cut into stripes, and a classifier of its own."""

    def __init__(self, graph: nn.Module, channels: int) -> None:
        super().__init__()
        self.stem, self.layer1, self.block = graph.stem, graph.layer1, graph.layer2[0]
        self.classifier = nn.Linear(channels, len(CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.block(self.layer1(self.stem(x))).mean((2, 3)))


@pytest.mark.slow
def test_stripes_are_wholly_delegated_and_share_their_weights(tmp_path: Path) -> None:
    from export.passes import deployment_graph

    torch.manual_seed(0)
    network = create_model("hierattn_s", num_classes=len(CLASSES)).eval()
    spec = PreprocessSpec(image_size=128)
    description = tiny_description().model_copy(update={"image_size": 128, "preprocessing": spec})
    start = Start(deployment_graph(network, 128, "tflite"), 48).eval()
    path = tmp_path / "whole.tflite"
    source = ExportSource(start, description)
    FORMAT.write(FORMAT.convert(source, tmp_path), source, Precision.FP32, path)
    described = FORMAT.describe(path)
    assert described.delegated == Delegation(partitions=1, left=0)
    assert described.operators["CONCATENATION"] == 1
    weights = 4 * sum(parameter.numel() for parameter in start.parameters())
    assert path.stat().st_size < weights + 60_000
    batch = np.random.default_rng(0).random((1, 3, 128, 128), np.float32)
    expected = torch_logits(start, batch)
    difference = np.abs(FORMAT.load(path, threads=1)(batch) - expected).max()
    assert difference <= 1e-5 * np.abs(expected).max()
