from __future__ import annotations

from pathlib import Path
from typing import Any

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


def test_its_reader_finds_the_normalisation_of_the_input() -> None:
    """MediaPipe Tasks refuse a file without NormalizationOptions: mean 0, deviation 255."""
    from flatbuffers import encode, number_types, table  # type: ignore[import-untyped]

    def child(parent: Any, field: int) -> Any:
        return table.Table(parent.Bytes, parent.Indirect(parent.Pos + offset(parent, field)))

    def offset(parent: Any, field: int) -> int:
        found = int(parent.Offset(4 + 2 * field))
        assert found, f"field {field} is missing"
        return found

    def first(parent: Any, field: int) -> Any:
        place = parent.Vector(offset(parent, field))
        return table.Table(parent.Bytes, parent.Indirect(place))

    content = standard_metadata(tiny_description(Precision.FP32))
    root = table.Table(content, encode.Get(number_types.UOffsetTFlags.packer_type, content, 0))
    unit = first(first(first(root, 3), 2), 4)
    assert unit.Get(number_types.Uint8Flags, unit.Pos + offset(unit, 0)) == 1
    options = child(unit, 1)
    mean, deviation = (
        options.Get(number_types.Float32Flags, options.Vector(offset(options, field)))
        for field in (0, 1)
    )
    assert (mean, deviation) == (0.0, 255.0)
