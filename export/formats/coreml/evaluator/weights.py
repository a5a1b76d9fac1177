"""The weight file of an ML program: numbers at offsets, each behind a header of its own.

The layout is that of coremltools' MIL blob storage, version 2: a file header of 64 bytes, then
blobs, each with a header of 64 bytes (sentinel, kind, size in bytes, offset of the numbers).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.errors import ArtefactError
from export.formats.coreml.evaluator.kinds import Kind

_SENTINEL = 0xDEADBEEF
_VERSION = 2
_ALIGNMENT = 64
_FILE_HEADER = struct.Struct("<II")
_BLOB_HEADER = struct.Struct("<IIQQ")


@dataclass(frozen=True, eq=False)
class WeightFile:
    """The bytes of a weight file, read whole."""

    path: Path
    content: bytes

    def read(self, offset: int, kind: Kind, shape: tuple[int, ...]) -> np.ndarray:
        """The numbers whose header stands at ``offset``, as a read-only array.

        Raises:
            ArtefactError: the offset is out of range, or the numbers there are not those asked for.
        """
        where = f"{self.path}: weights at offset {offset}"
        if offset % _ALIGNMENT or offset + _ALIGNMENT > len(self.content):
            raise ArtefactError(f"{where} lie outside the file (truncated or altered)")
        sentinel, code, size, start = _BLOB_HEADER.unpack_from(self.content, offset)
        if sentinel != _SENTINEL:
            raise ArtefactError(f"{where} have no header (damaged)")
        if code != kind.storage_code:
            raise ArtefactError(f"{where} are not of the kind {kind.label} that the program says")
        count = int(np.prod(shape, dtype=object))
        if size != count * kind.dtype.itemsize or start + size > len(self.content):
            raise ArtefactError(f"{where} have another size than the program says (truncated)")
        return np.frombuffer(self.content, kind.dtype, count, start).reshape(shape)


def read_weight_file(path: Path) -> WeightFile:
    """Read a weight file.

    Raises:
        ArtefactError: unreadable, or not a weight file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"{path}: {error.strerror}") from error
    if len(content) < _ALIGNMENT or _FILE_HEADER.unpack_from(content)[1] != _VERSION:
        raise ArtefactError(f"{path}: not a Core ML weight file (truncated or of another version)")
    return WeightFile(path, content)


def empty_weight_file(specification: Path) -> WeightFile:
    """Stand in for the weight file of a program that has none; reading from it fails."""
    return WeightFile(specification, b"")
