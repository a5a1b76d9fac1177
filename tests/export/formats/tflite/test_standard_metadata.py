from __future__ import annotations

from pathlib import Path

import numpy as np

from export.formats.tflite.archive import split_archive
from export.formats.tflite.flatbuffer import read_tflite
from export.formats.tflite.standard_metadata import (
    METADATA_IDENTIFIER,
    METADATA_NAME,
    standard_metadata,
)
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import Precision
from tests.export.formats.tflite.tiny import tiny_description

Written = dict[Precision, tuple[Path, QuantisationRecord]]


def entries(path: Path) -> dict[str, bytes]:
    model, _ = read_tflite(split_archive(path.read_bytes(), path)[0], path)
    return {
        entry.name.decode(): bytes(model.buffers[entry.buffer].data) for entry in model.metadata
    }


def test_every_file_carries_tflite_metadata(tiny_tflite: Written) -> None:
    for precision, (path, _) in tiny_tflite.items():
        found = entries(path)[METADATA_NAME]
        assert found == standard_metadata(tiny_description(precision))
        assert found[4:8] == METADATA_IDENTIFIER
        assert b"labels.txt" in found and np.float32(255).tobytes() in found
