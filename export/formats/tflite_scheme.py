"""int8 by measurement: which convolutions bear 8-bit activations is found out on photos.

Linear layers always take dynamic int8, which moves the answers least and pays at once. A
convolution goes to static int8 together with the activation, gate and sum that follow, so that
numbers stay int8 between neighbours. Softmax, norms and GELU stay float: their int8 forms leave
the delegate. Convolutions that stay float store float16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from export.formats.interface import Quantisation
from export.formats.tflite_calibration import activation_ranges, answers, divergence
from export.formats.tflite_flatbuffer import operator_kinds, read_tflite
from export.formats.tflite_quantise import (
    Scheme,
    apply_scheme,
    constant_weights,
    count_float,
    draft_scheme,
)

MOST_DIVERGENCE = 3e-4
"""Nats between int8 and float answers on calibration photos; the gate's 97 % of equal decisions
was kept by every scheme below it that was measured (docs/performance.md)."""
LEAST_SHARE = 0.01
"""Of all multiply-adds of convolutions; a smaller one costs more to convert than it saves."""
RANGE_PHOTOS = 96
SWEEP_PHOTOS = 32

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_FOLLOWERS = ("LOGISTIC", "MUL", "ADD", "MEAN", "CONCATENATION", "HARD_SWISH", "RELU")


@dataclass(frozen=True)
class ConvolutionGroup:
    """A convolution and the element by element operators up to the next one.

    Attributes:
        places: of its operators in the graph.
        products: multiply-adds of the convolution, what int8 saves.
    """

    places: tuple[int, ...]
    products: int


def quantise(model: bytes, calibration: np.ndarray) -> tuple[bytes, Quantisation]:
    """The int8 flatbuffer, and what was done.

    Args:
        model: float32 flatbuffer.
        calibration: float32 [N, 3, S, S] real photos.

    Raises:
        ExportError: the quantiser refused.
    """
    photos = np.ascontiguousarray(calibration.transpose(0, 2, 3, 1))[:RANGE_PHOTOS]
    parsed, _ = read_tflite(model, Path("the converted model"))
    kinds = operator_kinds(parsed)
    linears = [place for place, kind in enumerate(kinds) if kind == "FULLY_CONNECTED"]
    convolutions = [place for place, kind in enumerate(kinds) if kind in CONVOLUTIONS]
    base = Scheme(
        dynamic=tuple(constant_weights(parsed, linears)),
        half=tuple(constant_weights(parsed, convolutions)),
    )
    every = convolution_groups(parsed, kinds)
    heavy = LEAST_SHARE * sum(group.products for group in every)
    groups = [group for group in every if group.products >= heavy]
    touched = _activations(parsed, [place for group in groups for place in group.places])
    ranges = activation_ranges(model, photos, touched)
    asked = photos[:: max(1, len(photos) // SWEEP_PHOTOS)]
    reference = answers(model, asked)

    def harm(chosen: Sequence[ConvolutionGroup]) -> float:
        small = draft_scheme(model, _with_static(base, chosen), ranges)
        return divergence(answers(small, asked), reference)

    cost = [harm([group]) / group.products for group in groups]
    ranked = [groups[place] for place in np.argsort(cost, kind="stable")]
    # How many of the least harmful per multiply-add keep within the bound together, by halving.
    low, high = 0, len(ranked)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if harm(ranked[:middle]) <= MOST_DIVERGENCE else (low, middle - 1)
        )
    scheme = _with_static(base, ranked[:low])
    return apply_scheme(model, scheme, ranges), Quantisation(
        f"linear layers int8 weights and dynamic activations; {low} of {len(every)} "
        f"convolutions static int8 by {len(photos)} photos; other convolutions stored in float16",
        count_float(kinds, scheme),
    )


def convolution_groups(parsed: Any, kinds: Sequence[str]) -> list[ConvolutionGroup]:
    """The convolutions with stored weights, in execution order."""
    starts = [place for place, kind in enumerate(kinds) if kind in CONVOLUTIONS]
    ends = [*starts[1:], len(kinds)]
    known = set(constant_weights(parsed, starts))
    groups = []
    for start, end in zip(starts, ends, strict=True):
        if start not in known:
            continue
        places = [start, *(p for p in range(start + 1, end) if _follows(parsed, kinds, p))]
        if start > 0 and kinds[start - 1] == "PAD":
            places.insert(0, start - 1)
        groups.append(ConvolutionGroup(tuple(places), _products(parsed, start)))
    return groups


def _follows(parsed: Any, kinds: Sequence[str], place: int) -> bool:
    """Works on one feature map, or on one number a channel; token sequences have other shapes."""
    shape = _output(parsed, place).shape
    on_maps = len(shape) == 4 or (len(shape) == 2 and kinds[place] in ("MEAN", "LOGISTIC"))
    return kinds[place] in _FOLLOWERS and on_maps and shape[0] == 1


def _products(parsed: Any, place: int) -> int:
    graph = parsed.subgraphs[0]
    operator = graph.operators[place]
    weights = graph.tensors[operator.inputs[1]].shape
    _, height, width, _ = _output(parsed, place).shape
    return int(height) * int(width) * int(np.prod(weights, dtype=np.int64))


def _output(parsed: Any, place: int) -> Any:
    graph = parsed.subgraphs[0]
    return graph.tensors[graph.operators[place].outputs[0]]


def _activations(parsed: Any, places: Sequence[int]) -> set[int]:
    """Indices of the float tensors computed or fed, that these operators read or write."""
    from ai_edge_litert.schema_py_generated import TensorType

    graph = parsed.subgraphs[0]
    touched = {
        int(index)
        for place in places
        for index in (*graph.operators[place].inputs, *graph.operators[place].outputs)
        if index >= 0
    }
    return {
        index
        for index in touched
        if graph.tensors[index].type == TensorType.FLOAT32
        and parsed.buffers[graph.tensors[index].buffer].data is None
    }


def _with_static(base: Scheme, chosen: Sequence[ConvolutionGroup]) -> Scheme:
    static = {place for group in chosen for place in group.places}
    return replace(
        base,
        static=tuple(sorted(static)),
        half=tuple(place for place in base.half if place not in static),
    )
