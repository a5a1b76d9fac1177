"""LiteRT interpreters: logits, delegation to XNNPACK, and intermediate tensors for traces."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from export.errors import ArtefactError
from export.formats.interface import Artefact, TracedTensor, check_images
from export.schema.file_facts import Delegation
from export.schema.metadata import Description

_DELEGATE = "DELEGATE"


def open_interpreter(
    model: bytes, path: Path, threads: int | None = None, *, traced: bool = False
) -> Any:
    """An interpreter with its tensors allocated.

    Args:
        model: the flatbuffer, already checked: the runtime reads it unchecked.
        path: named in errors.
        threads: None leaves the choice to the runtime.
        traced: keep every intermediate tensor; the delegate, which cannot, is off.

    Raises:
        ArtefactError: the runtime refuses the file.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.AUTO
    if traced:
        resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        interpreter = Interpreter(
            model_content=model,
            num_threads=threads,
            experimental_op_resolver_type=resolver,
            experimental_preserve_all_tensors=traced,
        )
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise ArtefactError(f"{path}: LiteRT refuses the file ({_first_line(error)})") from error
    return interpreter


def invoke(interpreter: Any, image: np.ndarray, path: Path) -> None:
    """Run one NHWC image.

    Raises:
        ArtefactError: the runtime gives up on the file.
    """
    try:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
        interpreter.invoke()
    except (RuntimeError, ValueError) as error:
        raise ArtefactError(f"{path}: LiteRT cannot run the file ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["no reason given"])[0]


class TfliteArtefact(Artefact):
    """A loaded .tflite file; it has batch size 1, so a batch is a loop."""

    def __init__(
        self, path: Path, model: bytes, description: Description, threads: int | None = None
    ) -> None:
        self.path, self.description = path, description
        self.evaluator = f"LiteRT {metadata.version('ai-edge-litert')}"
        self._interpreter = open_interpreter(model, path, threads)
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        check_input_output(path, description, self._input, self._output)

    def __call__(self, images: np.ndarray, /) -> np.ndarray:
        """Logits."""
        answers = np.empty((len(images), len(self.description.classes)), np.float32)
        fed = channels_last(images, self.description.image_size, self.path, self.any_range)
        for row, image in enumerate(fed):
            invoke(self._interpreter, image[np.newaxis], self.path)
            answers[row] = self._interpreter.get_tensor(self._output["index"])[0]
        return answers


def check_input_output(path: Path, description: Description, first: Any, last: Any) -> None:
    """Check that input and output of a file fit its metadata.

    Args:
        path: named in errors.
        description: the one inside the file.
        first: the runtime's details of the input tensor.
        last: the runtime's details of the output tensor.

    Raises:
        ArtefactError: another shape or number type.
    """
    side, classes = description.image_size, len(description.classes)
    expected = ((1, side, side, 3), np.float32), ((1, classes), np.float32)
    for details, (shape, dtype) in zip((first, last), expected, strict=True):
        if tuple(details["shape"]) != shape or details["dtype"] != dtype:
            raise ArtefactError(
                f"{path}: '{details['name']}' is {np.dtype(details['dtype']).name}"
                f"{details['shape'].tolist()}, its own description says float32{list(shape)}"
            )


def channels_last(images: np.ndarray, side: int, path: Path, any_range: bool = False) -> np.ndarray:
    """[N, 3, S, S] to [N, S, S, 3].

    Raises:
        ArtefactError: see :func:`check_images`.
    """
    check_images(images, side, path, any_range=any_range)
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1))


def count_delegation(interpreter: Any) -> Delegation:
    """Delegation of the graph in an interpreter.

    The runtime lists the original operators and the delegate's calls side by side. An operator
    lies in a partition if a call's outputs are computed from it, short of the call's inputs.
    """
    details = interpreter._get_ops_details()
    calls = [entry for entry in details if entry["op_name"] == _DELEGATE]
    operators = [entry for entry in details if entry["op_name"] != _DELEGATE]
    makers = {int(tensor): entry for entry in operators for tensor in entry["outputs"]}
    taken: set[int] = set()
    for call in calls:
        borders = {int(tensor) for tensor in call["inputs"]}
        waiting = [int(tensor) for tensor in call["outputs"]]
        while waiting:
            tensor = waiting.pop()
            maker = makers.get(tensor)
            if tensor in borders or maker is None or maker["index"] in taken:
                continue
            taken.add(maker["index"])
            waiting += [int(source) for source in maker["inputs"] if source >= 0]
    return Delegation(partitions=len(calls), left=len(operators) - len(taken))


def trace_tensors(
    interpreter: Any, graph: Any, kinds: list[str], image: np.ndarray, path: Path
) -> Iterator[TracedTensor]:
    """Run one NHWC image; yield the result of each operator, in execution order.

    Args:
        interpreter: opened with ``traced``.
        graph: the parsed subgraph.
        kinds: of its operators.
        image: float32 [1, S, S, 3].
        path: named in errors.
    """
    invoke(interpreter, image, path)
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
