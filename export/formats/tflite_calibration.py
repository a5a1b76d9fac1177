"""What activations of a .tflite reach on real photos, and what it answers to them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from export.formats.tflite_flatbuffer import read_tflite
from export.formats.tflite_interpreter import open_interpreter

_NOT_A_FILE = Path("the converted model")


@dataclass(frozen=True)
class Range:
    """Lowest and highest value to be told apart; beyond it, values are clipped."""

    low: float
    high: float


def activation_ranges(
    model: bytes, photos: np.ndarray, tensors: Collection[int]
) -> dict[str, Range]:
    """Extremes of some activations over photos, by tensor name.

    Args:
        model: float32 flatbuffer.
        photos: float32 [N, S, S, 3].
        tensors: their indices.
    """
    interpreter = open_interpreter(model, _NOT_A_FILE, threads=1, traced=True)
    graph = read_tflite(model, _NOT_A_FILE).subgraphs[0]
    wanted = sorted(tensors)
    low, high = np.full(len(wanted), np.inf), np.full(len(wanted), -np.inf)
    for photo in photos:
        interpreter.set_tensor(int(graph.inputs[0]), photo[np.newaxis])
        interpreter.invoke()
        for place, index in enumerate(wanted):
            value = interpreter.get_tensor(index)
            low[place] = min(low[place], value.min())
            high[place] = max(high[place], value.max())
    names = [graph.tensors[index].name.decode() for index in wanted]
    found = zip(names, low, high, strict=True)
    return {name: Range(float(least), float(most)) for name, least, most in found}


def answers(model: bytes, photos: np.ndarray) -> np.ndarray:
    """Logits float64 [N, K] to photos float32 [N, S, S, 3], as phones compute them."""
    interpreter: Any = open_interpreter(model, _NOT_A_FILE, threads=1)
    source = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]
    rows = []
    for photo in photos:
        interpreter.set_tensor(source, photo[np.newaxis])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(result)[0].astype(np.float64))
    return np.stack(rows)


def divergence(logits: np.ndarray, reference: np.ndarray) -> float:
    """Mean Kullback-Leibler divergence of the softmax of ``logits`` from the reference's, nats."""
    from scipy.special import log_softmax

    ours, theirs = log_softmax(logits, axis=1), log_softmax(reference, axis=1)
    return float((np.exp(theirs) * (theirs - ours)).sum(axis=1).mean())
