"""TFLite files in LiteRT: opening one, and its intermediate tensors for traces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from export.errors import ArtefactError
from export.formats.interface import EngineArtefact, TracedTensor
from export.runtime.engine import load_engine
from export.runtime.notices import without_notices
from export.schema.metadata import Description


def open_artefact(
    model: bytes,
    path: Path,
    description: Description,
    threads: int | None = 1,
    *,
    traced: bool = False,
) -> EngineArtefact:
    """A file in LiteRT; it has batch size 1.

    Args:
        model: the flatbuffer, already checked: the runtime reads it unchecked.
        path: named in errors.
        description: the one inside the file.
        threads: None leaves the choice to the runtime.
        traced: keep every intermediate tensor.

    Raises:
        ArtefactError: the runtime refuses the file, or it does not fit its description.
    """
    from export.formats.tflite.engine import Engine

    engine = Engine(model, threads, 1, traced)
    evaluator = f"LiteRT {engine.version}"
    with without_notices():  # LiteRT announces its delegate to whoever made the process
        load_engine(engine, path, evaluator)
    _check_input_output(path, description, engine.input, engine.output)
    return EngineArtefact(path, engine, description, evaluator)


def _check_input_output(path: Path, description: Description, first: Any, last: Any) -> None:
    """Check the runtime's details of input and output against the file's description."""
    side, classes = description.image_size, len(description.classes)
    expected = ((1, side, side, 3), np.float32), ((1, classes), np.float32)
    for details, (shape, dtype) in zip((first, last), expected, strict=True):
        if tuple(details["shape"]) != shape or details["dtype"] != dtype:
            raise ArtefactError(
                f"{path}: '{details['name']}' is {np.dtype(details['dtype']).name}"
                f"{details['shape'].tolist()}, its own description says float32{list(shape)}"
            )


def trace_tensors(
    artefact: EngineArtefact, graph: Any, kinds: list[str], image: np.ndarray
) -> Iterator[TracedTensor]:
    """Run one image; yield the result of each operator, in execution order.

    Args:
        artefact: whose engine keeps every tensor (``traced``).
        graph: the parsed subgraph.
        kinds: of its operators.
        image: float32 [1, 3, S, S].
    """
    artefact(image)
    interpreter = artefact.engine.interpreter
    fed = {int(graph.inputs[0])}
    for operator, kind in zip(graph.operators, kinds, strict=True):
        if not fed & {int(tensor) for tensor in operator.inputs}:
            # Computed from constants alone, such as weights widened from float16.
            continue
        for index in map(int, operator.outputs):
            fed.add(index)
            value = _dequantise(interpreter.get_tensor(index), graph.tensors[index])
            if value is not None:
                yield TracedTensor(graph.tensors[index].name.decode(), kind, value)


def _dequantise(value: np.ndarray, tensor: Any) -> np.ndarray | None:
    if value.dtype in (np.float32, np.float16):
        return value.astype(np.float32)
    details = tensor.quantization
    if details is None or details.scale is None or len(details.scale) != 1:
        return None
    zero = int(details.zeroPoint[0]) if details.zeroPoint is not None else 0
    return (value.astype(np.float32) - np.float32(zero)) * np.float32(details.scale[0])
