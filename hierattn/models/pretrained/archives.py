"""Checksums of PyTorch's archives, which ``torch.load`` does not look at."""

from __future__ import annotations

import zipfile
import zlib
from typing import IO

_DAMAGE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError)


def archive_fault(file: IO[bytes]) -> str | None:
    """What is damaged in a zip archive; None if nothing is, or the file is no such archive.

    ``torch.save`` writes the CRC-32 of every member, unless it was told not to
    (``torch.serialization.set_crc32_options``): then all are 0, and nothing can be said.
    """
    if not zipfile.is_zipfile(file):
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            if not any(member.CRC for member in archive.infolist()):
                return None
            damaged = archive.testzip()
    except _DAMAGE as error:
        return str(error)
    return None if damaged is None else f"the checksum of {damaged} is wrong"
