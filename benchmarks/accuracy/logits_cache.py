"""On-disk cache of logits, so that no file is run twice on the same photos."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np

from hierattn.common.cache_folders import cache_folder
from hierattn.common.files import atomic_path
from hierattn.errors import HierAttnError

_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


class LogitsCache:
    """Logits by what decides them: the file, the photos, and the runtime with its version.

    Args:
        home: folder of the cache; made when first written to.
    """

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or default_home()

    def read(self, file_sha256: str, photos_sha256: str, runtime: str) -> np.ndarray | None:
        """Logits float64 [N, K]; None where they are not there, or the entry is damaged."""
        path = self._path(file_sha256, photos_sha256, runtime)
        if not path.is_file():
            return None
        try:
            # A zip archive carries a checksum, which a bare .npy does not.
            with np.load(path, allow_pickle=False) as entry:
                logits: np.ndarray = entry["logits"]
        except _DAMAGED:
            return None
        return logits if logits.ndim == 2 and logits.dtype == np.float64 else None

    def write(self, file_sha256: str, photos_sha256: str, runtime: str, logits: np.ndarray) -> None:
        """Keep logits float64 [N, K]; where the cache cannot be written, do without."""
        try:
            with (
                atomic_path(self._path(file_sha256, photos_sha256, runtime)) as path,
                path.open("wb") as file,
            ):
                np.savez_compressed(file, logits=logits)
        except HierAttnError:
            return

    def _path(self, file_sha256: str, photos_sha256: str, runtime: str) -> Path:
        key = "\0".join((file_sha256, photos_sha256, runtime))
        return self.home / f"{hashlib.sha256(key.encode()).hexdigest()}.npz"


def default_home() -> Path:
    """``hierattn/logits`` in the user's cache folder."""
    return cache_folder("hierattn") / "logits"
