"""Generated picture files whose preprocessing goes wrong easily: formulas and noise, no photos."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tests.android.png_writer import (
    CHANNELS,
    COLOUR,
    COLOUR_ALPHA,
    DEPTHS,
    GREY,
    GREY_ALPHA,
    PALETTE,
    Png,
    write_png,
)

ORIENTATION = 0x0112
SIDES = (
    *((1, 1), (1, 513), (513, 1), (1, 256), (256, 1), (2, 3), (255, 257), (257, 255), (256, 256)),
    *((512, 512), (640, 480), (333, 777), (256, 100), (100, 256), (1023, 5), (5, 1023), (3000, 7)),
)


@dataclass(frozen=True)
class Picture:
    """A file, and the sides of the inputs to make of it.

    Attributes:
        name: says what is odd about it.
        suffix: ".png", ".jpg" or ".webp".
        content: the file's bytes.
        sizes: pixels.
    """

    name: str
    suffix: str
    content: bytes
    sizes: tuple[int, ...]


def generated_pictures(random_sides: int, large: bool) -> Iterator[Picture]:
    """All of them, the same every time.

    Args:
        random_sides: how many pictures of random sides.
        large: whether two of 12 megapixels come too.
    """
    yield from _odd_sides()
    yield from _turned()
    yield from _modes()
    yield from _png_kinds()
    if large:
        yield from _twelve_megapixels()
    yield from _random_sides(random_sides)


def noise(width: int, height: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Random bytes [height, width, channels]: every rounding is put to the test."""
    generator = np.random.default_rng((width, height, channels, seed))
    return generator.integers(0, 256, (height, width, channels), dtype=np.uint8)


def _odd_sides() -> Iterator[Picture]:
    for width, height in SIDES:
        image = Image.fromarray(noise(width, height))
        yield Picture(f"{width}x{height}", ".png", _file(image, "PNG"), (256, 224, 1))
    # Columns come first in Pillow 13 where the height loses more than twice what the width loses.
    for width, height in ((300, 343), (300, 344), (300, 345), (100, 1000), (260, 265), (260, 264)):
        for value in range(1, 9):
            sides = (width, height) if value < 5 else (height, width)
            image = Image.fromarray(noise(*sides))
            name = f"{width}x{height} when turned by {value}"
            yield Picture(name, ".png", _file(image, "PNG", value), (256,))
    # Only black and white: sums at the very ends of their range.
    hard = Image.fromarray((noise(300, 200) & 1) * 255)
    yield Picture("black and white", ".png", _file(hard, "PNG"), (256, 64))


def _turned() -> Iterator[Picture]:
    for value in range(1, 9):
        for width, height in ((37, 23), (300, 401), (256, 300), (300, 256), (256, 256)):
            image = Image.fromarray(noise(width, height, seed=value))
            name = f"orientation {value}, {width}x{height}"
            yield Picture(name, ".png", _file(image, "PNG", value), (256, 64))
            yield Picture(name, ".jpg", _file(image, "JPEG", value), (256, 64))
        webp = _file(Image.fromarray(noise(61, 40, seed=value)), "WEBP", value)
        yield Picture(f"orientation {value}, WebP", ".webp", webp, (64,))


def _modes() -> Iterator[Picture]:
    colour = Image.fromarray(noise(150, 90))
    clear = Image.fromarray(noise(150, 90, 4), "RGBA")
    yield Picture("grey", ".png", _file(colour.convert("L"), "PNG"), (256, 64))
    yield Picture("grey", ".jpg", _file(colour.convert("L"), "JPEG"), (256, 64))
    yield Picture("CMYK", ".jpg", _file(colour.convert("CMYK"), "JPEG"), (64,))
    yield Picture("grey with alpha", ".png", _file(clear.convert("LA"), "PNG"), (256, 64))
    yield Picture("alpha", ".png", _file(clear, "PNG"), (256, 64))
    yield Picture("alpha, turned", ".png", _file(clear, "PNG", 8), (64,))
    yield Picture("alpha", ".webp", _file(clear, "WEBP"), (64,))
    yield Picture("palette", ".png", _file(colour.quantize(200), "PNG"), (256, 64))
    yield Picture("palette, one clear", ".png", _file(colour.quantize(9), "PNG", clear=3), (64,))
    shades = bytes(range(0, 250, 25))
    yield Picture("palette, shades", ".png", _file(colour.quantize(16), "PNG", clear=shades), (64,))
    deep = np.random.default_rng(1).integers(0, 65536, (70, 110), dtype=np.uint16)
    yield Picture("16-bit grey", ".png", _file(Image.fromarray(deep), "PNG"), (256, 64))


def _png_kinds() -> Iterator[Picture]:
    """Every colour type, bit depth, interlacing, and transparency by colour."""
    generator = np.random.default_rng(7)
    for kind, depths in DEPTHS.items():
        for depth in depths:
            for interlaced in (False, True):
                for clear in (False, True):
                    if clear and kind in (GREY_ALPHA, COLOUR_ALPHA):
                        continue
                    sides = (int(generator.integers(1, 40)), int(generator.integers(1, 40)))
                    png = _png(generator, kind, depth, sides, interlaced, clear)
                    words = ("interlaced " if interlaced else "") + ("clear " if clear else "")
                    name = f"PNG {words}type {kind}, {depth} bits, {sides[0]}x{sides[1]}"
                    yield Picture(name, ".png", write_png(png), (32,))


def _png(
    generator: np.random.Generator,
    kind: int,
    depth: int,
    sides: tuple[int, int],
    interlaced: bool,
    clear: bool,
) -> Png:
    width, height = sides
    samples = generator.integers(0, 2**depth, (height, width, CHANNELS[kind]), dtype=np.uint16)
    chunks = [(b"gAMA", (45455 * 2).to_bytes(4, "big"))]
    if kind == PALETTE:
        colours = generator.integers(0, 256, (2**depth, 3), dtype=np.uint8)
        chunks.append((b"PLTE", colours.tobytes()))
    if clear and kind == PALETTE:
        alphas = generator.integers(0, 256, 2**depth - 1, dtype=np.uint8)
        chunks.append((b"tRNS", alphas.tobytes()))
    elif clear:
        # The colour of some pixels; 16-bit samples repeat their byte so that Pillow finds it too.
        samples = samples // 257 * 257 if depth == 16 else samples
        chosen = samples[height // 2, width // 2]
        chunks.append((b"tRNS", chosen.astype(">u2").tobytes()))
        if kind in (GREY, COLOUR):
            samples[: height // 2, ::2] = chosen
    return Png(samples, kind, depth, interlaced, chunks, idat=int(generator.integers(20, 900)))


def _random_sides(count: int) -> Iterator[Picture]:
    generator = np.random.default_rng(11)
    for case in range(count):
        width, height = (int(2 ** generator.uniform(0, 9.3)) for _ in range(2))
        size = int(2 ** generator.uniform(0, 8))
        value = int(generator.integers(1, 9))
        image = Image.fromarray(noise(width, height, seed=case))
        name = f"random {case}: {width}x{height}, orientation {value}"
        yield Picture(name, ".png", _file(image, "PNG", value), (size,))


def _twelve_megapixels() -> Iterator[Picture]:
    x, y = np.arange(4000, dtype=np.float32), np.arange(3000, dtype=np.float32)[:, None]
    image = np.empty((3000, 4000, 3), np.uint8)
    for channel in range(3):
        waves = np.sin(x / 37 + channel) * np.cos(y / (53 + 9 * channel))
        image[..., channel] = waves * 90 + 128 + (x + y) % 3
    drawn = Image.fromarray(image)
    yield Picture("12 megapixels, orientation 6", ".jpg", _file(drawn, "JPEG", 6), (256,))
    yield Picture("12 megapixels, orientation 1", ".png", _file(drawn, "PNG", 1), (256,))


def _file(
    image: Image.Image, kind: str, orientation: int | None = None, clear: int | bytes | None = None
) -> bytes:
    file = io.BytesIO()
    options: dict[str, object] = {"compress_level": 1} if kind == "PNG" else {}
    if orientation is not None:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        options["exif"] = exif
    if clear is not None:
        options["transparency"] = clear
    image.save(file, kind, **options)
    return file.getvalue()


def text_chunk(key: bytes, text: bytes, compressed: bool = False) -> tuple[bytes, bytes]:
    """A chunk of Latin text for :class:`Png`."""
    if compressed:
        return b"zTXt", key + b"\0\0" + zlib.compress(text)
    return b"tEXt", key + b"\0" + text
