"""Room for the pixels of all photos: memory, or a mapped file where they would fill it."""

from __future__ import annotations

import os
import tempfile

import numpy as np

from hierattn.common.cache_folders import cache_folder
from hierattn.common.gigabytes import bytes_from_environment
from hierattn.errors import DataError

LIMIT_VARIABLE = "HIERATTN_PHOTO_MEMORY_GB"
"""Environment variable with the most that pixels may take of the memory, in gigabytes."""
_SHARE = 0.4
"""Of the machine's memory that pixels take at most, unless the variable says otherwise."""


def allocate_pixels(count: int, side: int) -> np.ndarray:
    """uint8 [count, side, side, 3], to be filled.

    Beyond the limit it is mapped from a file in the cache folder that has no name, so that nobody
    else can open it and nothing is left behind, however the process ends.

    Raises:
        ConfigError: the variable is not a number from 0 on.
        DataError: the disk has no room for the file.
    """
    shape = (count, side, side, 3)
    size = count * side * side * 3
    if size <= _limit():
        return np.empty(shape, np.uint8)
    folder = cache_folder("hierattn")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):  # not on macOS
                # A page without room on the disk would kill the process when it is written to.
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                os.ftruncate(file.fileno(), size)
            return np.memmap(file, np.uint8, "r+", shape=shape)
    except OSError as error:
        raise DataError(
            f"{folder}: no room for the pixels of {count} photos at {side} px "
            f"({size / 1e9:.1f} GB, {error.strerror}); free some, set $XDG_CACHE_HOME to another "
            f"disk, or let them into memory by {LIMIT_VARIABLE}"
        ) from error


def _limit() -> int:
    """Bytes."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return bytes_from_environment(LIMIT_VARIABLE, int(_SHARE * memory))
