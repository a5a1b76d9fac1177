"""Files whose orientation is stated in every way there is, and damaged ones."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from hierattn.preprocessing import DECODER_ERRORS
from tests.android.pictures import ORIENTATION, text_chunk
from tests.android.png_writer import COLOUR, Png, write_png

HEIC = Path(__file__).parent / "heic"
REFUSED = 0
"""Python does not read the file at all; Java must only not break down."""


@dataclass(frozen=True)
class ExifCase:
    """A file, and the orientation Python turns it by: 1 to 8, or :data:`REFUSED`."""

    name: str
    content: bytes
    expected: int


def exif_cases(damaged: int) -> Iterator[ExifCase]:
    """All of them; ``damaged`` counts files with random bytes changed."""
    for name, content in _files(damaged):
        yield ExifCase(name, content, python_orientation(content))
    yield from heic_cases()


def heic_cases() -> Iterator[ExifCase]:
    """Files of libheif, turned and mirrored by their boxes in each of the eight ways.

    Made by formula with pillow-heif 1.8.1, which the project does not need; their names say by
    what they are to be turned.
    """
    for path in sorted(HEIC.glob("turned_*.heic")):
        yield ExifCase(path.name, path.read_bytes(), int(path.stem.removeprefix("turned_")))


def python_orientation(content: bytes) -> int:
    """What ``ImageOps.exif_transpose`` goes by, after the picture is loaded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(content), formats=["JPEG", "PNG", "WEBP", "AVIF"])
            image.load()
            value = image.getexif().get(ORIENTATION, 1)
    except (UnidentifiedImageError, *DECODER_ERRORS):
        return REFUSED
    return int(value) if value in range(2, 9) else 1


def _files(damaged: int) -> Iterator[tuple[str, bytes]]:
    blocks = dict(_blocks())
    for name, block in blocks.items():
        for suffix, wrap in (("JPEG", _jpeg), ("PNG", _png), ("WebP", _webp)):
            yield f"{name}, {suffix}", wrap(block, b"")
        raw = b"\nexif\n%8d\n%s\n" % (len(block), block.hex().encode())
        for compressed in (False, True):
            chunk = text_chunk(b"Raw profile type exif", raw, compressed)
            yield f"{name}, ImageMagick's text", _plain_png([chunk])
    yield from _xmp(blocks)
    yield from _avif()
    block = blocks["short 6, II"]
    yield "no EXIF, JPEG", _jpeg(b"", b"")
    yield "no EXIF, PNG", _plain_png([])
    yield "EXIF behind the pixels", _plain_png([], [(b"eXIf", block)])
    later = [(b"eXIf", blocks["short 3, MM"])]
    yield "EXIF before and behind the pixels", _plain_png([(b"eXIf", block)], later)
    halves = _segment(b"Exif\0\0" + block[:11]) + _segment(b"Exif\0\0" + block[11:])
    yield "EXIF in two segments", _joined(halves)
    yield "EXIF twice", _joined(_segment(b"Exif\0\0" + block) * 2)
    yield "doubled head", _joined(_segment(b"Exif\0\0Exif\0\0" + block))
    yield "fill bytes", _joined(b"\xff\xff\xff" + _segment(b"Exif\0\0" + block)[1:])
    yield "EXIF behind a comment", _joined(b"\xff\xfe\0\6abcd" + _segment(b"Exif\0\0" + block))
    stray = b"\xff\xfe\0\6abcd" + b"xyz\xff\0q"
    webp = _webp(block, b"")
    at = webp.index(b"EXIF")
    for odd in (b"ODD \1\0\0\0x\0", b"ODD \3\0\0\0xyz\0"):
        head = b"RIFF" + struct.pack("<I", len(webp) - 8 + len(odd))
        yield f"odd chunk before EXIF, {len(odd)}", head + webp[8:at] + odd + webp[at:]
    yield "stray bytes between segments", _joined(stray + _segment(b"Exif\0\0" + block))
    yield from _damaged(block, damaged)


def _avif() -> Iterator[tuple[str, bytes]]:
    """Pillow writes the orientation as boxes."""
    for value in range(1, 9):
        file, exif = io.BytesIO(), Image.Exif()
        exif[ORIENTATION] = value
        Image.new("RGB", (24, 16), (90, 60, 30)).save(file, "AVIF", exif=exif)
        yield f"boxes {value}, AVIF", file.getvalue()


def _blocks() -> Iterator[tuple[str, bytes]]:
    for order in ("II", "MM"):
        for value in range(10):
            yield f"short {value}, {order}", _block(order, [(ORIENTATION, 3, 1, value)])
        for kind in (1, 2, 4, 6, 7, 8, 9, 13, 99):
            yield f"type {kind}, {order}", _block(order, [(ORIENTATION, kind, 1, 6)])
        camera = [(0x0100, 4, 1, 640), (ORIENTATION, 3, 1, 8), (0x0128, 3, 1, 2)]
        yield f"among others, {order}", _block(order, camera)
        twice = [(ORIENTATION, 3, 1, 5), (ORIENTATION, 3, 1, 7)]
        yield f"twice, {order}", _block(order, twice)
        yield f"none, {order}", _block(order, [(0x0100, 4, 1, 640)])
        yield f"no values, {order}", _block(order, [(ORIENTATION, 3, 0, 6)])
        yield f"two values, {order}", _block(order, [(ORIENTATION, 3, 2, 6)])
        yield f"three values, {order}", _block(order, [(ORIENTATION, 3, 3, 8)]) + b"\6\0\6\0\6\0"
        yield f"far values, {order}", _block(order, [(ORIENTATION, 3, 3, 4000)])
        yield f"directory outside, {order}", _block(order, [], at=5000)
    swapped = bytearray(_block("MM", [(ORIENTATION, 3, 1, 6)]))
    swapped[2:4] = b"\x2a\0"
    yield "42 in the other order", bytes(swapped)
    yield "no TIFF", b"XX" + _block("II", [(ORIENTATION, 3, 1, 6)])[2:]
    yield "empty", b""


def _block(order: str, entries: list[tuple[int, int, int, int]], at: int = 8) -> bytes:
    """A TIFF block of one directory. A value is written as its type asks, inline."""
    mark = "<" if order == "II" else ">"
    parts = [
        order.encode(),
        struct.pack(f"{mark}HI", 42, at),
        struct.pack(f"{mark}H", len(entries)),
    ]
    for tag, kind, count, value in entries:
        short = kind in (3, 8) and count <= 2
        packed = struct.pack(f"{mark}HH", value, 0) if short else struct.pack(f"{mark}I", value)
        if kind in (1, 2, 6, 7):
            packed = bytes([value, 0, 0, 0])
        parts.append(struct.pack(f"{mark}HHI", tag, kind, count) + packed)
    return b"".join(parts) + bytes(4)


def _xmp(blocks: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    for name, xmp in (
        ("attribute", b'<rdf tiff:Orientation="6"/>'),
        ("element", b"<tiff:Orientation>3</tiff:Orientation>"),
        ("nought", b'<rdf tiff:Orientation="0"/>'),
        ("nine", b'<rdf tiff:Orientation="9"/>'),
        ("no digit", b'<rdf tiff:Orientation="x" tiff:Orientation="8"/>'),
        ("cut", b"<rdf tiff:Orientation="),
    ):
        for block in ("none, MM", "short 2, II", "short 0, II", "no TIFF", "type 2, II"):
            for suffix, wrap in (("JPEG", _jpeg), ("PNG", _png), ("WebP", _webp)):
                yield f"XMP {name}, EXIF {block}, {suffix}", wrap(blocks[block], xmp)
        yield f"XMP {name} alone, JPEG", _jpeg(b"", xmp)
        yield f"XMP {name} alone, PNG", _png(b"", xmp)
        text = (b"iTXt", b"XML:com.adobe.xmp\0\0\0en\0key\0" + xmp)
        yield f"XMP {name} with languages", _plain_png([text])


def _damaged(block: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    for length in range(len(block)):
        yield f"cut at {length}, JPEG", _jpeg(block[:length], b"")
        yield f"cut at {length}, PNG", _png(block[:length], b"")
    generator = np.random.default_rng(5)
    for case in range(count):
        changed = bytearray(block)
        for at in generator.integers(0, len(block), int(generator.integers(1, 4))):
            changed[at] = int(generator.integers(0, 256))
        yield f"damaged {case}, JPEG", _jpeg(bytes(changed), b"")
        yield f"damaged {case}, PNG", _png(bytes(changed), b"")
        file = bytearray(_jpeg(block, b""))
        file[int(generator.integers(2, 60))] = int(generator.integers(0, 256))
        yield f"damaged file {case}, JPEG", bytes(file)
        yield f"short file {case}, JPEG", bytes(file[: int(generator.integers(1, len(file)))])


def _jpeg(block: bytes, xmp: bytes) -> bytes:
    segments = _segment(b"Exif\0\0" + block) if block else b""
    if xmp:
        segments += _segment(b"http://ns.adobe.com/xap/1.0/\0" + xmp)
    return _joined(segments)


def _joined(segments: bytes) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (90, 60, 30)).save(file, "JPEG")
    content = file.getvalue()
    return content[:2] + segments + content[2:]


def _segment(content: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def _png(block: bytes, xmp: bytes) -> bytes:
    chunks = [(b"eXIf", block)] if block else []
    if xmp:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    return _plain_png(chunks)


def _plain_png(
    chunks: list[tuple[bytes, bytes]], late_chunks: list[tuple[bytes, bytes]] | None = None
) -> bytes:
    samples = np.zeros((2, 2, 3), np.uint8)
    return write_png(Png(samples, COLOUR, 8, chunks=chunks, late_chunks=late_chunks or ()))


def _webp(block: bytes, xmp: bytes) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "WEBP", exif=block, xmp=xmp)
    return file.getvalue()
