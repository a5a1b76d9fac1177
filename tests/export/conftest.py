"""Exported folders that several tests read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from export.pipeline import export_run
from hierattn.data.records import DataFolder
from tests.conftest import built_once


@pytest.fixture(scope="session")
def exported(finished: Path, painted: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny run as ONNX in three precisions, judged on painted pictures; read only."""

    def run(out: Path) -> None:
        export_run(finished, out, formats=["onnx"], data=painted.root)

    return built_once(tmp_path_factory, "exports/onnx", run)


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(exported, tmp_path / "folder"))
