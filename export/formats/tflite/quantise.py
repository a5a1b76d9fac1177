"""Quantisation of a float32 .tflite: applies a chosen precision to each operator."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from export.formats.conversion_input import converter_errors
from export.formats.tflite.flatbuffer import operator_kinds, pack
from export.formats.tflite.tidy import name_input_output, share_buffers
from export.schema.manifest import QuantisationRecord

LINEAR = ("FULLY_CONNECTED",)
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
SMALLEST_HALF = 1024
"""Least number of elements of a matrix or kernel to be rounded to float16. Small ones, above all in
first layers, save next to nothing and change the logits most: left in float32, the largest
difference on PAD-UFES-20 falls from 3.6 % of a photo's logits to 0.12 % for 0.5 % more bytes."""


@dataclass(frozen=True)
class Scheme:
    """Precision of operators with stored weights, by index in the graph; the rest stays float32.

    Attributes:
        dynamic: int8 weights; activations become int8 for the product alone, each time by their
            own range, and the result is float32 again.
        half: float32 inside, weights stored in float16.
    """

    dynamic: tuple[int, ...] = ()
    half: tuple[int, ...] = ()


def apply_scheme(model: bytes, scheme: Scheme) -> bytes:
    """The quantised flatbuffer, tidy.

    Args:
        model: float32 flatbuffer, as :func:`export.formats.tflite.flatbuffer.pack` gives it.
        scheme: of operators that :func:`stored_weights` finds.

    Raises:
        ExportError: the quantiser refused.
    """
    from ai_edge_litert.tools import flatbuffer_utils

    result = flatbuffer_utils.read_model_from_bytearray(draft_scheme(model, scheme))
    result.metadata = None
    name_input_output(result)
    share_buffers(result)
    return pack(result)


def draft_scheme(model: bytes, scheme: Scheme) -> bytearray:
    """As :func:`apply_scheme`, in half the time, for trials that are not kept."""
    from ai_edge_litert.tools import flatbuffer_utils
    from ai_edge_quantizer.quantizer import AlgorithmName, Quantizer

    parsed = flatbuffer_utils.read_model_from_bytearray(bytearray(model))
    graph, kinds = parsed.subgraphs[0], operator_kinds(parsed)
    names = [graph.tensors[operator.outputs[0]].name.decode() for operator in graph.operators]
    quantiser = Quantizer(bytearray(model))
    with converter_errors("the TFLite quantiser refuses the model"):
        for chosen, algorithm in (
            (scheme.dynamic, AlgorithmName.MIN_MAX_UNIFORM_QUANT),
            (scheme.half, AlgorithmName.FLOAT_CASTING),
        ):
            for kind in sorted({kinds[place] for place in chosen}):
                exact = "|".join(re.escape(names[i]) for i in chosen if kinds[i] == kind)
                config = _half_config() if chosen is scheme.half else _dynamic_config(kind)
                quantiser.update_quantization_recipe(
                    f"^(?:{exact});$", _quantiser_name(kind), config, algorithm
                )
        done = quantiser.quantize(enable_progress_bar=False, enable_progress_report=False)
    return bytearray(done.quantized_model)


def cast_to_half(model: bytes) -> tuple[bytes, QuantisationRecord]:
    """Store weights in float16, half the size; a runtime that computes in float32 widens them.

    Raises:
        ExportError: the quantiser refused.
    """
    from ai_edge_litert.tools import flatbuffer_utils

    parsed = flatbuffer_utils.read_model_from_bytearray(bytearray(model))
    weighted = stored_weights(parsed, (*LINEAR, *CONVOLUTIONS), SMALLEST_HALF)
    scheme = Scheme(half=tuple(weighted))
    return apply_scheme(model, scheme) if weighted else model, QuantisationRecord(
        scheme=f"weights of {SMALLEST_HALF} numbers and more stored in float16; computed in "
        "float32, and in float16 where LiteRT finds a processor for it (ARMv8.2 and newer)",
        left_in_float={},
    )


def stored_weights(parsed: Any, kinds: Iterable[str], least: int = 1) -> list[int]:
    """Indices of the operators whose second input is a constant in the file.

    Args:
        parsed: ``ModelT``.
        kinds: of operators.
        least: how many numbers the constant must have.
    """
    graph, wanted = parsed.subgraphs[0], set(kinds)

    def is_stored(place: int) -> bool:
        inputs = graph.operators[place].inputs
        if len(inputs) < 2:
            return False
        weights = graph.tensors[inputs[1]]
        data = parsed.buffers[weights.buffer].data
        return data is not None and len(data) > 0 and int(np.prod(weights.shape)) >= least

    return [
        place
        for place, kind in enumerate(operator_kinds(parsed))
        if kind in wanted and is_stored(place)
    ]


def count_float(kinds: Sequence[str], scheme: Scheme) -> dict[str, int]:
    """Operators that compute in float, by kind."""
    integer = set(scheme.dynamic)
    return dict(sorted(Counter(k for i, k in enumerate(kinds) if i not in integer).items()))


def _quantiser_name(kind: str) -> Any:
    from ai_edge_quantizer.qtyping import TFLOperationName

    return TFLOperationName("CONV_2D_TRANSPOSE" if kind == "TRANSPOSE_CONV" else kind)


def _dynamic_config(kind: str) -> Any:
    """A scale an output channel; for linear layers, one a matrix.

    Runtimes of 2023 use the first of a linear layer's scales for all, with useless results.
    """
    from ai_edge_quantizer import qtyping

    granularity = qtyping.QuantGranularity
    return qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=8,
            symmetric=True,
            granularity=granularity.TENSORWISE if kind in LINEAR else granularity.CHANNELWISE,
        ),
        compute_precision=qtyping.ComputePrecision.INTEGER,
        explicit_dequantize=False,
    )


def _half_config() -> Any:
    from ai_edge_quantizer import qtyping

    return qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=16, dtype=qtyping.TensorDataType.FLOAT
        ),
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )
