"""Building blocks of the painter: seeded smooth noise, soft discs and thin lines on a grid."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

FloatMap = np.ndarray
"""A float32 map [S, S]."""


def smooth_noise(rng: np.random.Generator, size: int, cells: int) -> FloatMap:
    """Smooth noise with about ``cells`` bumps a side; mean near 0, standard deviation near 1."""
    coarse = rng.standard_normal((cells + 3, cells + 3)).astype(np.float32)
    fine = Image.fromarray(coarse).resize(
        (size, size), Image.Resampling.BICUBIC, box=(1.0, 1.0, cells + 2.0, cells + 2.0)
    )
    return np.asarray(fine) * np.float32(1.4)


def soft_step(value: FloatMap, width: float) -> FloatMap:
    """A smooth step from 0 to 1 around ``value`` 0, about ``width`` wide."""
    ramp = np.clip(value * np.float32(0.5 / width) + np.float32(0.5), 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def discs(
    axis: np.ndarray, centres: np.ndarray, radii: np.ndarray, weights: np.ndarray | float = 1.0
) -> FloatMap:
    """Soft discs, the strongest wins.

    Args:
        axis: float32 [S], the coordinate along either side.
        centres: float [N, 2], x and y.
        radii: float [N], where the disc falls to half.
        weights: float [N] or one, the height of each.
    """
    # A Gaussian is separable, so that a sum of N discs is one matrix product.
    spread = np.asarray(radii, dtype=np.float32)[:, None] * np.float32(0.85)
    across = np.exp(-0.5 * ((axis[None] - centres[:, :1].astype(np.float32)) / spread) ** 2)
    down = np.exp(-0.5 * ((axis[None] - centres[:, 1:].astype(np.float32)) / spread) ** 2)
    height = np.broadcast_to(np.asarray(weights, dtype=np.float32), (len(centres),))
    total = (down * height[:, None]).T @ across
    return np.minimum(soft_step(total - np.float32(0.5), 0.35), 1)


def lines(size: int, paths: list[np.ndarray], widths: list[float]) -> FloatMap:
    """Anti-aliased polylines in [0, 1].

    Args:
        size: side of the map, pixels.
        paths: each float [P, 2], x and y from 0 to 1.
        widths: of each path, relative to the side.
    """
    scale = 2
    canvas = Image.new("L", (size * scale, size * scale))
    pen = ImageDraw.Draw(canvas)
    for path, width in zip(paths, widths, strict=True):
        points = [(float(x), float(y)) for x, y in path * (size * scale)]
        pen.line(points, fill=255, width=max(1, round(width * size * scale)), joint="curve")
    return np.asarray(canvas.reduce(scale), dtype=np.float32) / np.float32(255)


def curve(
    rng: np.random.Generator, start: np.ndarray, angle: float, length: float, bend: float
) -> np.ndarray:
    """A random smooth path float [9, 2] from ``start``, turning by about ``bend`` radians."""
    turns = np.linspace(0, rng.normal(0, bend), 8) + rng.normal(0, bend / 6, 8)
    steps = np.stack([np.cos(angle + turns), np.sin(angle + turns)], axis=1) * (length / 8)
    return np.concatenate([start[None], start[None] + np.cumsum(steps, axis=0)])
