from __future__ import annotations

import numpy as np
import onnx_ir as ir
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from export.formats.onnx.storage import quantise_symmetric, store_as_half, store_as_int8

WEIGHTS = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=4, max_side=6),
    elements=st.floats(-100, 100, width=32, allow_subnormal=False),
)


@given(WEIGHTS, st.sampled_from([0, 1]), st.sampled_from([63, 127]))
def test_quantisation_is_within_half_a_scale(array: np.ndarray, axis: int, largest: int) -> None:
    levels, scale = quantise_symmetric(array, axis, largest)
    assert (levels.dtype, scale.dtype) == (np.int8, np.float32)
    assert scale.shape == tuple(
        side if index == axis else 1 for index, side in enumerate(array.shape)
    )
    assert np.abs(levels.astype(int)).max() <= largest
    error = np.abs(levels * scale.astype(np.float64) - array)
    assert (error <= 0.5001 * scale + 1e-30).all()


@given(WEIGHTS)
def test_levels_survive_quantisation(array: np.ndarray) -> None:
    levels, scale = quantise_symmetric(array, 0)
    again, _ = quantise_symmetric(levels * scale, 0)
    assert np.array_equal(again, levels)


def test_one_peak_a_column_is_stored_exactly() -> None:
    """So are pooling matrices: every entry of a column is zero or one over the cell's area."""
    matrix = np.zeros((9, 3), np.float32)
    matrix[:3, 0], matrix[2:9, 1], matrix[4, 2] = 1 / 3, 1 / 7, 1
    levels, scale = quantise_symmetric(matrix, 1)
    np.testing.assert_allclose(levels * scale, matrix, rtol=2e-7)


def graph_with(weight: np.ndarray, kind: str = "Conv") -> ir.Graph:
    """One operator that reads the input and a stored weight."""
    data, stored = ir.val("input"), ir.val("weight", const_value=ir.tensor(weight))
    node = ir.node(kind, [data, stored], name="node")
    node.outputs[0].name = "output"
    graph = ir.Graph([data], node.outputs, nodes=[node], opset_imports={"": 20})
    graph.register_initializer(stored)
    return graph


def stored_types(graph: ir.Graph) -> dict[str, str]:
    return {
        name: value.const_value.dtype.name
        for name, value in graph.initializers.items()
        if value.const_value is not None
    }


def test_large_weights_become_half() -> None:
    graph = graph_with(np.ones((32, 32, 1, 1), np.float32))
    assert store_as_half(graph) == 1
    assert stored_types(graph) == {"weight.half": "FLOAT16"}
    assert [node.op_type for node in graph] == ["Cast", "Conv"]


def test_what_half_cannot_hold_stays() -> None:
    for array in (
        np.full((32, 32, 1, 1), 1e5, np.float32),
        np.ones((4, 4, 1, 1), np.float32),
        np.ones((32, 32, 1, 1), np.int64),
    ):
        graph = graph_with(array)
        assert store_as_half(graph) == 0
        assert [node.op_type for node in graph] == ["Conv"]


def test_factors_stay_in_float32() -> None:
    graph = graph_with(np.ones((32, 32), np.float32), "Mul")
    assert store_as_half(graph) == 0


def test_large_weights_become_int8_by_output() -> None:
    for kind, shape in (("Conv", (64, 80, 1, 1)), ("MatMul", (80, 64))):
        graph = graph_with(np.random.default_rng(0).normal(size=shape).astype(np.float32), kind)
        assert store_as_int8(graph, ("Conv", "MatMul")) == 1
        assert stored_types(graph) == {"weight.int8": "INT8", "weight.scale": "FLOAT"}
        assert graph.initializers["weight.scale"].const_value.size == 64
        assert [node.op_type for node in graph] == ["Cast", "Mul", kind]


def test_small_weights_and_other_operators_stay_in_float() -> None:
    assert store_as_int8(graph_with(np.ones((16, 3, 3, 3), np.float32)), ("Conv",)) == 0
    assert store_as_int8(graph_with(np.ones((80, 64), np.float32), "Add"), ("Conv",)) == 0
