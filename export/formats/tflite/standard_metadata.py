"""Metadata in the flatbuffer itself that other software reads: TFLite Metadata.

TFLite Metadata tells MediaPipe Tasks and Android Studio how to feed the file and where its labels
are. Its preprocessing can only approach ours: neither an antialiased resize nor the orientation of
a photo can be said in it. No score calibration is written: the schema knows a sigmoid for each
class, our probabilities are a softmax of all logits divided by the temperature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from export.formats.tflite.archive import LABELS_MEMBER
from export.formats.tflite.tidy import INPUT_NAME, OUTPUT_NAME
from export.schema.metadata import Description

METADATA_NAME, METADATA_IDENTIFIER = "TFLITE_METADATA", b"M001"

_PARSER_VERSION = "1.0.0"
# Numbers from metadata_schema.fbs of TFLite Support.
_FEATURE, _IMAGE, _NORMALISATION, _RGB, _AXIS_LABELS = 1, 2, 1, 1, 2


def add_metadata(model: Any, name: str, content: bytes) -> None:
    """Add an entry to a ``ModelT``."""
    from ai_edge_litert.schema_py_generated import BufferT, MetadataT

    buffer, entry = BufferT(), MetadataT()
    buffer.data = np.frombuffer(content, np.uint8)
    entry.name, entry.buffer = name.encode(), len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]


def standard_metadata(description: Description) -> bytes:
    """A ``ModelMetadata`` flatbuffer; the same bytes for the same description."""
    import flatbuffers  # type: ignore[import-untyped]

    builder = flatbuffers.Builder(1024)
    table = _Tables(builder)
    text = builder.CreateString
    # MediaPipe computes (value - mean) / deviation on bytes from 0 to 255.
    divisor = float(description.preprocessing.divisor)
    normalise = table({0: table.floats([0.0]), 1: table.floats([divisor])})
    unit = table({0: ("Uint8", _NORMALISATION), 1: normalise})
    image = table({0: ("Int8", _RGB)})
    pixels = table(
        {
            0: text(INPUT_NAME),
            1: text("photo, RGB, squashed to the square; values in [0, 1]"),
            3: table({0: ("Uint8", _IMAGE), 1: image}),
            4: table.offsets([unit]),
            5: table({0: table.floats([1.0]), 1: table.floats([0.0])}),
        }
    )
    labels = table(
        {0: text(LABELS_MEMBER), 1: text("classes, one a line"), 2: ("Int8", _AXIS_LABELS)}
    )
    temperature = description.operating_point.temperature
    scores = table(
        {
            0: text(OUTPUT_NAME),
            1: text(f"logits; probabilities are softmax(logits / {temperature!r})"),
            3: table({0: ("Uint8", _FEATURE), 1: table({})}),
            6: table.offsets([labels]),
        }
    )
    graph = table({2: table.offsets([pixels]), 3: table.offsets([scores])})
    root = table(
        {
            0: text(description.model),
            1: text(description.intended_use),
            3: table.offsets([graph]),
            5: text(description.licence),
            7: text(_PARSER_VERSION),
        }
    )
    builder.Finish(root, file_identifier=METADATA_IDENTIFIER)
    return bytes(builder.Output())


class _Tables:
    """Writes flatbuffer tables from their fields by number, children first."""

    def __init__(self, builder: Any) -> None:
        self._builder = builder

    def __call__(self, fields: dict[int, int | tuple[str, int]]) -> int:
        """A table; a field is the place of a child, or a scalar's type and value."""
        builder = self._builder
        builder.StartObject(max(fields, default=-1) + 1)
        for number, field in fields.items():
            if isinstance(field, tuple):
                kind, value = field
                getattr(builder, f"Prepend{kind}Slot")(number, value, 0)
            else:
                builder.PrependUOffsetTRelativeSlot(number, field, 0)
        return int(builder.EndObject())

    def floats(self, values: Sequence[float]) -> int:
        """A vector of float32."""
        return self._vector(values, self._builder.PrependFloat32)

    def offsets(self, places: Sequence[int]) -> int:
        """A vector of tables."""
        return self._vector(places, self._builder.PrependUOffsetTRelative)

    def _vector(self, entries: Sequence[Any], prepend: Callable[[Any], None]) -> int:
        self._builder.StartVector(4, len(entries), 4)
        for entry in reversed(entries):
            prepend(entry)
        return int(self._builder.EndVector())
