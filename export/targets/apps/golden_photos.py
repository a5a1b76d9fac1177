"""Golden photos: JPEG files that show how near a phone's own decoder comes to the lab's.

The golden images of an export are PNG, which the app decodes itself. A photo takes another way: the
phone's decoder, whole or in strips. These painted pictures take that way in the app's self-test.
Decoders may differ in the last bits, so a photo has a tolerance in pixels after the resize.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from export.checks.golden.images import paint_golden_lesion
from export.schema.bundle import BundlePhoto, BundlePhotos
from hierattn.common.files import write_bytes
from hierattn.data.synth.traits import KERATOSIS, MELANOMA, NEVUS
from hierattn.preprocessing import PreprocessSpec

MAX_DIFFERENCE = 8
MAX_MEAN_DIFFERENCE = 0.2
"""Largest and mean difference of a byte of the squashed photo, in levels of 255.

Measured with libjpeg-turbo 2.1.5 on these photos against Pillow, at 256 pixels: see
docs/android.md, "How near is near enough".
"""
_ORIENTATION, _QUARTER_TURN = 0x0112, 6
_QUALITY = 92
_FULL_COLOUR, _HALVED_COLOUR = "4:4:4", "4:2:0"


@dataclass(frozen=True)
class GoldenPhoto:
    """One golden photo.

    Attributes:
        name: file name without its ending.
        what: the property, and the mistake that it reveals.
        jpeg: the file.
    """

    name: str
    what: str
    jpeg: bytes


def write_golden_photos(folder: Path, spec: PreprocessSpec) -> BundlePhotos:
    """Write ``NAME.jpg`` and what Python makes of it, ``NAME.rgb``, of every photo."""
    images = []
    for photo in golden_photos(spec.image_size):
        path = folder / f"{photo.name}.jpg"
        write_bytes(path, photo.jpeg)
        tensor = spec.load(path).tobytes()
        write_bytes(path.with_suffix(".rgb"), tensor)
        images.append(
            BundlePhoto(
                file=path.name,
                sha256=hashlib.sha256(photo.jpeg).hexdigest(),
                tensor=f"{photo.name}.rgb",
                tensor_sha256=hashlib.sha256(tensor).hexdigest(),
                what=photo.what,
            )
        )
    return BundlePhotos(
        max_difference=MAX_DIFFERENCE, max_mean_difference=MAX_MEAN_DIFFERENCE, images=images
    )


def golden_photos(size: int) -> Iterator[GoldenPhoto]:
    """Draw the photos for a square input of ``size`` pixels; the same bytes every time."""
    yield _golden(
        "photo_444",
        "baseline JPEG, colours at full resolution",
        _with_bars(paint_golden_lesion(MELANOMA, size * 2, size * 3 // 2, tone=1)),
        subsampling=_FULL_COLOUR,
    )
    yield _golden(
        "photo_420",
        "baseline JPEG, colours at half resolution, odd sides: colours are smoothed, not repeated",
        _with_bars(paint_golden_lesion(NEVUS, size * 2 + 1, size * 3 // 2 + 1, tone=3)),
        subsampling=_HALVED_COLOUR,
    )
    yield _golden(
        "photo_progressive",
        "progressive JPEG, colours at half resolution: all passes count",
        _with_bars(paint_golden_lesion(KERATOSIS, size * 2, size * 3 // 2, tone=0)),
        subsampling=_HALVED_COLOUR,
        progressive=True,
    )
    yield _golden(
        "photo_turned",
        "EXIF orientation 6: turned a quarter clockwise before it is resized",
        _with_bars(paint_golden_lesion(MELANOMA, size * 2, size * 3 // 2, tone=4)),
        subsampling=_HALVED_COLOUR,
        orientation=_QUARTER_TURN,
    )


def _golden(
    name: str,
    what: str,
    image: Image.Image,
    *,
    subsampling: str,
    progressive: bool = False,
    orientation: int | None = None,
) -> GoldenPhoto:
    exif = Image.Exif()
    if orientation is not None:
        exif[_ORIENTATION] = orientation
    file = io.BytesIO()
    image.save(
        file,
        "JPEG",
        quality=_QUALITY,
        subsampling=subsampling,
        progressive=progressive,
        exif=exif.tobytes() if orientation is not None else b"",
    )
    return GoldenPhoto(name, what, file.getvalue())


def _with_bars(photo: Image.Image) -> Image.Image:
    """Bars of strong colours along the lower edge, where decoders differ in smoothing colours."""
    pixels = np.array(photo)
    height, width = pixels.shape[:2]
    colours = np.array([[200, 30, 40], [40, 60, 190], [60, 170, 70]], np.uint8)
    pixels[height * 7 // 8 :] = colours[np.arange(width) // 9 % len(colours)]
    return Image.fromarray(pixels)
