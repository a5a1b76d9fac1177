"""Environments of their own for runtimes that the main one cannot hold.

Each is made when it is first needed: a virtual environment by pip, or a folder of npm's packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from export.errors import ExportError

INSTALL_SECONDS = 300

_MARKER = "complete.txt"
Command = list[str | Path]


def default_home(name: str) -> Path:
    """Folder of an environment: inside the running interpreter's own prefix."""
    return Path(sys.prefix) / name


def ensure_environment(
    home: Path, requirements: Sequence[str], seconds: float = INSTALL_SECONDS
) -> Path:
    """The Python of the virtual environment at ``home``; see :func:`ensure_folder`.

    Pip's own configuration says where the packages come from.
    """

    def commands(building: Path) -> list[Command]:
        python = python_in(building)
        pip: Command = [python, "-I", "-m", "pip", "install", "--no-input", "--quiet"]
        return [
            [sys.executable, "-I", "-m", "venv", building],
            [*pip, "--disable-pip-version-check", *requirements],
        ]

    ensure_folder(home, requirements, commands, ("venv", "pip"), seconds)
    return python_in(home)


def ensure_node_packages(
    home: Path, requirements: Sequence[str], seconds: float = INSTALL_SECONDS
) -> Path:
    """``home`` with npm packages in ``node_modules``; see :func:`ensure_folder`.

    No script of a package is run. Npm's own configuration says where the packages come from.

    Raises:
        ExportError: there is no Node.js or npm, too.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise ExportError(
                f"{home.name}'s environment: there is no '{program}' in PATH; install Node.js"
            )

    def commands(building: Path) -> list[Command]:
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-save")
        return [["npm", "install", "--prefix", building, *quiet, *requirements]]

    ensure_folder(home, requirements, commands, ("npm",), seconds)
    return home


def ensure_folder(
    home: Path,
    requirements: Sequence[str],
    commands: Callable[[Path], Sequence[Command]],
    names: Sequence[str],
    seconds: float,
) -> None:
    """Make ``home`` if it is missing, incomplete or of other requirements.

    It is built under a temporary name and renamed, so that an incomplete one is never used.

    Args:
        requirements: noted inside, once it is whole.
        commands: what fills a folder.
        names: of those commands, for the message.
        seconds: limit of each.

    Raises:
        ExportError: it cannot be made; one line says why.
    """
    wanted = "\n".join(requirements) + "\n"
    if _is_whole(home, wanted):
        return
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    except OSError as error:
        raise ExportError(f"{home.parent}: cannot be written ({error.strerror})") from error
    try:
        for command, name in zip(commands(building), names, strict=True):
            _run_step(command, f"{home.name}'s environment: {name}", seconds)
        (building / _MARKER).write_text(wanted, encoding="utf-8")
        if not _is_whole(home, wanted):
            shutil.rmtree(home, ignore_errors=True)
            building.rename(home)
    except OSError as error:
        # Another process may have made it meanwhile.
        if not _is_whole(home, wanted):
            raise ExportError(f"{home}: cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def python_in(home: Path) -> Path:
    """The interpreter of a virtual environment."""
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _is_whole(home: Path, wanted: str) -> bool:
    marker = home / _MARKER
    return marker.is_file() and marker.read_text(encoding="utf-8") == wanted


def _run_step(command: Command, name: str, seconds: float) -> None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise ExportError(f"{name} took over {seconds:g} s") from error
    if done.returncode != 0:
        raise ExportError(f"{name} failed: {_last_line(done)}")


def _last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    """The last error line that was written, else the last line."""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    errors = [line for line in lines if line.lower().startswith(("error", "npm error"))]
    return ((errors or lines or [f"exit code {done.returncode}"])[-1]).strip()[:300]
