"""Checksums of PyTorch's archives, which ``torch.load`` does not look at."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import IO

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    OSError,
)
"""What Python's reader raises on changed bytes, some of it even where it only looks for a zip."""


def archive_fault(file: IO[bytes]) -> str | None:
    """What is damaged in a zip archive; None if nothing is, or the file is no such archive.

    ``torch.save`` writes the CRC-32 of every member, unless it was told not to
    (``torch.serialization.set_crc32_options``): then all are 0, and nothing can be said.
    """
    try:
        if not zipfile.is_zipfile(file):
            return None
        with zipfile.ZipFile(file) as archive:
            if not any(member.CRC for member in archive.infolist()):
                return None
            damaged = archive.testzip()
    except _DAMAGE as error:
        return str(error)
    return None if damaged is None else f"the checksum of {damaged} is wrong"
