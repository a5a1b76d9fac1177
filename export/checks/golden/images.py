"""Golden images: synthetic pictures that test an app's preprocessing and its model.

Each has one property that decoders and resizers commonly get wrong. All are PNG: JPEG decoders may
round differently, which is not an error of the app.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from hierattn.data.synth.lesion import paint_lesion
from hierattn.data.synth.painter import SKIN_TONES, SMALLEST, photograph, sample_view
from hierattn.data.synth.traits import (
    BASAL_CELL,
    DERMATOFIBROMA,
    KERATOSIS,
    MELANOMA,
    NEVUS,
    VASCULAR,
    sample_traits,
)

_SEED = 20220509
_ORIENTATION, _QUARTER_TURN = 0x0112, 6
# Skin texture is noise to a PNG; without its three low bits a picture takes a third of the bytes.
_KEPT_BITS = 0xF8


@dataclass(frozen=True)
class GoldenImage:
    """One golden image.

    Attributes:
        name: file name without its ending.
        what: the property, and the mistake that it reveals.
        width: as stored, before any turning; pixels.
        png: the file.
    """

    name: str
    what: str
    width: int
    height: int
    png: bytes


def golden_images(size: int) -> list[GoldenImage]:
    """Draw the pictures for a square input of ``size`` pixels; the same bytes every time."""
    return list(_draw(size))


def _draw(size: int) -> Iterator[GoldenImage]:
    yield _golden(
        "exact",
        "already of the input size: pixels must pass unchanged; checks RGB order and scaling",
        paint_golden_lesion(MELANOMA, size, size, tone=1),
    )
    yield _golden(
        "large_wide",
        "larger and not square: antialiased bilinear reduction, squashed without crop or border",
        paint_golden_lesion(NEVUS, size * 9 // 4, size * 3 // 2, tone=2),
    )
    yield _golden(
        "small_tall",
        "smaller and not square: enlarged, with pixel centres at half coordinates",
        paint_golden_lesion(BASAL_CELL, size * 5 // 16, size * 7 // 16, tone=0),
    )
    yield _golden(
        "odd",
        "one pixel off the input size in both sides: must be resized, not cropped or padded",
        paint_golden_lesion(KERATOSIS, size + 1, size - 1, tone=3),
    )
    yield _golden(
        "thin",
        "one pixel high: the only row is repeated, nothing is read beside it",
        _gradient(2 * size + 1, 1),
    )
    yield _golden(
        "grey",
        "8-bit grey: copied to three channels",
        paint_golden_lesion(VASCULAR, size * 5 // 4, size, tone=4).convert("L"),
    )
    yield _golden(
        "grey_16_bit",
        "16-bit grey: only the high byte counts, cut off and not rounded",
        _deep_ramp(size * 3 // 4, size * 3 // 4),
    )
    yield _golden(
        "alpha",
        "transparency: composited over white before resizing, not multiplied and not dropped",
        _with_alpha(paint_golden_lesion(DERMATOFIBROMA, size * 3 // 2, size * 3 // 2, tone=5)),
    )
    yield _golden(
        "turned",
        "EXIF orientation 6: turned a quarter clockwise before it is resized",
        paint_golden_lesion(MELANOMA, size * 5 // 4, size * 7 // 8, tone=3),
        orientation=_QUARTER_TURN,
    )
    yield _golden(
        "checkerboard",
        "one-pixel checks over a gradient: a resize without antialiasing shows moire",
        _checkerboard(size * 7 // 4, size * 13 // 8),
    )


def _golden(
    name: str, what: str, image: Image.Image, orientation: int | None = None
) -> GoldenImage:
    exif = Image.Exif()
    if orientation is not None:
        exif[_ORIENTATION] = orientation
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True, exif=exif if orientation is not None else None)
    return GoldenImage(name, what, *image.size, file.getvalue())


def paint_golden_lesion(label: str, width: int, height: int, tone: int) -> Image.Image:
    """A painted lesion of whole bytes without low bits, cut from the middle of a square."""
    rng = np.random.default_rng([_SEED, tone, len(label)])
    side = max(width, height, SMALLEST)
    maps = paint_lesion(sample_traits(label, rng), rng, side)
    view = replace(sample_view(rng), noise=0.0)
    photo = np.asarray(photograph(maps, SKIN_TONES[tone], view, rng))
    top, left = (side - height) // 2, (side - width) // 2
    return Image.fromarray(photo[top : top + height, left : left + width] & np.uint8(_KEPT_BITS))


def _ramps(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Integers from 0 to 65535 along either side, [H, W] each."""
    across = np.arange(width) * 65535 // max(width - 1, 1)
    down = np.arange(height) * 65535 // max(height - 1, 1)
    return np.broadcast_to(across, (height, width)), np.broadcast_to(down[:, None], (height, width))


def _gradient(width: int, height: int) -> Image.Image:
    """Red grows to the right, green falls, blue grows downwards from the middle."""
    across, down = _ramps(width, height)
    planes = (across, 65535 - across, 32768 + down // 2)
    return Image.fromarray((np.stack(planes, axis=2) >> 8).astype(np.uint8))


def _deep_ramp(width: int, height: int) -> Image.Image:
    # The product runs through many low bytes, so that rounding differs from cutting.
    across, down = _ramps(width, height)
    return Image.fromarray((across * (65535 - down // 2) >> 16).astype(np.uint16))


def _with_alpha(photo: Image.Image) -> Image.Image:
    """Opaque in the middle, half transparent at the sides, fully transparent in one corner."""
    across, down = (ramp.astype(np.int64) for ramp in _ramps(*photo.size))
    distance = np.abs(across - 32768) + np.abs(down - 32768)
    alpha = np.clip(255 - (distance >> 8), 64, 255)
    alpha[(across < 16384) & (down < 16384)] = 0
    return Image.fromarray(np.dstack([np.asarray(photo), alpha.astype(np.uint8)]))


def _checkerboard(width: int, height: int) -> Image.Image:
    """A gradient under checks of one pixel; below the middle, under slanting lines."""
    x, y = np.arange(width)[None, :], np.arange(height)[:, None]
    bright = np.where(y < height // 2, (x + y) % 2 == 0, (2 * x + 3 * y) % 10 < 5)
    gradient = np.asarray(_gradient(width, height))
    return Image.fromarray(np.where(bright[..., None], gradient, gradient // 4))
