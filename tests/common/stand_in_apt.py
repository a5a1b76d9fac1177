"""A shell script in the place of apt."""

import os
from pathlib import Path

import pytest


def put_apt(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """First on the path, in a new folder, under the names of apt's programs."""
    folder.mkdir()
    for name in ("apt-get", "dpkg-deb"):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
