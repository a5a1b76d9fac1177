"""Small real files for the data tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def write_photo(path: Path, seed: int = 0, size: tuple[int, int] = (12, 10)) -> Path:
    """Write a photo whose bytes differ by ``seed``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def write_class_folders(root: Path, counts: dict[str, int]) -> Path:
    """Write PNG photos ``<class>/<number>.png``, all different."""
    seed = 0
    for name, count in counts.items():
        for number in range(count):
            write_photo(root / name / f"{number:03d}.png", seed)
            seed += 1
    return root


def write_csv(path: Path, header: str, rows: Sequence[str]) -> Path:
    """Write a CSV from lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path
