"""Pigment maps of a painted lesion, before view and light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hierattn.data.synth.fields import FloatMap, curve, discs, lines, smooth_noise, soft_step
from hierattn.data.synth.traits import (
    BASAL_CELL,
    DERMATOFIBROMA,
    KERATOSIS,
    MELANOMA,
    VASCULAR,
    Traits,
    classify,
)

FIELD_MM = 19.0
"""Width of the photographed field, millimetres: a fixed scale, so that size can be seen."""


@dataclass(frozen=True)
class LesionMaps:
    """Pigments over the field, each float32 [S, S], 0 outside the lesion.

    Melanin and blood absorb light; pale, blue and horn are shares of an overlaid colour.
    """

    melanin: FloatMap
    blood: FloatMap
    pale: FloatMap
    blue: FloatMap
    horn: FloatMap


@dataclass(frozen=True)
class _Shape:
    axis: np.ndarray
    radius: float
    relative: FloatMap
    angle: FloatMap
    mask: FloatMap


def paint_lesion(traits: Traits, rng: np.random.Generator, size: int) -> LesionMaps:
    """Lay the pigments of one lesion, centred, on a square of ``size`` pixels."""
    label = classify(traits)
    shape = _shape(traits, rng, size, sharp=label == KERATOSIS)
    melanin, blood, blue, pale = _ground(traits, rng, size, shape, label)
    horn = np.zeros_like(melanin)
    vessels = _vessels(traits.vessels, rng, size, shape)
    blood = blood + vessels
    if label == BASAL_CELL:
        nests = _scattered(rng, shape, 4 + int(rng.integers(5)), 0.10, 0.2, 0.75)
        blue = np.maximum(blue, nests * np.float32(rng.uniform(0.0, 0.75)))
    lacunae = _lacunae(traits.lacunae, rng, shape)
    blood = blood + lacunae * np.float32(rng.uniform(1.2, 1.9))
    melanin = melanin + lacunae * np.float32(0.25)
    blue = np.maximum(blue, lacunae * np.float32(rng.uniform(0, 0.35) * traits.lacunae))
    scar = soft_step(rng.uniform(0.30, 0.60) - shape.relative, 0.35) * shape.mask
    pale = np.maximum(pale, scar * np.float32(traits.scar * 0.75))
    cysts = _scattered(rng, shape, round(26 * traits.cysts) + 1, 0.025, 0.055, 0.85)
    pale = np.maximum(pale, cysts * np.float32(min(1.0, 0.4 + traits.cysts)) * (traits.cysts > 0))
    if label == KERATOSIS:
        plugs = _scattered(rng, shape, 3 + int(rng.integers(8)), 0.03, 0.07, 0.85)
        melanin = melanin + plugs * np.float32(0.8)
        horn = shape.mask * np.float32(rng.uniform(0.15, 0.45))
    return LesionMaps(melanin, blood, pale, blue, horn)


def _shape(traits: Traits, rng: np.random.Generator, size: int, sharp: bool) -> _Shape:
    axis = np.linspace(-FIELD_MM / 2, FIELD_MM / 2, size, dtype=np.float32)
    radius = traits.diameter_mm / 2
    x, y = axis[None, :] / np.float32(radius), axis[:, None] / np.float32(radius)
    stretch = np.float32(1 + rng.uniform(0, 0.12) + 0.25 * traits.asymmetry * rng.random())
    x, y = x * stretch, y / stretch
    angle = np.arctan2(y, x).astype(np.float32)
    outline: FloatMap = np.ones((size, size), dtype=np.float32)
    for k in range(2, 5):
        outline += np.float32(0.13 * traits.asymmetry / k**0.4) * _wave(rng, k, angle)
    for k in range(5, 14):
        outline += np.float32((0.006 + 0.042 * traits.border) / (k / 5) ** 0.5) * _wave(
            rng, k, angle
        )
    relative = np.hypot(x, y) / np.maximum(outline, np.float32(0.3))
    ragged = smooth_noise(rng, size, 14) * np.float32(0.02 + 0.09 * traits.border)
    edge = rng.uniform(0.04, 0.09) if sharp else rng.uniform(0.08, 0.34)
    mask = soft_step(1 - relative + ragged, edge)
    return _Shape(axis, radius, relative, angle, mask)


def _wave(rng: np.random.Generator, k: int, angle: FloatMap) -> FloatMap:
    return np.cos(k * angle + np.float32(rng.uniform(0, 2 * np.pi))) * np.float32(rng.normal())


def _ground(
    traits: Traits, rng: np.random.Generator, size: int, shape: _Shape, label: str
) -> tuple[FloatMap, FloatMap, FloatMap, FloatMap]:
    """Melanin, blood, blue and pale before any structure: base tone, patches, network."""
    base, red = {
        BASAL_CELL: (rng.uniform(0.05, 0.4), rng.uniform(0.25, 0.6)),
        VASCULAR: (rng.uniform(0.0, 0.2), rng.uniform(0.25, 0.8)),
        DERMATOFIBROMA: (rng.uniform(0.3, 0.75), rng.uniform(0.05, 0.35)),
        KERATOSIS: (rng.uniform(0.35, 1.1), rng.uniform(0.0, 0.25)),
    }.get(label, (rng.uniform(0.55, 1.25), rng.uniform(0.0, 0.35)))
    patches, spots = smooth_noise(rng, size, 5), smooth_noise(rng, size, 8)
    darker = soft_step(patches - np.float32(0.5), 0.5)
    lighter = soft_step(-patches - np.float32(0.6), 0.5)
    colours = np.float32(traits.colours)
    tilt = np.cos(shape.angle - np.float32(rng.uniform(0, 2 * np.pi))) * shape.relative
    density: FloatMap = 1 + np.float32(0.35) * (np.float32(1) - shape.relative).clip(-1, 1)
    density = density + colours * (np.float32(1.1) * darker - np.float32(0.55) * lighter)
    density = density + np.float32(0.5 * traits.asymmetry) * tilt.clip(-1.2, 1.2)
    density = density + np.float32(0.08) * smooth_noise(rng, size, 30)
    network = _network(rng, size, shape) * np.float32(rng.uniform(0.1, 0.7))
    if label == DERMATOFIBROMA:
        network = network * soft_step(shape.relative - np.float32(0.55), 0.4)
    elif label in (BASAL_CELL, VASCULAR, KERATOSIS):
        network = network * np.float32(0.25)
    melanin = shape.mask * np.float32(base) * (density + network).clip(0.1, 3.2)
    veil = soft_step(spots + tilt - np.float32(0.9), 0.7) * shape.mask
    many = np.float32(max(0.0, traits.colours - 0.25))
    blue = veil * many * np.float32(rng.uniform(0.5, 1.0) if label == MELANOMA else 0.6)
    blood = shape.mask * (np.float32(red) + many * soft_step(-spots - np.float32(0.5), 0.6))
    regression = soft_step(smooth_noise(rng, size, 6) - np.float32(1.1), 0.5) * shape.mask
    pale = regression * many * np.float32(0.7)
    if label == BASAL_CELL:
        pale = np.maximum(pale, shape.mask * np.float32(rng.uniform(0.1, 0.3)))
    return melanin, blood, blue, pale


def _network(rng: np.random.Generator, size: int, shape: _Shape) -> FloatMap:
    """A warped honeycomb of thin brown lines, in [-0.5, 1]."""
    x, y = np.broadcast_arrays(shape.axis[None, :], shape.axis[:, None])
    warp = np.float32(0.5)
    x = x + warp * smooth_noise(rng, size, 6)
    y = y + warp * smooth_noise(rng, size, 6)
    frequency = np.float32(2 * np.pi / rng.uniform(0.9, 1.4))
    turn = rng.uniform(0, np.pi)
    total = np.zeros((size, size), dtype=np.float32)
    for third in range(3):
        along = turn + third * np.pi / 3
        total += np.cos(frequency * (np.float32(np.cos(along)) * x + np.float32(np.sin(along)) * y))
    return (np.float32(0.5) - soft_step(total, 1.6)) * np.float32(1.2)


def _inside(rng: np.random.Generator, shape: _Shape, count: int, reach: float) -> np.ndarray:
    """Random points float [N, 2] in millimetres, inside ``reach`` of the radius."""
    angle = rng.uniform(0, 2 * np.pi, count)
    distance = shape.radius * reach * np.sqrt(rng.random(count))
    return np.stack([distance * np.cos(angle), distance * np.sin(angle)], axis=1)


def _scattered(
    rng: np.random.Generator, shape: _Shape, count: int, small: float, large: float, reach: float
) -> FloatMap:
    # Radii in millimetres grow with the lesion, but stay visible in a small one.
    radii = rng.uniform(small, large, count) * max(shape.radius, 3.5)
    return discs(shape.axis, _inside(rng, shape, count, reach), radii) * shape.mask


def _lacunae(strength: float, rng: np.random.Generator, shape: _Shape) -> FloatMap:
    count = 3 + int(rng.integers(3)) + round(16 * strength)
    radii = rng.uniform(0.10, 0.24, count) * shape.radius
    pools = discs(shape.axis, _inside(rng, shape, count, 0.85), radii)
    return pools * shape.mask * np.float32(strength * (0.6 if strength < 0.5 else 1.0))


def _vessels(strength: float, rng: np.random.Generator, size: int, shape: _Shape) -> FloatMap:
    """Branching vessels: a few trunks that cross the lesion, each with thinner twigs."""
    paths: list[np.ndarray] = []
    widths: list[float] = []
    reach = shape.radius / FIELD_MM
    for _ in range(1 + round(4 * strength)):
        angle = rng.uniform(0, 2 * np.pi)
        start = 0.5 + 0.9 * reach * np.array([np.cos(angle), np.sin(angle)])
        heading = angle + np.pi + rng.normal(0, 0.5)
        trunk = curve(rng, start, heading, reach * rng.uniform(0.8, 1.5), 0.7)
        paths.append(trunk)
        widths.append(0.011)
        for _ in range(3):
            at = trunk[int(rng.integers(2, 8))]
            side = heading + rng.choice((-1, 1)) * rng.uniform(0.4, 1.0)
            paths.append(curve(rng, at, side, reach * rng.uniform(0.25, 0.6), 0.7))
            widths.append(0.005)
    return lines(size, paths, widths) * shape.mask * np.float32(1.7 * min(1.0, 2 * strength))
