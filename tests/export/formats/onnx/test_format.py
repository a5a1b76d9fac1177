from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from export.errors import ArtefactError, ExportError
from export.formats.onnx.format import OnnxFormat
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import METADATA_KEY, Description, Precision
from hierattn.common.files import file_sha256
from tests.export.formats.onnx.tiny import CLASSES, SIZE, images, tiny_network, tiny_source

FORMAT = OnnxFormat()


@pytest.fixture(scope="session")
def written(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[Precision, tuple[Path, QuantisationRecord]]:
    """The tiny network in three files; read only."""
    folder = tmp_path_factory.mktemp("onnx")
    source = tiny_source()
    converted = FORMAT.convert(source, folder)
    files = {precision: folder / f"tiny-{precision}.onnx" for precision in Precision}
    return {
        precision: (path, FORMAT.write(converted, source, precision, path))
        for precision, path in files.items()
    }


def torch_logits(network: nn.Module, batch: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return network(torch.from_numpy(batch)).numpy()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_float32_answers_as_torch_for_any_batch(written: dict, count: int) -> None:
    artefact = FORMAT.load(written[Precision.FP32][0], threads=1)
    batch = images(count, seed=count)
    answer = artefact(batch)
    expected = torch_logits(tiny_network(), batch)
    assert answer.dtype == np.float32
    assert np.abs(answer - expected).max() <= 1e-5 * np.abs(expected).max()


def test_no_images_no_answers(written: dict) -> None:
    for path, _ in written.values():
        assert FORMAT.load(path)(images(0)).shape == (0, len(CLASSES))


def test_float16_answers_as_torch_with_rounded_weights(written: dict) -> None:
    network = tiny_network()
    for parameter in network.parameters():
        if parameter.numel() >= 512:
            parameter.data = parameter.data.half().float()
    expected = torch_logits(network, images(3))
    answer = FORMAT.load(written[Precision.FP16][0], threads=1)(images(3))
    assert np.abs(answer - expected).max() <= 1e-5 * np.abs(expected).max()
    assert np.abs(answer - torch_logits(tiny_network(), images(3))).max() > 0


def test_int8_is_close_and_says_what_it_left_in_float(written: dict) -> None:
    path, quantisation = written[Precision.INT8]
    expected = torch_logits(tiny_network(), images(8))
    answer = FORMAT.load(path, threads=1)(images(8))
    assert 0 < np.abs(answer - expected).max() <= 0.05 * np.abs(expected).max()
    operators = FORMAT.describe(path).operators
    assert (operators["MatMulInteger"], operators["DynamicQuantizeLinear"]) == (2, 1)
    assert quantisation.left_in_float["Conv"] == 2
    assert quantisation.left_in_float["Gemm"] == 1
    assert "Reshape" not in quantisation.left_in_float
    assert quantisation.scheme.startswith("2 linear layers in int8 arithmetic")


def test_int8_answers_do_not_depend_on_the_other_images(written: dict) -> None:
    artefact = FORMAT.load(written[Precision.INT8][0], threads=1)
    batch = images(4) * np.array([1, 0.1, 0.5, 0.01], np.float32)[:, None, None, None]
    alone = np.concatenate([artefact(batch[index : index + 1]) for index in range(4)])
    assert np.array_equal(artefact(batch), alone)


def test_sizes(written: dict) -> None:
    weights = 4 * sum(parameter.numel() for parameter in tiny_network().parameters())
    stored = {}
    for precision, (path, _) in written.items():
        graph = onnx.load(path).graph
        stored[precision] = sum(len(tensor.raw_data) for tensor in graph.initializer)
    assert weights <= stored[Precision.FP32] <= weights + 200
    assert stored[Precision.FP16] < 0.6 * weights
    assert stored[Precision.INT8] < 0.4 * weights


@pytest.mark.parametrize("precision", [Precision.FP16, Precision.INT8])
def test_the_runtime_widens_weights_when_it_loads(
    written: dict, precision: Precision, tmp_path: Path
) -> None:
    path = written[precision][0]
    stored = {tensor.name for tensor in onnx.load(path).graph.initializer}
    widening = [node for node in onnx.load(path).graph.node if set(node.input) <= stored]
    assert widening
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    optimised = onnx.load(tmp_path / "optimised.onnx").graph
    constant = {tensor.name for tensor in optimised.initializer}
    assert not [node for node in optimised.node if set(node.input) <= constant]


def test_metadata_serves_other_readers(written: dict) -> None:
    for precision, (path, _) in written.items():
        model = onnx.load(path)
        assert (model.ir_version, model.opset_import[0].version) == (9, 20)
        assert len(model.opset_import) == 1
        props = {prop.key: prop.value for prop in model.metadata_props}
        description = Description.model_validate_json(props[METADATA_KEY])
        assert description == tiny_source().describe(precision)
        assert props["labels"] == '["MEL", "NEV", "né vus, «autre»"]'
        assert (props["image_size"], props["precision"]) == (str(SIZE), precision.value)


def test_files_hold_no_trace_of_this_machine(written: dict) -> None:
    for path, _ in written.values():
        content = path.read_bytes()
        for trace in (str(Path.cwd()), str(Path.home()), "site-packages", "stack_trace", ".py"):
            assert trace.encode() not in content


def test_values_are_named_after_modules(written: dict) -> None:
    graph = onnx.load(written[Precision.FP32][0]).graph
    outputs = [node.output[0] for node in graph.node]
    assert {"stem/conv2d", "conv/conv2d", "left/linear", "right/linear"} <= set(outputs)
    assert len(set(outputs)) == len(outputs)
    assert [node.name for node in graph.node] == outputs
    assert {"stem/conv2d.weight", "conv/conv2d.bias"} <= {t.name for t in graph.initializer}


def test_facts(written: dict) -> None:
    facts = FORMAT.describe(written[Precision.FP32][0])
    assert facts.input.model_dump() == {
        "name": "input",
        "layout": "NCHW",
        "dtype": "float32",
        "shape": [-1, 3, SIZE, SIZE],
        "range": (0.0, 1.0),
    }
    assert facts.output.name == "logits"
    assert facts.delegated is None
    assert (facts.operators["Conv"], facts.operators["Gemm"]) == (2, 3)


def test_trace_yields_what_torch_computes(written: dict) -> None:
    network = tiny_network()
    kept: dict[str, Tensor] = {}
    for name, module in network.named_children():
        module.register_forward_hook(lambda _, __, out, name=name: kept.update({name: out}))
    expected = torch_logits(network, images(1))
    traced = list(FORMAT.trace(written[Precision.FP32][0], images(1)))
    values = {tensor.name: tensor for tensor in traced}
    assert values["conv/conv2d"].operator == "Conv"
    for name, operation in (("stem", "conv2d"), ("conv", "conv2d"), ("left", "linear")):
        np.testing.assert_allclose(
            values[f"{name}/{operation}"].value, kept[name].numpy(), rtol=0, atol=1e-5
        )
    order = [tensor.name for tensor in traced]
    assert order.index("stem/conv2d") < order.index("conv/conv2d") < order.index("left/linear")
    assert order[-1] == "logits"
    np.testing.assert_allclose(traced[-1].value, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("precision", list(Precision))
def test_trace_ends_in_the_answer_and_leaves_out_weights(
    written: dict, precision: Precision
) -> None:
    path = written[precision][0]
    traced = list(FORMAT.trace(path, images(1)))
    assert all(tensor.value.dtype == np.float32 for tensor in traced)
    assert not [tensor.name for tensor in traced if "weight" in tensor.name]
    answer = FORMAT.load(path, threads=1)(images(1))
    np.testing.assert_allclose(traced[-1].value, answer, rtol=0, atol=0.02 * np.abs(answer).max())


def test_trace_takes_one_image(written: dict) -> None:
    with pytest.raises(ArtefactError, match="one image"):
        list(FORMAT.trace(written[Precision.FP32][0], images(2)))


@pytest.mark.parametrize(
    "wrong",
    [
        images(1)[0],
        images(1).astype(np.float64),
        images(1)[:, :, :16],
        images(1).transpose(0, 2, 3, 1),
    ],
    ids=["no batch", "float64", "not square", "NHWC"],
)
def test_wrong_images_are_refused(written: dict, wrong: np.ndarray) -> None:
    with pytest.raises(ArtefactError, match=r"takes float32 \[N, 3, 32, 32\], not"):
        FORMAT.load(written[Precision.FP32][0])(wrong)


def test_int8_needs_photos(tmp_path: Path) -> None:
    source = tiny_source(calibrated=False)
    with pytest.raises(ExportError, match=r"^int8 needs calibration photos; pass --data$"):
        FORMAT.write(tmp_path / "none.onnx", source, Precision.INT8, tmp_path / "int8.onnx")


def test_a_network_that_torch_cannot_export_is_named_in_one_line(tmp_path: Path) -> None:
    class Undecided(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mean((2, 3)) if float(x.sum()) > 0 else x.sum((2, 3))

    with pytest.raises(ExportError, match=r"^onnx: torch cannot export the network") as caught:
        FORMAT.convert(tiny_source(Undecided()), tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(written: dict, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from export.schema.metadata import Precision\n"
        "from export.formats.onnx.format import OnnxFormat\n"
        "from tests.export.formats.onnx.tiny import tiny_source\n"
        "out, fmt, source = Path(sys.argv[1]), OnnxFormat(), tiny_source()\n"
        "converted = fmt.convert(source, out)\n"
        "for each in Precision: fmt.write(converted, source, each, out / f'{each}.onnx')\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    command = [sys.executable, "-c", script, str(tmp_path)]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    for precision, (path, _) in written.items():
        assert file_sha256(tmp_path / f"{precision}.onnx") == file_sha256(path)
