"""Hashes of photos, computed once a process while the file is unchanged."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path

from hierattn.common.files import file_sha256

_SETTLED_NS = 2_000_000_000
"""File systems stamp changes in steps; a second change within one step would not show."""


def photo_sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file, remembered until its size, times or inode change.

    Raises:
        HierAttnError: it cannot be read.
    """
    try:
        found = path.stat()
    except OSError:
        return file_sha256(path)  # which words the error
    if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) < _SETTLED_NS:
        return file_sha256(path)
    identity = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return _remembered(path.absolute(), identity)


@lru_cache(maxsize=200_000)
def _remembered(path: Path, identity: tuple[int, ...]) -> str:
    return file_sha256(path)
