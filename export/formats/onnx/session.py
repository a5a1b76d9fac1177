"""ONNX Runtime sessions on the CPU: logits, and every intermediate value for traces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from export.errors import ArtefactError
from export.formats.interface import Artefact, TracedTensor, check_images
from export.formats.onnx.reading import INPUT, OUTPUT
from export.schema.metadata import Description

if TYPE_CHECKING:
    import onnx

_SILENT = 4
"""Log severity: fatal only; errors are raised, and reported once, here."""


class OnnxArtefact(Artefact):
    """A file loaded into an ONNX Runtime session.

    Args:
        session: from :func:`open_session`.
        alone: run one image at a time.
    """

    def __init__(self, path: Path, session: Any, description: Description, alone: bool) -> None:
        import onnxruntime

        self.path, self.description = path, description
        self.evaluator = f"onnxruntime {onnxruntime.__version__}"
        self._session, self._alone = session, alone

    def __call__(self, images: np.ndarray, /) -> np.ndarray:
        """Logits float32 [N, K]."""
        size, classes = self.description.image_size, len(self.description.classes)
        check_images(images, size, self.path, any_range=self.any_range)
        step = 1 if self._alone else max(1, len(images))
        logits = np.empty((len(images), classes), np.float32)
        for start in range(0, len(images), step):
            batch = images[start : start + step]
            (answer,) = run(self._session, [OUTPUT], batch, self.path)
            if answer.shape != (len(batch), classes):
                raise ArtefactError(f"{self.path}: answered {answer.shape} to {len(batch)} images")
            logits[start : start + step] = answer
        return logits


def open_session(path: Path, content: bytes, threads: int | None, optimise: bool = True) -> Any:
    """An ``InferenceSession`` on the CPU.

    Raises:
        ArtefactError: the runtime refuses the file.
    """
    import onnxruntime

    # The session's own level does not reach its memory allocator.
    onnxruntime.set_default_logger_severity(_SILENT)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _SILENT
    options.intra_op_num_threads = threads or 0
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"], enable_fallback=0
        )
    except _runtime_errors() as error:
        reason = _first_line(error)
        raise ArtefactError(f"{path}: ONNX Runtime cannot load it: {reason}") from error


def run(session: Any, names: list[str], images: np.ndarray, path: Path) -> list[np.ndarray]:
    """Values of some outputs.

    Raises:
        ArtefactError: the runtime fails.
    """
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = _SILENT
    try:
        return session.run(names, {INPUT: images}, options)
    except _runtime_errors() as error:
        reason = _first_line(error)
        raise ArtefactError(f"{path}: ONNX Runtime cannot run it: {reason}") from error


def trace_model(model: onnx.ModelProto, path: Path, image: np.ndarray) -> Iterator[TracedTensor]:
    """Every float value that depends on the image, in execution order, without optimisation."""
    import onnx

    known = {INPUT}
    seen: list[tuple[str, str]] = []
    for node in model.graph.node:
        if known.intersection(node.input):
            known.update(node.output)
            seen += [(name, node.op_type) for name in node.output if name]
    names = [name for name, _ in seen if name != OUTPUT]
    open_ended = onnx.ModelProto()
    open_ended.CopyFrom(model)
    open_ended.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = open_session(path, open_ended.SerializeToString(), 1, optimise=False)
    values = dict(zip([OUTPUT, *names], run(session, [OUTPUT, *names], image, path), strict=True))
    for name, operator in [*(pair for pair in seen if pair[0] != OUTPUT), *_last(seen)]:
        if values[name].dtype == np.float32:
            yield TracedTensor(name, operator, values[name])


def _last(seen: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair in seen if pair[0] == OUTPUT]


def _runtime_errors() -> tuple[type[Exception], ...]:
    """All that ONNX Runtime raises; its own errors have no common base."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = (value for value in vars(state).values() if isinstance(value, type))
    return (
        RuntimeError,
        ValueError,
        *(kind for kind in own if issubclass(kind, Exception)),
    )


def _first_line(error: Exception) -> str:
    """Without the runtime's error code and all further lines."""
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", str(error).strip())
    return text.splitlines()[0] if text else type(error).__name__
