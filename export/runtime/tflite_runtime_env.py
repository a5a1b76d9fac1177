"""tflite-runtime 2.14, as older apps carry it, in a virtual environment and process of its own.

It needs numpy 1, which this environment cannot have. The virtual environment is made when it is
first needed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.errors import ExportError
from export.runtime.run_file import REFUSED

RUNTIME_VERSION = "2.14.0"
REQUIREMENTS = ("numpy==1.26.4", f"tflite-runtime=={RUNTIME_VERSION}")
INSTALL_SECONDS = 300
ANSWER_SECONDS = 300

_SCRIPT = Path(__file__).with_name("run_file.py")
_MARKER = "complete.txt"


@dataclass(frozen=True, eq=False)
class TfliteRuntimeResult:
    """Result of running a file with tflite-runtime.

    Attributes:
        loads: the file was loaded and run on every image.
        logits: float32 [N, K], or None.
        reason: one line that says why not, or None.
        version: of tflite-runtime; None where the environment could not be made.
    """

    loads: bool
    logits: np.ndarray | None
    reason: str | None
    version: str | None


def default_home() -> Path:
    """Folder of the environment: inside the running interpreter's own prefix."""
    return Path(sys.prefix) / f"tflite-runtime-{RUNTIME_VERSION}"


def run_tflite_runtime(
    path: Path,
    images: np.ndarray,
    threads: int = 1,
    home: Path | None = None,
    timeout: float = ANSWER_SECONDS,
) -> TfliteRuntimeResult:
    """Run images through a file with tflite-runtime, in a process of its own.

    Args:
        path: a .tflite with one NHWC float32 input and one float32 output.
        images: float32 [N, 3, S, S] in [0, 1].
        threads: of the runtime.
        home: folder of the environment; it is made there if missing.
        timeout: seconds for all images.

    Returns:
        The result; whatever goes wrong, a crash of the runtime included, is its reason.
    """
    try:
        python = ensure_environment(home or default_home())
    except ExportError as error:
        return TfliteRuntimeResult(False, None, str(error), None)
    with tempfile.TemporaryDirectory(prefix="tflite-runtime-") as folder:
        images_file, answer_file = Path(folder) / "images.npy", Path(folder) / "answer.json"
        np.save(images_file, images.astype(np.float32))
        command: list[str | Path] = [
            python,
            "-I",
            _SCRIPT,
            path.absolute(),
            images_file,
            answer_file,
            "tflite-runtime",
            str(threads),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            reason = f"tflite-runtime gave no answer in {timeout:.0f} s"
            return TfliteRuntimeResult(False, None, reason, RUNTIME_VERSION)
        except OSError as error:
            reason = (
                f"{python}: cannot be started ({error.strerror}); remove {python.parent.parent}"
            )
            return TfliteRuntimeResult(False, None, reason, None)
        if done.returncode != 0 or not answer_file.is_file():
            return TfliteRuntimeResult(False, None, _failure_reason(done), RUNTIME_VERSION)
        answer = json.loads(answer_file.read_text(encoding="utf-8"))
        logits = np.asarray(answer["logits"], np.float32)
        return TfliteRuntimeResult(True, logits, None, RUNTIME_VERSION)


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


def _failure_reason(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.returncode == REFUSED:
        return f"tflite-runtime refuses the file: {_last_line(done)}"
    if done.returncode < 0:
        return f"tflite-runtime crashed (signal {-done.returncode})"
    return f"tflite-runtime failed: {_last_line(done)}"


def _last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    """The last error line that was written, else the last line."""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    errors = [line for line in lines if line.startswith("ERROR")]
    return ((errors or lines or [f"exit code {done.returncode}"])[-1]).strip()[:300]
