"""tflite-runtime 2.14, as older apps carry it, in a virtual environment and process of its own.

It needs numpy 1, which this environment cannot have.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from export.errors import ExportError, RuntimeUnavailableError
from export.formats.abilities import Runtime
from export.runtime.environments import default_home, ensure_environment
from export.runtime.process import Worker, WorkerConfig

RUNTIME_VERSION = "2.14.0"
REQUIREMENTS = ("numpy==1.26.4", f"tflite-runtime=={RUNTIME_VERSION}")
ANSWER_SECONDS = 300


def ensure_tflite_runtime(home: Path | None = None) -> Path:
    """The Python that has tflite-runtime.

    Raises:
        ExportError: see :func:`export.runtime.environments.ensure_folder`.
    """
    return ensure_environment(
        home or default_home(f"tflite-runtime-{RUNTIME_VERSION}"), REQUIREMENTS
    )


def run_tflite_runtime(
    path: Path,
    images: np.ndarray,
    runtime: Runtime,
    home: Path | None = None,
    timeout: float = ANSWER_SECONDS,
) -> np.ndarray:
    """Logits [N, K] by tflite-runtime on one thread, in a process of its own.

    Args:
        path: a .tflite with one NHWC float32 input and one float32 output.
        images: float32 [N, 3, S, S] in [0, 1].
        runtime: tflite-runtime, as its format declares it.
        home: folder of the environment; it is made there if missing.
        timeout: seconds for each step.

    Raises:
        RuntimeUnavailableError: the environment cannot be made.
        WorkerError: the runtime refuses the file, crashed or hung; one line says which.
    """
    try:
        python = ensure_tflite_runtime(home)
    except ExportError as error:
        raise RuntimeUnavailableError(str(error)) from error
    config = WorkerConfig(runtime, str(path.absolute()), 1, 1, (str(python), "-I"), timeout)
    with Worker(config) as worker, tempfile.TemporaryDirectory(prefix="tflite-runtime-") as folder:
        worker.wait_until_ready()
        worker.load()
        return worker.answer(images, Path(folder)).astype(np.float32)
