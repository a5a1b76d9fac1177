from pathlib import Path

import pytest

from tests.export.bundle_helpers import write_app, write_whole_export


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_whole_export(tmp_path / "export")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write_app(tmp_path / "app")
