"""Choice of the int8 layers by sensitivity: which convolutions to quantise is measured on photos.

Products are computed in int8, everything between them stays float32. Static int8, with fixed
ranges, clips photos that exceed the calibrated ones: at the same speed it changed 1 to 3 % of the
predictions on PAD-UFES-20, this changes 0.2 %. Softmax, norms and GELU in int8 leave the delegate.
Large weights of operators that stay float are stored in float16.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import log_softmax

from export.formats.tflite.costs import products
from export.formats.tflite.engine import Engine
from export.formats.tflite.flatbuffer import operator_kinds, read_tflite
from export.formats.tflite.quantise import (
    CONVOLUTIONS,
    LINEAR,
    SMALLEST_HALF,
    Scheme,
    apply_scheme,
    count_float,
    draft_scheme,
    stored_weights,
)
from export.runtime.engine import load_engine
from export.schema.manifest import QuantisationRecord

MOST_DIVERGENCE = 2e-4
"""Largest divergence of int8 from float32, nats. Schemes below it kept 98 % of predictions and more
on photos of PAD-UFES-20 that took no part in choosing (docs/performance.md)."""
LEAST_REUSE_LINEAR, LEAST_REUSE_CONVOLUTION = 80, 256
"""Products per input element: below, quantising the input costs what int8 products save."""
PHOTOS = 32


def quantise(model: bytes, photos: np.ndarray) -> tuple[bytes, QuantisationRecord]:
    """The int8 flatbuffer, and what was done.

    Args:
        model: float32 flatbuffer.
        photos: float32 [N, 3, S, S], real ones; at most 32, spread evenly, are used.

    Raises:
        ExportError: the quantiser refused.
    """
    asked = np.ascontiguousarray(photos[:: -(-len(photos) // PHOTOS)].transpose(0, 2, 3, 1))
    parsed, _ = read_tflite(model, Path("the converted model"))
    linear, convolutions = stored_weights(parsed, LINEAR), stored_weights(parsed, CONVOLUTIONS)
    fast = [place for place in linear if reuse(parsed, place) >= LEAST_REUSE_LINEAR]
    large = stored_weights(parsed, (*LINEAR, *CONVOLUTIONS), SMALLEST_HALF)
    base = _with(Scheme(half=tuple(large)), fast)
    candidates = [
        place
        for place in stored_weights(parsed, ["CONV_2D"])
        if reuse(parsed, place) >= LEAST_REUSE_CONVOLUTION
    ]
    reference = _run_photos(model, asked)

    def divergence_with(places: Sequence[int]) -> float:
        return divergence(_run_photos(draft_scheme(model, _with(base, places)), asked), reference)

    chosen: Sequence[int] = candidates
    if divergence_with(candidates) > MOST_DIVERGENCE:
        # A larger convolution saves more time, so it may cost more accuracy.
        cost = [divergence_with([place]) / products(parsed, place) for place in candidates]
        ranked = [candidates[order] for order in np.argsort(cost, kind="stable")]
        chosen = _longest(ranked, lambda part: divergence_with(part) <= MOST_DIVERGENCE)
    scheme = _with(base, chosen)
    return apply_scheme(model, scheme), QuantisationRecord(
        scheme=f"int8 products of {len(fast)} of {len(linear)} linear layers and {len(chosen)} of "
        f"{len(convolutions)} convolutions, chosen on {len(asked)} calibration photos, activations "
        "by their range at run time; other large weights stored in float16",
        left_in_float=count_float(operator_kinds(parsed), scheme),
    )


def _longest(ranked: Sequence[int], fits: Callable[[Sequence[int]], bool]) -> Sequence[int]:
    """The longest prefix that fits, by bisection."""
    low, high = 0, len(ranked) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if fits(ranked[:middle]):
            low = middle
        else:
            high = middle - 1
    return ranked[:low]


def divergence(logits: np.ndarray, reference: np.ndarray) -> float:
    """Mean Kullback-Leibler divergence of softmax(logits) from softmax(reference), nats."""
    ours, theirs = log_softmax(logits, axis=1), log_softmax(reference, axis=1)
    return float((np.exp(theirs) * (theirs - ours)).sum(axis=1).mean())


def reuse(parsed: Any, place: int) -> float:
    """Multiply-adds per input element."""
    graph = parsed.subgraphs[0]
    fed = graph.tensors[graph.operators[place].inputs[0]].shape
    return products(parsed, place) / int(np.prod(fed, dtype=np.int64))


def _with(base: Scheme, chosen: Sequence[int]) -> Scheme:
    half = tuple(place for place in base.half if place not in set(chosen))
    return Scheme(tuple(sorted({*base.dynamic, *chosen})), half)


def _run_photos(model: bytes | bytearray, photos: np.ndarray) -> np.ndarray:
    engine = Engine(bytes(model), 1, 1)
    load_engine(engine, Path("the converted model"), f"LiteRT {engine.version}")
    answers = [engine.run(photo[np.newaxis]) for photo in photos]
    return np.concatenate(answers).astype(np.float64)
