from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.formats.onnx.int8 import linear_weight, quantise_linears

ROWS, INPUTS, OUTPUTS = 24, 32, 48


def linear(bias: bool = True, **settings: float) -> tuple[onnx.ModelProto, np.ndarray]:
    """``tanh(gemm(relu(x)))`` as a model, and the weight as [inputs, outputs]."""
    rng = np.random.default_rng(3)
    weight = rng.normal(size=(INPUTS, OUTPUTS)).astype(np.float32)
    stored = weight.T if settings.get("transB") else weight
    tensors = [numpy_helper.from_array(np.ascontiguousarray(stored), "weight")]
    if bias:
        tensors.append(numpy_helper.from_array(rng.normal(size=OUTPUTS).astype("f4"), "bias"))
    nodes = [
        helper.make_node("Relu", ["x"], ["positive"]),
        helper.make_node(
            "Gemm", ["positive", "weight", *(["bias"] if bias else [])], ["product"], **settings
        ),
        helper.make_node("Tanh", ["product"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [ROWS, INPUTS])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [ROWS, OUTPUTS])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return model, weight


def answer(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("turned", [0, 1])
def test_int8_stays_close_to_float(bias: bool, turned: int) -> None:
    model, _ = linear(bias, transB=turned)
    changed = ir.from_proto(model)
    assert quantise_linears(changed.graph) == 1
    written = ir.to_proto(changed)
    onnx.checker.check_model(written, full_check=True)
    x = 0.1 * np.random.default_rng(0).normal(size=(ROWS, INPUTS)).astype(np.float32)
    exact = answer(model, x)
    error = np.abs(answer(written, x) - exact)
    assert 0 < error.max() < 0.03
    assert [node.op_type for node in written.graph.node].count("Add") == bias


def test_only_plain_linear_layers_are_taken() -> None:
    def weight_of(model: onnx.ModelProto) -> np.ndarray | None:
        gemm = next(node for node in ir.from_proto(model).graph if node.op_type == "Gemm")
        return linear_weight(gemm)

    for settings in ({}, {"transB": 1}, {"alpha": 1.0, "beta": 1.0}):
        model, weight = linear(**settings)
        found = weight_of(model)
        assert found is not None
        assert np.array_equal(found, weight)
    for settings in ({"alpha": 0.5}, {"beta": 2.0}):
        assert weight_of(linear(**settings)[0]) is None
    unknown, _ = linear()
    del unknown.graph.initializer[0]
    unknown.graph.input.append(
        helper.make_tensor_value_info("weight", TensorProto.FLOAT, [INPUTS, OUTPUTS])
    )
    assert weight_of(unknown) is None


def test_a_matrix_product_is_linear_if_a_bias_follows() -> None:
    def weights_of(offset: np.ndarray) -> np.ndarray | None:
        model, _ = linear(bias=False)
        model.graph.node[1].op_type = "MatMul"
        model.graph.node[2].input[0] = "sum"
        add = helper.make_node("Add", ["product", "offset"], ["sum"])
        model.graph.node.insert(2, add)
        model.graph.initializer.append(numpy_helper.from_array(offset, "offset"))
        return linear_weight(next(n for n in ir.from_proto(model).graph if n.op_type == "MatMul"))

    assert weights_of(np.ones(OUTPUTS, np.float32)) is not None
    assert weights_of(np.ones((ROWS, OUTPUTS), np.float32)) is None


def test_the_layer_that_answers_stays_in_float() -> None:
    model, _ = linear()
    model.graph.node.pop()
    model.graph.node[-1].output[0] = "y"
    changed = ir.from_proto(model)
    assert quantise_linears(changed.graph) == 0


def test_products_of_two_fit_sixteen_bits() -> None:
    """Without VNNI, x86 adds pairs of uint8 by int8 products in saturating 16-bit arithmetic."""
    model, _ = linear()
    changed = ir.from_proto(model)
    quantise_linears(changed.graph)
    levels = [
        value.const_value.numpy()
        for value in changed.graph.initializers.values()
        if value.const_value is not None and value.const_value.dtype == ir.DataType.INT8
    ]
    assert len(levels) == 1
    assert 2 * 255 * np.abs(levels[0].astype(int)).max() < 2**15
