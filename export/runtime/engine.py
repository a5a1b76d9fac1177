"""The interface of an engine: the script, one for each runtime, that opens and runs files in it.

Its class ``Engine`` needs numpy and the runtime alone, so that it works in this process and in the
worker's, by any interpreter that has the runtime (tflite-runtime's own, an emulated processor's).
It cannot import this module, which is for those who hold an engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from export.errors import ArtefactError
from hierattn.errors import first_line


class Engine(Protocol):
    """A runtime that holds one file: ``Engine(model, threads, batch)``.

    Attributes:
        model: path of the file; for some runtimes its bytes, too.
        threads: None leaves the number to the runtime.
        version: of the runtime.
        errors: what the runtime raises for a file that it cannot load or run.
        channels_last: whether the input is NHWC.
        shape: of the input, batch first; known once loaded.

    An engine may have ``operator_times(runs)``, too: milliseconds of every run by operator.
    """

    version: str
    channels_last: bool
    shape: list[int]

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """See above."""

    def load(self) -> Any:
        """Open the file and get ready to answer."""

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits of an array of ``shape``."""

    def delegated(self) -> dict[str, int] | None:
        """Partitions that a delegate took, and operators left over; None where it is not known."""


def load_engine(engine: Engine, path: Path, runtime: str) -> None:
    """Open the engine's file.

    Raises:
        ArtefactError: the runtime refuses it; names path and runtime.
    """
    with runtime_errors(engine, path, runtime, "refuses"):
        engine.load()


@contextmanager
def runtime_errors(engine: Engine, path: Path, runtime: str, does: str) -> Iterator[None]:
    """Turn what the runtime raises into one line.

    Raises:
        ArtefactError: ``PATH: RUNTIME DOES the file (REASON)``.
    """
    try:
        yield
    except engine.errors as error:
        # Without ONNX Runtime's own number and name of the error.
        reason = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", first_line(error))
        raise ArtefactError(f"{path}: {runtime} {does} the file ({reason})") from error
