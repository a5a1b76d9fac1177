from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from export.errors import ArtefactError
from export.formats.onnx.format import OnnxFormat
from export.schema.metadata import METADATA_KEY
from tests.export.formats.onnx.tiny import CLASSES, SIZE, images, tiny_source

FORMAT = OnnxFormat()


def small_model() -> onnx.ModelProto:
    """A valid file of ours: global average, then a matrix."""
    classes = len(CLASSES)
    nodes = [
        helper.make_node("GlobalAveragePool", ["input"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weight"], ["logits"]),
    ]
    weight = np.arange(3 * classes, dtype=np.float32).reshape(3, classes)
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", classes])],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    model.metadata_props.add(key=METADATA_KEY, value=tiny_source().description.to_json())
    return model


VALID = small_model().SerializeToString()


def refusal(content: bytes, folder: Path) -> str:
    """What all three readers say, which must be one line that names the file."""
    path = folder / "file.onnx"
    path.write_bytes(content)
    said = set()
    readers: list[Callable[[], object]] = [
        lambda: FORMAT.load(path),
        lambda: FORMAT.describe(path),
        lambda: list(FORMAT.trace(path, images(1))),
    ]
    for read in readers:
        with pytest.raises(ArtefactError) as caught:
            read()
        said.add(str(caught.value))
    assert len(said) == 1
    message = said.pop()
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def changed(change: Callable[[onnx.ModelProto], object]) -> bytes:
    model = small_model()
    change(model)
    return model.SerializeToString()


def test_the_unchanged_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.onnx"
    path.write_bytes(VALID)
    batch = images(2)
    weight = np.arange(9, dtype=np.float32).reshape(3, 3)
    expected = batch.mean((2, 3)) @ weight
    np.testing.assert_allclose(FORMAT.load(path)(batch), expected, rtol=1e-5)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="no such file"):
        FORMAT.load(tmp_path / "none.onnx")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ArtefactError, match="a folder, not an ONNX file"):
        FORMAT.load(tmp_path / "folder.onnx")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "not an ONNX file"), (b"\xff" * 99, "not an ONNX file"), (VALID[:-40], "ONNX file")],
    ids=["empty", "noise", "cut off"],
)
def test_no_model(content: bytes, reason: str, tmp_path: Path) -> None:
    assert reason in refusal(content, tmp_path)


def _point_outside(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../secret.bin")


def _point_outside_quietly(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")


def _constant_outside(model: onnx.ModelProto) -> None:
    tensor = TensorProto(data_type=1, dims=[1], data_location=TensorProto.EXTERNAL)
    node = helper.make_node("Constant", [], ["unread"])
    node.attribute.append(helper.make_attribute("value", tensor))
    model.graph.node.insert(0, node)


def _branch(model: onnx.ModelProto) -> None:
    body = helper.make_graph([], "body", [], [])
    node = helper.make_node("If", ["flat"], ["unread"], then_branch=body, else_branch=body)
    model.graph.node.append(node)


def _foreign_operator(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Run", ["flat"], ["unread"], domain="some.where"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_point_outside, "weights kept in another file"),
        (_point_outside_quietly, "weights kept in another file"),
        (_constant_outside, "weights kept in another file"),
        (_branch, "a subgraph"),
        (_foreign_operator, "an operator of 'some.where'"),
        (lambda model: model.graph.sparse_initializer.add(), "sparse weights"),
        (lambda model: model.functions.add(), "functions"),
    ],
)
def test_parts_that_we_never_write_are_refused(
    change: Callable[[onnx.ModelProto], object], reason: str, tmp_path: Path
) -> None:
    assert f"holds {reason}" in refusal(changed(change), tmp_path)


def _resize_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 64


def _another_class(model: onnx.ModelProto) -> None:
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 8


def _another_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1]))


def _whole_numbers(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT32


def _another_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "flat"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda model: model.metadata_props.pop(), "carries no 'hierattn' metadata"),
        (_resize_input, r"its input is not float32 [N, 3, 32, 32]"),
        (_whole_numbers, r"its input is not float32 [N, 3, 32, 32]"),
        (_another_class, "its output is not float32 [N, 3], one a class"),
        (_another_input, "its inputs are not just 'input'"),
        (_another_output, "its outputs are not just 'logits'"),
    ],
)
def test_files_of_another_model_are_refused(
    change: Callable[[onnx.ModelProto], object], reason: str, tmp_path: Path
) -> None:
    assert reason in refusal(changed(change), tmp_path)


def test_the_runtime_refuses_in_one_line_and_in_silence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file.onnx"
    path.write_bytes(changed(lambda model: setattr(model.graph.node[0], "op_type", "Nonesuch")))
    with pytest.raises(ArtefactError, match=r"refuses the file \(This is an invalid") as caught:
        FORMAT.load(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def _huge_value(model: onnx.ModelProto) -> None:
    sides = numpy_helper.from_array(np.array([2**31, 2**31], np.int64), "sides")
    model.graph.initializer.append(sides)
    model.graph.node[-1].output[0] = "small"
    model.graph.node.append(helper.make_node("ConstantOfShape", ["sides"], ["huge"]))
    model.graph.node.append(helper.make_node("ReduceMax", ["huge"], ["most"], keepdims=0))
    model.graph.node.append(helper.make_node("Add", ["small", "most"], ["logits"]))


def test_a_value_that_fits_no_memory_is_an_error_in_silence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file.onnx"
    path.write_bytes(changed(_huge_value))
    with pytest.raises(ArtefactError, match=r"onnxruntime .* cannot run the file"):
        FORMAT.load(path, threads=1)(images(1))
    assert capfd.readouterr() == ("", "")


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """A valid file with bytes changed, put in, taken out, or its end cut off."""
    content = bytearray(VALID)
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(content) - 1)) if content else 0
        taken = draw(st.integers(0, 8))
        content[place : place + taken] = draw(st.binary(max_size=8))
    return (
        bytes(content[: draw(st.integers(0, len(content)))])
        if draw(st.booleans())
        else (bytes(content))
    )


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged_files())
def test_damaged_files_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    path.write_bytes(content)
    try:
        FORMAT.describe(path)
        answer = FORMAT.load(path, threads=1)(images(1))
        list(FORMAT.trace(path, images(1)))
    except ArtefactError as refused:
        assert str(refused).startswith(f"{path}: ")
        assert "\n" not in str(refused)
    else:
        assert answer.shape == (1, len(CLASSES))
