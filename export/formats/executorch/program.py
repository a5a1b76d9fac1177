"""ExecuTorch programs read back: their metadata, their answers, and what they are made of."""

from __future__ import annotations

from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from export.errors import ArtefactError
from export.formats.interface import Artefact
from export.schema.metadata import METADATA_KEY, Description, parse_description
from hierattn.errors import first_line

FORWARD = "forward"
_MAGIC = slice(4, 8), b"ET12"
"""Place and value of the file identifier of a program's flatbuffer."""


def read_program(path: Path) -> bytes:
    """Bytes of a program.

    Raises:
        ArtefactError: it cannot be read, or is no program.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror})") from error
    place, magic = _MAGIC
    if content[place] != magic:
        raise ArtefactError(f"{path}: not an ExecuTorch program; export it again")
    return content


class ExecutorchArtefact(Artefact):
    """A loaded program; it has batch size 1, so a batch is a loop."""

    def __init__(self, path: Path) -> None:
        from executorch.runtime import Runtime

        self.path = path
        self.evaluator = f"executorch {metadata.version('executorch')}"
        content = read_program(path)
        try:
            # The runtime reads its bytes as long as it runs.
            self._program = Runtime.get().load_program(content)
            self._method = self._program.load_method(FORWARD)
            text = None
            if METADATA_KEY in self._program.method_names:
                (text,) = self._program.load_method(METADATA_KEY).execute([])
        except (RuntimeError, KeyError, ValueError) as error:
            raise ArtefactError(
                f"{path}: ExecuTorch refuses the file ({first_line(error)})"
            ) from error
        self.description: Description = parse_description(text, path)
        self._check_input_output()

    def _check_input_output(self) -> None:
        side, classes = self.description.image_size, len(self.description.classes)
        meta = self._method.metadata
        found = meta.input_tensor_meta(0).sizes(), meta.output_tensor_meta(0).sizes()
        for shape, expected in zip(found, ((1, 3, side, side), (1, classes)), strict=True):
            if tuple(shape) != expected:
                raise ArtefactError(
                    f"{self.path}: takes or gives {list(shape)}, its own description says "
                    f"{list(expected)}"
                )

    def __call__(self, images: np.ndarray, /) -> np.ndarray:
        """Logits."""
        import torch

        side = self.description.image_size
        if images.dtype != np.float32 or images.ndim != 4 or images.shape[1:] != (3, side, side):
            raise ArtefactError(
                f"{self.path}: takes float32 images [N, 3, {side}, {side}], "
                f"not {images.dtype}{list(images.shape)}"
            )
        answers = np.empty((len(images), len(self.description.classes)), np.float32)
        for row, image in enumerate(images):
            fed = torch.from_numpy(np.ascontiguousarray(image[np.newaxis]))
            try:
                answers[row] = self._method.execute([fed])[0].numpy()[0]
            except RuntimeError as error:
                raise ArtefactError(
                    f"{self.path}: ExecuTorch cannot run the file ({first_line(error)})"
                ) from error
        return answers


def count_operators(path: Path) -> tuple[dict[str, int], int]:
    """Calls of a program by kernel or delegate, and the number of those to a delegate.

    Raises:
        ArtefactError: the program cannot be parsed.
    """
    from executorch.exir._serialize._program import deserialize_pte_binary

    try:
        plans = deserialize_pte_binary(read_program(path)).program.execution_plan
        (plan,) = (plan for plan in plans if plan.name == FORWARD)
    except (RuntimeError, ValueError, LookupError, TypeError, OSError) as error:
        raise ArtefactError(
            f"{path}: the program cannot be parsed ({first_line(error)})"
        ) from error
    calls: Counter[str] = Counter()
    delegated = 0
    for chain in plan.chains:
        for instruction in chain.instructions:
            call: Any = instruction.instr_args
            if hasattr(call, "delegate_index"):
                calls[plan.delegates[call.delegate_index].id] += 1
                delegated += 1
            elif hasattr(call, "op_index"):
                calls[plan.operators[call.op_index].name] += 1
    return dict(sorted(calls.items())), delegated
