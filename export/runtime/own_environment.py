"""Runtimes in an environment and process of their own, as they need other packages than ours.

tflite-runtime 2.14, which older apps carry, is one: it needs numpy 1.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from export.errors import ExportError, RuntimeUnavailableError
from export.formats.abilities import Runtime
from export.runtime.client import Worker, WorkerConfig
from export.runtime.environments import default_home, ensure_environment

ANSWER_SECONDS = 300


def ensure_runtime(runtime: Runtime, home: Path | None = None) -> Path:
    """The Python that has a runtime with :attr:`Runtime.requirements`.

    Args:
        home: folder of its environment; it is made there if missing.

    Raises:
        ExportError: see :func:`export.runtime.environments.ensure_folder`.
    """
    home = home or default_home(f"{runtime.distribution}-{runtime.pinned}")
    return ensure_environment(home, runtime.requirements)


def run_in_own_environment(
    path: Path,
    images: np.ndarray,
    runtime: Runtime,
    home: Path | None = None,
    timeout: float = ANSWER_SECONDS,
) -> np.ndarray:
    """Logits [N, K] by a runtime on one thread, in a process of its own.

    Args:
        path: a file that it reads.
        images: float32 [N, 3, S, S] in [0, 1].
        runtime: as its format declares it.
        home: see :func:`ensure_runtime`.
        timeout: seconds for each step.

    Raises:
        RuntimeUnavailableError: the environment cannot be made.
        WorkerError: the runtime refuses the file, crashed or hung; one line says which.
    """
    try:
        python = ensure_runtime(runtime, home)
    except ExportError as error:
        raise RuntimeUnavailableError(str(error)) from error
    config = WorkerConfig(runtime, str(path.absolute()), 1, 1, (str(python), "-I"), timeout)
    with Worker(config) as worker, tempfile.TemporaryDirectory(prefix="runtime-") as folder:
        worker.wait_until_ready()
        worker.load()
        return worker.answer(images, Path(folder)).astype(np.float32)
