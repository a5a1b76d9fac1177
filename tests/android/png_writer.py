"""A PNG writer that can do what Pillow's cannot: every bit depth, interlaced, any filter."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, COLOUR: 3, PALETTE: 1, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
DEPTHS = {
    GREY: (1, 2, 4, 8, 16),
    COLOUR: (8, 16),
    PALETTE: (1, 2, 4, 8),
    GREY_ALPHA: (8, 16),
    COLOUR_ALPHA: (8, 16),
}
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


@dataclass(frozen=True)
class Png:
    """What to write.

    Attributes:
        samples: [height, width, channels], below 2**depth.
        kind: PNG's colour type.
        depth: bits a sample.
        chunks: name and content, before the pixels.
        late_chunks: likewise, behind the pixels.
        filters: of the rows, taken in turn; 0 to 4.
        idat: bytes of compressed pixels in one chunk.
    """

    samples: np.ndarray
    kind: int
    depth: int
    interlaced: bool = False
    chunks: Sequence[tuple[bytes, bytes]] = ()
    late_chunks: Sequence[tuple[bytes, bytes]] = ()
    filters: Sequence[int] = field(default=(4, 3, 2, 1, 0))
    idat: int = 8192


def write_png(png: Png) -> bytes:
    """The file's bytes."""
    height, width = png.samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, png.depth, png.kind, 0, 0, int(png.interlaced))
    packed = zlib.compress(b"".join(_passes(png)), 6)
    parts = [packed[at : at + png.idat] for at in range(0, len(packed), png.idat)]
    chunks = [(b"IHDR", header), *png.chunks, *((b"IDAT", part) for part in parts)]
    chunks += [*png.late_chunks, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, content) for name, content in chunks)


def chunk(name: bytes, content: bytes) -> bytes:
    """Length, name, content, checksum."""
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def _passes(png: Png) -> Iterator[bytes]:
    for x, y, dx, dy in _ADAM7 if png.interlaced else ((0, 0, 1, 1),):
        part = png.samples[y::dy, x::dx]
        if part.size:
            yield _filtered(png, part)


def _filtered(png: Png, samples: np.ndarray) -> bytes:
    step = max(1, CHANNELS[png.kind] * png.depth // 8)
    rows = []
    above = None
    for y, row in enumerate(samples):
        raw = np.frombuffer(_packed(row.reshape(-1), png.depth), np.uint8).astype(np.int32)
        if above is None:
            above = np.zeros_like(raw)
        left, corner = (np.r_[np.zeros(step, np.int32), line][: len(raw)] for line in (raw, above))
        kind = png.filters[y % len(png.filters)]
        guess = (
            np.zeros_like(raw),
            left,
            above,
            (left + above) // 2,
            _paeth(left, above, corner),
        )[kind]
        rows.append(bytes([kind]) + ((raw - guess) & 255).astype(np.uint8).tobytes())
        above = raw
    return b"".join(rows)


def _packed(samples: np.ndarray, depth: int) -> bytes:
    if depth == 16:
        return samples.astype(">u2").tobytes()
    bits = np.unpackbits(samples.astype(np.uint8)[:, None], axis=1)[:, 8 - depth :]
    return np.packbits(bits.reshape(-1)).tobytes()


def _paeth(left: np.ndarray, above: np.ndarray, corner: np.ndarray) -> np.ndarray:
    guess = left + above - corner
    far = [np.abs(guess - side) for side in (left, above, corner)]
    nearest_left = (far[0] <= far[1]) & (far[0] <= far[2])
    return np.where(nearest_left, left, np.where(far[1] <= far[2], above, corner))
