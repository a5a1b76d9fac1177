"""Preprocessing, described once: from an image file to the network's input tensor.

Training, evaluation, every exported file's metadata and the phone follow :class:`PreprocessSpec`.
"""

from __future__ import annotations

import functools
import struct
import zlib
from importlib import import_module
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, features
from pydantic import BaseModel, ConfigDict, Field

from hierattn.common.files import regular_file
from hierattn.errors import UnreadableImageError

# Pillow's reader of each suffix; whatever its name, a file is offered to these readers only. MPO,
# which some cameras write as .jpg, comes with JPEG.
PHOTO_FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".gif": "GIF",
    ".avif": "AVIF",
    ".heic": "HEIF",
    ".heif": "HEIF",
}

# Pillow words these for people; on damaged bytes its readers also let the others out.
_WORDED_ERRORS = (OSError, SyntaxError, ValueError)
DECODER_ERRORS = (
    *_WORDED_ERRORS,
    Image.DecompressionBombError,
    EOFError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)


@functools.cache
def photo_readers() -> tuple[str, ...]:
    """Pillow's readers that are offered a photo: all of :data:`PHOTO_FORMATS` that are here."""
    missing = {name for suffix, name in PHOTO_FORMATS.items() if missing_reader(suffix)}
    return tuple(name for name in dict.fromkeys(PHOTO_FORMATS.values()) if name not in missing)


@functools.cache
def missing_reader(suffix: str) -> str | None:
    """What a photo of this suffix would need to be read here, in words; None if nothing.

    Args:
        suffix: one of :data:`PHOTO_FORMATS`.
    """
    kind = PHOTO_FORMATS[suffix]
    if kind == "HEIF":
        try:
            import_module("pillow_heif").register_heif_opener()
        except ImportError:
            return f"{suffix} needs pillow-heif: pip install 'hierattn-mobile[heic]'"
    if kind == "AVIF" and not features.check("avif"):
        return f"{suffix} needs a Pillow that was built with AVIF"
    return None


class PreprocessSpec(BaseModel):
    """How a photo becomes an input tensor; the fields are literal so that no reader may guess.

    The order is: decode the first frame, apply the EXIF orientation, reduce 16 bits to the high
    byte, composite alpha over white, convert to RGB, squash to ``image_size`` x ``image_size``
    with Pillow's antialiased bilinear filter, divide by 255. No mean, no standard deviation:
    HierAttn is trained on [0, 1] (arXiv 2205.04326, official code).

    Pillow rounds to bytes between its two passes, so their order shows. Since 13 it resizes columns
    before rows where height > S and height - S > 2 (width - S); before, rows always came first. The
    spec means Pillow 13's order, which is why the package asks for that version.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    image_size: int = Field(256, ge=1, le=4096, description="side of the square input, pixels")
    orientation: Literal["exif"] = "exif"
    alpha: Literal["composite_over_white"] = "composite_over_white"
    sixteen_bit: Literal["high_byte"] = "high_byte"
    colour: Literal["rgb"] = "rgb"
    fit: Literal["squash"] = "squash"
    resize: Literal["pillow_bilinear_antialias"] = "pillow_bilinear_antialias"
    divisor: Literal[255] = 255
    layout: Literal["nchw"] = "nchw"

    def load(self, path: str | Path) -> np.ndarray:
        """Decode a file to a uint8 array [S, S, 3], RGB.

        Raises:
            UnreadableImageError: missing, empty, truncated, not an image, over about 179
                megapixels, or of a pixel format without a defined meaning (float TIFF).
        """
        return np.asarray(self.resize_image(open_rgb(path)))

    def resize_image(self, image: Image.Image) -> Image.Image:
        """Squash an upright RGB image to the square input size."""
        side = (self.image_size, self.image_size)
        return image if image.size == side else image.resize(side, Image.Resampling.BILINEAR)

    def to_input(self, pixels: np.ndarray) -> np.ndarray:
        """Turn uint8 [N, S, S, 3] into the float32 input [N, 3, S, S] in [0, 1]."""
        scaled = pixels.astype(np.float32) / np.float32(self.divisor)
        return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def open_rgb(path: str | Path) -> Image.Image:
    """Decode a file to an upright 8-bit RGB image at its own size.

    Raises:
        UnreadableImageError: see :meth:`PreprocessSpec.load`.
    """
    path = Path(path)
    try:
        # A file object, not the path: Pillow maps an uncompressed TIFF given by path into memory
        # with the sides of the turned image, which shears one with EXIF orientation 5 to 8.
        with (
            regular_file(path).open("rb") as file,
            Image.open(file, formats=photo_readers()) as image,
        ):
            image.load()
            return _to_rgb(ImageOps.exif_transpose(image), path)
    except FileNotFoundError as error:
        raise UnreadableImageError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise UnreadableImageError(f"{path}: a folder, not an image") from error
    except UnidentifiedImageError as error:
        empty = path.stat().st_size == 0
        known = f"not an image of a known kind ({', '.join(photo_readers())})"
        raise UnreadableImageError(f"{path}: {'the file is empty' if empty else known}") from error
    except DECODER_ERRORS as error:
        raise UnreadableImageError(f"{path}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """One line: the system's or Pillow's own words, else what kind of error its parsing met."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, Image.DecompressionBombError):
        most = 2e-6 * (Image.MAX_IMAGE_PIXELS or 0)
        return f"more than the {most:.0f} megapixels that are read; give a smaller copy"
    lines = str(error).splitlines() if error.args else []
    if lines and isinstance(error, _WORDED_ERRORS):
        return lines[0]
    kind = type(error).__name__
    return f"cannot be decoded ({f'{kind}: {lines[0]}' if lines else kind})"


def _to_rgb(image: Image.Image, path: Path) -> Image.Image:
    if image.mode.startswith("I"):
        deep = np.asarray(image).astype(np.int64)
        if deep.size and (deep.min() < 0 or deep.max() > 65535):
            raise UnreadableImageError(f"{path}: 32-bit integer pixels have no defined meaning")
        return Image.fromarray((deep >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise UnreadableImageError(f"{path}: floating-point pixels have no defined meaning")
    if image.has_transparency_data:
        return _composite_over_white(image.convert("RGBA"))
    return image.convert("RGB")


def _composite_over_white(image: Image.Image) -> Image.Image:
    """Integer formula, so that the phone can repeat it: (c*a + 255*(255-a) + 127) // 255."""
    pixels = np.asarray(image).astype(np.uint32)
    colour, alpha = pixels[..., :3], pixels[..., 3:]
    mixed = (colour * alpha + 255 * (255 - alpha) + 127) // 255
    return Image.fromarray(mixed.astype(np.uint8))
