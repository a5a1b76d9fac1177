"""Augmented copies of a photo, as the official data sets were oversampled with."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter, ImageOps

_CROP = 0.10
_BLUR = 0.5
_CONTRAST = (0.75, 1.5)
_NOISE = 0.05 * 255
_BRIGHTNESS = (0.8, 1.2)
_SCALE = (0.8, 1.2)
_SHIFT = 0.2
_ROTATION = 10.0
_SHEAR = 8.0


def augmented_copy(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A changed copy of an RGB photo, of the same size.

    Flip, crop of up to 10 % a side, light blur, contrast 0.75 to 1.5, noise of up to 0.05 * 255,
    brightness 0.8 to 1.2, and an affine change (scale 0.8 to 1.2, shift 20 %, rotation 10
    degrees, shear 8 degrees): the ranges of the HierAttn paper's data sets (arXiv 2205.04326,
    official code). What comes in from outside the photo is its mirror image, not black.
    """
    size = image.size
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    left, top, right, bottom = rng.uniform(0, _CROP, 4)
    box = (left * size[0], top * size[1], (1 - right) * size[0], (1 - bottom) * size[1])
    image = image.resize(size, Image.Resampling.BILINEAR, box=box)
    image = _affine(image, rng)
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, _BLUR)))
    pixels = np.asarray(image, dtype=np.float32)
    pixels = (pixels - 128) * np.float32(rng.uniform(*_CONTRAST)) + 128
    pixels = pixels * np.float32(rng.uniform(*_BRIGHTNESS))
    noise = rng.standard_normal(pixels.shape, dtype=np.float32)
    pixels = pixels + noise * np.float32(rng.uniform(0, _NOISE))
    return Image.fromarray(np.clip(pixels + np.float32(0.5), 0, 255).astype(np.uint8))


def _affine(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    width, height = image.size
    scale = rng.uniform(*_SCALE, 2)
    turn = np.deg2rad(rng.uniform(-_ROTATION, _ROTATION))
    shear = np.deg2rad(rng.uniform(-_SHEAR, _SHEAR))
    forward = (
        np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        @ np.array([[1, np.tan(shear)], [0, 1]])
        @ np.diag(scale)
    )
    backward = np.linalg.inv(forward)
    shift = rng.uniform(-_SHIFT, _SHIFT, 2) * (width, height)
    # Half a side of mirror all round is more than any of these changes can uncover of the far side.
    pad_x, pad_y = width // 2, height // 2
    padded = np.pad(np.asarray(image), ((pad_y, pad_y), (pad_x, pad_x), (0, 0)), mode="symmetric")
    centre = np.array([width / 2, height / 2])
    start = centre + np.array([pad_x, pad_y]) - backward @ (centre + shift)
    matrix = (*backward[0], start[0], *backward[1], start[1])
    return Image.fromarray(padded).transform(
        (width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )
