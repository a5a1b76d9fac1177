"""Files that several test modules read."""

from __future__ import annotations

from pathlib import Path

import pytest

from export.formats.tflite.format import TfliteFormat
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import Precision
from tests.export.formats.tflite.tiny import tiny_source


@pytest.fixture(scope="session")
def tiny_tflite(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[Precision, tuple[Path, QuantisationRecord]]:
    """The tiny network as .tflite in three precisions; read only."""
    folder, writer, source = tmp_path_factory.mktemp("tflite"), TfliteFormat(), tiny_source()
    converted = writer.convert(source, folder)
    files = {precision: folder / f"tiny-{precision}.tflite" for precision in Precision}
    return {
        precision: (path, writer.write(converted, source, precision, path))
        for precision, path in files.items()
    }
