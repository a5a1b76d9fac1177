"""Exported folders that several tests read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from export.pipeline import export_run
from hierattn.data.records import DataFolder


@pytest.fixture(scope="session")
def exported(finished: Path, painted: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny run as ONNX in three precisions, judged on painted pictures; read only."""
    out = tmp_path_factory.mktemp("exports") / "onnx"
    export_run(finished, out, formats=["onnx"], data=painted.root)
    return out


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(exported, tmp_path / "folder"))
