"""What activations of a .tflite reach on real photos, and what it answers to them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from export.formats.tflite_flatbuffer import read_tflite
from export.formats.tflite_interpreter import open_interpreter

_BEYOND, _VALUES = 1e-4, 1 << 16
_NOT_A_FILE = Path("the converted model")


@dataclass(frozen=True)
class Range:
    """Lowest and highest value to be told apart; beyond it, values are clipped."""

    low: float
    high: float


def activation_ranges(
    model: bytes, photos: np.ndarray, tensors: Collection[int]
) -> dict[str, Range]:
    """How far some activations reach on photos, by tensor name.

    Of each photo all but 1 value in 10000 at either end counts, and of all photos the second
    furthest: a single spark, or a single odd photo, would coarsen the steps for all others.

    Args:
        model: float32 flatbuffer.
        photos: float32 [N, S, S, 3].
        tensors: their indices.
    """
    interpreter = open_interpreter(model, _NOT_A_FILE, threads=1, traced=True)
    graph = read_tflite(model, _NOT_A_FILE)[0].subgraphs[0]
    wanted = sorted(tensors)
    ends = np.empty((len(photos), len(wanted), 2))
    for row, photo in zip(ends, photos, strict=True):
        interpreter.set_tensor(int(graph.inputs[0]), photo[np.newaxis])
        interpreter.invoke()
        for place, index in enumerate(wanted):
            row[place] = _reach(interpreter.get_tensor(index))
    ends.sort(axis=0)
    second = min(1, len(photos) - 1)
    names = [graph.tensors[index].name.decode() for index in wanted]
    found = zip(names, ends[second, :, 0], ends[-1 - second, :, 1], strict=True)
    return {name: Range(float(low), float(high)) for name, low, high in found}


def _reach(value: np.ndarray) -> tuple[float, float]:
    # Every so many values of a large map are as good as all, and ten times as fast to sort.
    some = value.ravel()[:: max(1, value.size // _VALUES)]
    beyond = round(some.size * _BEYOND)
    parted = np.partition(some, [beyond, some.size - 1 - beyond])
    return float(parted[beyond]), float(parted[some.size - 1 - beyond])


def answers(model: bytes | bytearray, photos: np.ndarray) -> np.ndarray:
    """Logits float64 [N, K] to photos float32 [N, S, S, 3], as phones compute them."""
    interpreter: Any = open_interpreter(bytes(model), _NOT_A_FILE, threads=1)
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
