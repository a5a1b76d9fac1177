"""A float32 .tflite in smaller numbers: which operators get which, applied by the quantiser."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from export.errors import ExportError
from export.formats.interface import Quantisation
from export.formats.tflite_calibration import Range
from export.formats.tflite_flatbuffer import operator_kinds, pack
from export.formats.tflite_tidy import name_ends, share_buffers

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
"""Kinds with weights that can be stored smaller than they are computed with."""


@dataclass(frozen=True)
class Scheme:
    """What becomes of each operator, by its place in the graph; the rest stays float32.

    Attributes:
        static: int8 in, int8 out and int8 inside, by ranges measured beforehand.
        dynamic: int8 weights; activations become int8 for the product, by their range there.
        half: float32 inside, weights stored in float16.
    """

    static: tuple[int, ...] = ()
    dynamic: tuple[int, ...] = ()
    half: tuple[int, ...] = ()


def apply_scheme(model: bytes, scheme: Scheme, ranges: Mapping[str, Range]) -> bytes:
    """The quantised flatbuffer, tidy.

    Args:
        model: float32 flatbuffer, as :func:`export.formats.tflite_flatbuffer.pack` gives it.
        ranges: of every activation that the static operators touch, by tensor name.

    Raises:
        ExportError: the quantiser refused.
    """
    from ai_edge_litert.tools import flatbuffer_utils

    result = flatbuffer_utils.read_model_from_bytearray(draft_scheme(model, scheme, ranges))
    result.metadata = None
    name_ends(result)
    share_buffers(result)
    return pack(result)


def draft_scheme(model: bytes, scheme: Scheme, ranges: Mapping[str, Range]) -> bytearray:
    """As :func:`apply_scheme`, in half the time, good only to be run here and thrown away."""
    from ai_edge_quantizer.quantizer import AlgorithmName, Quantizer

    quantiser = Quantizer(bytearray(model))
    parsed = quantiser._float_model
    graph, kinds = parsed.subgraphs[0], operator_kinds(parsed)
    casting, uniform = AlgorithmName.FLOAT_CASTING, AlgorithmName.MIN_MAX_UNIFORM_QUANT
    parts = (
        (scheme.static, _static_config(), uniform),
        (scheme.dynamic, _dynamic_config(), uniform),
        (scheme.half, _half_config(), casting),
    )
    names = [graph.tensors[operator.outputs[0]].name.decode() for operator in graph.operators]
    try:
        for chosen, config, algorithm in parts:
            for kind in sorted({kinds[place] for place in chosen}):
                exact = "|".join(re.escape(names[i]) for i in chosen if kinds[i] == kind)
                quantiser.update_quantization_recipe(
                    f"^(?:{exact});$", _quantiser_name(kind), config, algorithm
                )
        done = quantiser.quantize(
            _statistics(graph, ranges) if scheme.static else None,
            enable_progress_bar=False,
            enable_progress_report=False,
        )
    except (RuntimeError, ValueError, KeyError, IndexError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ExportError(f"the TFLite quantiser refuses the model: {reason}") from error
    return bytearray(done.quantized_model)


def cast_to_half(model: bytes) -> tuple[bytes, Quantisation]:
    """Weights in float16, half the size; the runtime widens them once, when it loads the file.

    Raises:
        ExportError: the quantiser refused.
    """
    from ai_edge_litert.tools import flatbuffer_utils

    parsed = flatbuffer_utils.read_model_from_bytearray(bytearray(model))
    kinds = operator_kinds(parsed)
    weighted = tuple(constant_weights(parsed, (i for i, k in enumerate(kinds) if k in WEIGHTED)))
    small = apply_scheme(model, Scheme(half=weighted), {})
    return small, Quantisation("weights stored in float16, computed in float32", {})


def count_float(kinds: list[str], scheme: Scheme) -> dict[str, int]:
    """Operators that compute in float, by kind."""
    integer = {*scheme.static, *scheme.dynamic}
    return dict(sorted(Counter(k for i, k in enumerate(kinds) if i not in integer).items()))


def constant_weights(parsed: Any, places: Iterable[int]) -> list[int]:
    """Those operators whose second input is stored in the file."""
    graph = parsed.subgraphs[0]

    def is_constant(place: int) -> bool:
        inputs = graph.operators[place].inputs
        data = parsed.buffers[graph.tensors[inputs[1]].buffer].data if len(inputs) > 1 else None
        return data is not None and len(data) > 0

    return [place for place in places if is_constant(place)]


def _statistics(graph: Any, ranges: Mapping[str, Range]) -> dict[str, dict[str, np.ndarray]]:
    found = {}
    for tensor in graph.tensors:
        name = tensor.name.decode()
        if name in ranges:
            shape = (1,) * (len(tensor.shape) if tensor.shape is not None else 0)
            low, high = ranges[name].low, ranges[name].high
            found[name] = {
                "min": np.full(shape, low, np.float32),
                "max": np.full(shape, high, np.float32),
            }
    return found


def _quantiser_name(kind: str) -> Any:
    from ai_edge_quantizer.qtyping import TFLOperationName

    return TFLOperationName("CONV_2D_TRANSPOSE" if kind == "TRANSPOSE_CONV" else kind)


def _static_config() -> Any:
    from ai_edge_quantizer import qtyping

    return qtyping.OpQuantizationConfig(
        activation_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=8, symmetric=False, granularity=qtyping.QuantGranularity.TENSORWISE
        ),
        weight_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=8, symmetric=True, granularity=qtyping.QuantGranularity.CHANNELWISE
        ),
        compute_precision=qtyping.ComputePrecision.INTEGER,
        explicit_dequantize=False,
    )


def _dynamic_config() -> Any:
    """One scale a weight matrix: runtimes of 2023 read the first of several and answer nonsense."""
    from ai_edge_quantizer import qtyping

    return qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=8, symmetric=True, granularity=qtyping.QuantGranularity.TENSORWISE
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
