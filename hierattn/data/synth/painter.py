"""Rendering of a painted lesion to a photo: skin, light, hair and camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from hierattn.data.synth.fields import FloatMap, curve, lines, smooth_noise
from hierattn.data.synth.lesion import LesionMaps, paint_lesion
from hierattn.data.synth.traits import sample_traits
from hierattn.errors import ConfigError

SKIN_TONES = ("I", "II", "III", "IV", "V", "VI")
SMALLEST, LARGEST = 16, 2048

_SKIN = np.array(
    [
        (0.95, 0.81, 0.75),
        (0.92, 0.75, 0.66),
        (0.86, 0.67, 0.55),
        (0.74, 0.54, 0.41),
        (0.57, 0.39, 0.28),
        (0.40, 0.27, 0.20),
    ],
    dtype=np.float32,
)
# Absorption of red, green and blue light: melanin browns, blood reddens.
_MELANIN = np.array((0.55, 0.95, 1.30), dtype=np.float32)
_BLOOD = np.array((0.18, 0.85, 0.62), dtype=np.float32)
_PALE = np.array((0.95, 0.87, 0.84), dtype=np.float32)
_BLUE = np.array((0.33, 0.37, 0.46), dtype=np.float32)
_HORN = np.array((0.66, 0.50, 0.30), dtype=np.float32)


@dataclass(frozen=True)
class View:
    """How one photo is taken: none of this depends on the class.

    ``rotation`` is in degrees, ``shift`` and ``hairs``' widths relative to the side, ``light`` a
    factor for each of red, green and blue.
    """

    rotation: float
    zoom: float
    shift: tuple[float, float]
    light: tuple[float, float, float]
    shade: float
    shade_angle: float
    vignette: float
    hairs: int
    hair_darkness: float
    blur: float
    noise: float


def sample_view(rng: np.random.Generator) -> View:
    """Draw a viewpoint, lighting, hair and camera."""
    exposure = rng.uniform(0.80, 1.08)
    red, green, blue = (float(exposure * factor) for factor in rng.normal(1, 0.035, 3))
    across, down = (float(value) for value in rng.uniform(-0.07, 0.07, 2))
    return View(
        rotation=float(rng.uniform(0, 360)),
        zoom=float(rng.uniform(0.92, 1.08)),
        shift=(across, down),
        light=(red, green, blue),
        shade=float(rng.uniform(0, 0.22)),
        shade_angle=float(rng.uniform(0, 2 * np.pi)),
        vignette=float(rng.uniform(0, 0.25) if rng.random() < 0.7 else rng.uniform(0.4, 0.8)),
        hairs=int(rng.poisson(3.0)) if rng.random() < 0.55 else 0,
        hair_darkness=float(rng.uniform(0.45, 0.95)),
        blur=float(rng.uniform(0.0, 0.9)),
        noise=float(rng.uniform(0.006, 0.022)),
    )


def paint(label: str, rng: np.random.Generator, size: int = 128) -> Image.Image:
    """Paint one photo of a class, everything else drawn at random; 8-bit RGB, square.

    Raises:
        UnknownNameError: not a painted class.
        ConfigError: ``size`` outside 16 to 2048 pixels.
    """
    check_size(size)
    maps = paint_lesion(sample_traits(label, rng), rng, size)
    tone = SKIN_TONES[int(rng.integers(len(SKIN_TONES)))]
    return photograph(maps, tone, sample_view(rng), rng)


def check_size(size: int) -> None:
    """Check the side of a painted photo, pixels.

    Raises:
        ConfigError: outside 16 to 2048.
    """
    if not SMALLEST <= size <= LARGEST:
        raise ConfigError(f"size {size} is not between {SMALLEST} and {LARGEST} pixels")


def photograph(
    maps: LesionMaps, skin_tone: str, view: View, rng: np.random.Generator
) -> Image.Image:
    """Take a photo of a painted lesion; ``rng`` gives the skin's texture, hair and noise."""
    size = len(maps.melanin)
    skin = _SKIN[SKIN_TONES.index(skin_tone)]
    melanin, blood, pale, blue, horn = (
        _moved(plane, view)[..., None]
        for plane in (maps.melanin, maps.blood, maps.pale, maps.blue, maps.horn)
    )
    # Beer-Lambert: pigments darken whatever skin they lie in, by colour.
    absorbed = melanin * _MELANIN + blood * _BLOOD + _skin_density(rng, size)[..., None]
    photo = skin * np.exp(-absorbed)
    # Overlays dim with the skin, so that a scar in dark skin does not glow.
    dim = np.float32(0.35 + 0.65 * float(skin.mean()) / float(_SKIN[0].mean()))
    for share, colour in ((horn, _HORN), (blue, _BLUE), (pale, _PALE)):
        photo = photo + share * (colour * dim - photo)
    photo = _with_hair(photo, view, rng)
    photo = photo * _light(view, size)
    image = Image.fromarray(_to_bytes(photo))
    if view.blur > 0.05:
        image = image.filter(ImageFilter.GaussianBlur(view.blur * size / 128))
    grain = rng.standard_normal((size, size, 1), dtype=np.float32) * np.float32(view.noise * 255)
    noisy = np.asarray(image, dtype=np.float32) + grain
    return Image.fromarray(np.clip(noisy + np.float32(0.5), 0, 255).astype(np.uint8))


def _to_bytes(photo: np.ndarray) -> np.ndarray:
    return np.clip(photo * np.float32(255) + np.float32(0.5), 0, 255).astype(np.uint8)


def _moved(plane: FloatMap, view: View) -> FloatMap:
    size = len(plane)
    turn = np.deg2rad(view.rotation)
    cosine, sine = float(np.cos(turn)) / view.zoom, float(np.sin(turn)) / view.zoom
    centre = size / 2
    x, y = centre + view.shift[0] * size, centre + view.shift[1] * size
    matrix = (
        cosine,
        sine,
        centre - cosine * x - sine * y,
        -sine,
        cosine,
        centre + sine * x - cosine * y,
    )
    moved = Image.fromarray(plane.astype(np.float32)).transform(
        (size, size), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )
    return np.asarray(moved)


def _skin_density(rng: np.random.Generator, size: int) -> FloatMap:
    """Melanin of the bare skin around its mean: mottling, pores and creases."""
    creases = np.abs(smooth_noise(rng, size, 22)) * np.float32(0.045)
    mottling = smooth_noise(rng, size, 4) * np.float32(0.035)
    pores = smooth_noise(rng, size, max(8, size // 3)) * np.float32(0.02)
    return mottling + pores - creases


def _with_hair(photo: np.ndarray, view: View, rng: np.random.Generator) -> np.ndarray:
    if view.hairs == 0:
        return photo
    along = rng.uniform(0, 2 * np.pi)
    paths = [
        curve(rng, rng.uniform(0, 1, 2), along + rng.normal(0, 0.6), rng.uniform(0.4, 1.1), 0.5)
        for _ in range(view.hairs)
    ]
    widths = [float(rng.uniform(0.004, 0.009)) for _ in paths]
    cover = lines(len(photo), paths, widths)[..., None] * np.float32(view.hair_darkness)
    return photo * (1 - cover) + cover * np.array((0.13, 0.09, 0.07), dtype=np.float32)


def _light(view: View, size: int) -> np.ndarray:
    """Brightness factor float32 [S, S, 3]: colour of the light, its fall-off and the corners."""
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    x, y = axis[None, :], axis[:, None]
    slope = np.float32(np.cos(view.shade_angle)) * x + np.float32(np.sin(view.shade_angle)) * y
    corners = (x * x + y * y) ** 2 * np.float32(0.25 * view.vignette)
    factor = (1 - np.float32(0.5 * view.shade) * (1 + slope)) * (1 - corners)
    return factor[..., None] * np.array(view.light, dtype=np.float32)
