"""Weight quantisation to 8 bits for Core ML."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from export.formats.conversion_input import converter_errors
from export.formats.coreml.package import StoredModel, stored_model
from export.formats.coreml.tidy import main_block
from export.schema.metadata import Precision

SMALLEST = 2048
"""Weights of at most so many elements stay float16: their scales would cost as much."""

SCHEMES = {
    Precision.FP32: "single precision",
    Precision.FP16: "weights and arithmetic in half precision, input and output in float32",
    Precision.INT8: (
        "weights of convolutions and linear layers as 8-bit integers with a scale for each output "
        f"channel, those of at most {SMALLEST} numbers in half precision; arithmetic in half "
        "precision"
    ),
}

_WEIGHTED = {"conv": "weight", "linear": "weight", "matmul": "y"}
"""Operations with weights, and the argument that holds them."""


def quantise_weights(half: Path) -> tuple[StoredModel, dict[str, int]]:
    """Store a half-precision package's weights as 8-bit integers.

    Returns:
        The model, and the number of operations by kind whose weights stay in float.

    Raises:
        ExportError: the quantiser refused.
    """
    import coremltools as ct
    from coremltools.optimize.coreml import (
        OpLinearQuantizerConfig,
        OptimizationConfig,
        linear_quantize_weights,
    )

    settings = OpLinearQuantizerConfig(
        mode="linear_symmetric", dtype="int8", weight_threshold=SMALLEST
    )
    with converter_errors("Core ML: the weights cannot be quantised"):
        loaded = ct.models.MLModel(str(half), skip_model_load=True)
        quantised = linear_quantize_weights(loaded, OptimizationConfig(global_config=settings))
    model = stored_model(quantised)
    return model, float_weights(model.specification)


def float_weights(specification: Any) -> dict[str, int]:
    """Number of operations by kind whose constant weights are stored as floats."""
    stored = {
        operation.outputs[0].name
        for operation in main_block(specification).operations
        if operation.type == "const"
    }
    found: Counter[str] = Counter()
    for operation in main_block(specification).operations:
        argument = operation.inputs.get(_WEIGHTED.get(operation.type, ""))
        if argument is not None and argument.arguments[0].name in stored:
            found[operation.type] += 1
    return dict(sorted(found.items()))
