"""Images as cameras and programs store them, for the tests of preprocessing."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hierattn.preprocessing import (
    missing_reader,
)

# Where row 0 and column 0 of the stored pixels lie in the upright picture (EXIF 2.32, tag 0x0112).
SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def noise(height: int = 6, width: int = 5, channels: int = 3, seed: int = 0) -> np.ndarray:
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels as a camera held in another way writes them."""
    row, column = SIDES[orientation]
    pixels = upright.swapaxes(0, 1) if row in ("left", "right") else upright
    pixels = pixels[::-1] if row in ("bottom", "right") else pixels
    pixels = pixels[:, ::-1] if column in ("bottom", "right") else pixels
    return np.ascontiguousarray(pixels)


def save_turned(pixels: np.ndarray, path: Path, orientation: int, **options: object) -> Path:
    image = Image.fromarray(pixels)
    if path.suffix == ".tif":
        image.save(path, tiffinfo={0x0112: orientation}, **options)
    else:
        exif = Image.Exif()
        exif[0x0112] = orientation
        # As bytes: pillow-heif turns the picture by them alone.
        image.save(path, exif=exif.tobytes(), **options)
    return path


def write_png(
    path: Path, pixels: np.ndarray, *, colour_type: int, transparent: bytes | None = None
) -> Path:
    """A PNG of any depth, which Pillow cannot write for 16-bit colour."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    height, width = pixels.shape[:2]
    depth = 8 * pixels.itemsize
    rows = b"".join(b"\0" + row.astype(pixels.dtype.newbyteorder(">")).tobytes() for row in pixels)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0))
        + (chunk(b"tRNS", transparent) if transparent else b"")
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return path


def skip_without_reader(path: Path) -> None:
    """HEIC is an optional extra."""
    needs = missing_reader(path.suffix)
    if needs is not None:
        pytest.skip(needs)
