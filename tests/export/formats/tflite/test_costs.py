"""Costs of operators, against what was computed by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from export.errors import ExportError
from export.formats.interface import OperatorCost
from export.formats.tflite.costs import operator_costs
from export.formats.tflite.format import TfliteFormat
from export.formats.tflite.half_arithmetic import HINT, HINT_NAME
from export.formats.tflite.standard_metadata import add_metadata
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import Precision
from hierattn.models.complexity import count_multiply_adds
from tests.export.formats.tflite.products import (
    add_operator,
    add_tensor,
    empty_model,
    product_model,
)
from tests.export.formats.tflite.tiny import tiny_source

Written = dict[Precision, tuple[Path, QuantisationRecord]]


def model_of(kind: str, fed: tuple[int, ...], weights: np.ndarray, made: tuple[int, ...]) -> Any:
    """One operator with weights and a bias of float32, and the numbers of a shape."""
    model = empty_model()
    image = add_tensor(model, b"input", fed)
    stored = add_tensor(model, b"weights", weights.shape, weights)
    bias = add_tensor(model, b"bias", made[-1:], np.zeros(made[-1], np.float32))
    add_operator(model, kind, [image, stored, bias], add_tensor(model, b"made", made))
    return model


@pytest.mark.parametrize(
    ("kind", "fed", "weights", "made", "expected"),
    [
        # 16 positions of 5 outputs of 3 x 3 x 2 inputs; 90 weights and 5 biases; 8*8*2 and 4*4*5.
        ("CONV_2D", (1, 8, 8, 2), (5, 3, 3, 2), (1, 4, 4, 5), (1440, 380, 832)),
        # 16 positions of 6 channels of 3 x 3; 54 weights and 6 biases; 8*8*6 and 4*4*6.
        ("DEPTHWISE_CONV_2D", (1, 8, 8, 6), (1, 3, 3, 6), (1, 4, 4, 6), (864, 240, 1920)),
        # 7 rows of 4 inputs to 3 outputs; 12 weights and 3 biases; 7*4 and 7*3.
        ("FULLY_CONNECTED", (7, 4), (3, 4), (7, 3), (84, 60, 196)),
    ],
)
def test_layers(
    kind: str,
    fed: tuple[int, ...],
    weights: tuple[int, ...],
    made: tuple[int, ...],
    expected: tuple[int, int, int],
) -> None:
    model = model_of(kind, fed, np.ones(weights, np.float32), made)
    assert operator_costs(model, ()) == [OperatorCost("made", kind, *expected, "fp32")]
    assert operator_costs(model, {0})[0].arithmetic == "fp32, not delegated"
    add_metadata(model, HINT_NAME, HINT)
    assert operator_costs(model, ())[0].arithmetic == "fp16, native"
    dynamic = model_of(kind, fed, np.ones(weights, np.int8), made)
    (cost,) = operator_costs(dynamic, ())
    # Weights of one byte; the bias stays float32.
    assert cost.arithmetic == "int8 dynamic" and cost.multiply_adds == expected[0]
    assert cost.weight_bytes == int(np.prod(weights)) + 4 * made[-1]


def test_products_of_two_activations() -> None:
    """[2, 5, 3] times [2, 3, 4]; and the same with the left side stored the other way round."""
    for left, turned in (((2, 5, 3), False), ((2, 3, 5), True)):
        model = empty_model()
        sides = [add_tensor(model, b"a", left), add_tensor(model, b"b", (2, 3, 4))]
        made = add_tensor(model, b"made", (2, 5, 4))
        product = add_operator(model, "BATCH_MATMUL", sides, made)
        product.builtinOptions = schema.BatchMatMulOptionsT()
        product.builtinOptions.adjX = turned
        (cost,) = operator_costs(model, ())
        assert cost == OperatorCost("made", "BATCH_MATMUL", 120, 0, 4 * (30 + 24 + 40), "fp32")


def test_a_weight_in_half_precision_is_widened_once_and_read_as_it_is_stored() -> None:
    widened, product = operator_costs(product_model(left=False, halved=True), ())
    assert widened == OperatorCost("widened", "DEQUANTIZE", 0, 0, 0, "once, at load")
    # [1, 6, 4] times [1, 4, 8], whose 32 numbers take two bytes each.
    assert product == OperatorCost("logits", "BATCH_MATMUL", 192, 64, 4 * (24 + 48), "fp32")


def test_a_tensor_read_twice_is_counted_once_and_a_shape_is_no_weight() -> None:
    model = empty_model()
    image = add_tensor(model, b"input", (1, 6))
    square = add_tensor(model, b"square", (1, 6))
    add_operator(model, "MUL", [image, image], square)
    shape = add_tensor(model, b"shape", (2,), np.array([2, 3], np.int32))
    add_operator(model, "RESHAPE", [square, shape], add_tensor(model, b"made", (2, 3)))
    assert operator_costs(model, ()) == [
        OperatorCost("square", "MUL", 0, 0, 48, "fp32"),
        OperatorCost("made", "RESHAPE", 0, 0, 48, "fp32"),
    ]


def test_what_cannot_be_counted_is_refused() -> None:
    model = model_of(
        "TRANSPOSE_CONV", (1, 4, 4, 2), np.ones((5, 3, 3, 2), np.float32), (1, 8, 8, 5)
    )
    with pytest.raises(ExportError, match="TRANSPOSE_CONV"):
        operator_costs(model, ())


def test_written_files(tiny_tflite: Written) -> None:
    """Products of the file are those of torch's network; kernels are those of its precision."""
    source = tiny_source()
    expected = count_multiply_adds(source.graph, source.image_size)
    found = {
        precision: TfliteFormat().arm64_costs(path) for precision, (path, _) in tiny_tflite.items()
    }
    for costs in found.values():
        assert sum(cost.multiply_adds for cost in costs) == expected
        assert not any("not delegated" in cost.arithmetic for cost in costs)
    kernels = {
        precision: {cost.arithmetic for cost in costs} - {"once, at load"}
        for precision, costs in found.items()
    }
    assert kernels[Precision.FP32] == {"fp32"}
    assert kernels[Precision.FP16] == {"fp16, native"}
    assert kernels[Precision.INT8] == {"fp32", "int8 dynamic"}
