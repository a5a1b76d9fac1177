"""On-disk store of decoded photos, shared by every command that reads photos."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import PIL

from hierattn.common.cache_folders import cache_folder
from hierattn.common.gigabytes import bytes_from_environment
from hierattn.preprocessing import PreprocessSpec

LIMIT_VARIABLE = "HIERATTN_PHOTO_CACHE_GB"
"""Environment variable with the most that the store may hold, in gigabytes; 0 turns it off."""
DEFAULT_LIMIT_GB = 4.0
_KEPT = 0.8
"""Share of the limit that clearing leaves, so that it does not happen at every photo."""
_CHECKSUM = 4


class PixelStore:
    """Pixels by what decides them: the photo's content, the preprocessing and the decoder.

    Several processes may use it at once: an entry is written beside its place and then renamed,
    and carries a checksum. A store that cannot be read or written is as good as an empty one.

    Args:
        folder: made when first written to, readable by its user alone: photos are private.
        limit: bytes; when they are exceeded, the entries unused for longest go.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self._written = False

    def read(self, photo_sha256: str, spec: PreprocessSpec) -> np.ndarray | None:
        """uint8 [S, S, 3]; None where it is not there or damaged."""
        path = self._path(photo_sha256, spec)
        try:
            content = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        pixels, checksum = content[:-_CHECKSUM], content[-_CHECKSUM:]
        shape = (spec.image_size, spec.image_size, 3)
        if len(pixels) != np.prod(shape) or _checksum(pixels) != checksum:
            return None
        return np.frombuffer(pixels, np.uint8).reshape(shape)

    def write(self, photo_sha256: str, spec: PreprocessSpec, pixels: np.ndarray) -> None:
        """Keep pixels uint8 [S, S, 3]; where that fails, do without."""
        path = self._path(photo_sha256, spec)
        content = pixels.tobytes()
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.parent.mkdir(exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent)
            temporary = Path(name)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content + _checksum(content))
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            self._written = True

    def clear_excess(self) -> None:
        """Remove the entries unused for longest until the limit holds; call it after writing."""
        if not self._written:
            return
        entries = []
        for path in self.folder.glob("*/*"):
            with suppress(OSError):
                found = path.stat()
                entries.append((found.st_mtime_ns, found.st_size, path))
        excess = sum(size for _, size, _ in entries)
        if excess > self.limit:
            excess -= int(_KEPT * self.limit)
            for _, size, path in sorted(entries):
                if excess <= 0:
                    break
                path.unlink(missing_ok=True)
                excess -= size
        self._written = False

    def _path(self, photo_sha256: str, spec: PreprocessSpec) -> Path:
        # Another version of Pillow may decode or resize to other bytes.
        words = "\0".join((photo_sha256, spec.model_dump_json(), PIL.__version__))
        key = hashlib.sha256(words.encode()).hexdigest()
        return self.folder / key[:2] / key[2:]


def default_store() -> PixelStore | None:
    """The user's store; None where ``$HIERATTN_PHOTO_CACHE_GB`` turns it off.

    Raises:
        ConfigError: the variable is not a number from 0 on.
    """
    limit = bytes_from_environment(LIMIT_VARIABLE, int(DEFAULT_LIMIT_GB * 1e9))
    return PixelStore(cache_folder("hierattn") / "photos", limit) if limit else None


def _checksum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(_CHECKSUM, "little")
