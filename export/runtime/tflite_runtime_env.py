"""tflite-runtime 2.14, as older apps carry it, in a virtual environment and process of its own.

It needs numpy 1, which this environment cannot have. The virtual environment is made when it is
first needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from export.errors import ExportError, RuntimeUnavailableError
from export.formats.abilities import Runtime
from export.runtime.process import Worker, WorkerConfig

RUNTIME_VERSION = "2.14.0"
REQUIREMENTS = ("numpy==1.26.4", f"tflite-runtime=={RUNTIME_VERSION}")
INSTALL_SECONDS = 300
ANSWER_SECONDS = 300

_MARKER = "complete.txt"


def default_home() -> Path:
    """Folder of the environment: inside the running interpreter's own prefix."""
    return Path(sys.prefix) / f"tflite-runtime-{RUNTIME_VERSION}"


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
        python = ensure_environment(home or default_home())
    except ExportError as error:
        raise RuntimeUnavailableError(str(error)) from error
    config = WorkerConfig(runtime, str(path.absolute()), 1, 1, (str(python), "-I"), timeout)
    with Worker(config) as worker, tempfile.TemporaryDirectory(prefix="tflite-runtime-") as folder:
        worker.wait_until_ready()
        worker.load()
        return worker.answer(images, Path(folder)).astype(np.float32)


def ensure_environment(home: Path) -> Path:
    """The Python of the environment at ``home``, which is made if missing or incomplete.

    It is built under a temporary name and renamed, so that an incomplete one is never used. Pip's
    own configuration says where the packages come from.

    Raises:
        ExportError: it cannot be made; one line says why.
    """
    python = _python_in(home)
    if (home / _MARKER).is_file() and python.exists():
        return python
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    except OSError as error:
        raise ExportError(f"{home.parent}: cannot be written ({error.strerror})") from error
    try:
        _run_step([sys.executable, "-I", "-m", "venv", building], "venv")
        pip: list[str | Path] = [
            _python_in(building),
            "-I",
            "-m",
            "pip",
            "install",
            "--no-input",
            "--quiet",
        ]
        _run_step([*pip, "--disable-pip-version-check", *REQUIREMENTS], "pip")
        (building / _MARKER).write_text("\n".join(REQUIREMENTS) + "\n", encoding="utf-8")
        if not (home / _MARKER).is_file():
            shutil.rmtree(home, ignore_errors=True)
            building.rename(home)
    except OSError as error:
        # Another process may have made it meanwhile.
        if not (home / _MARKER).is_file():
            raise ExportError(f"{home}: cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return python


def _python_in(home: Path) -> Path:
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run_step(command: list[str | Path], name: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ExportError(
            f"tflite-runtime's environment: {name} took over {INSTALL_SECONDS} s"
        ) from error
    if done.returncode != 0:
        raise ExportError(f"tflite-runtime's environment: {name} failed: {_last_line(done)}")


def _last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    """The last error line that was written, else the last line."""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    errors = [line for line in lines if line.startswith("ERROR")]
    return ((errors or lines or [f"exit code {done.returncode}"])[-1]).strip()[:300]
