"""Small real files for the data tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from hierattn.data.records import DataFolder, Record

ABSENT = Path("/nonexistent")


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


def make_folder(groups: list[tuple[str, str]]) -> DataFolder:
    """A folder of (class, lesion) pairs, without files behind it."""
    records = tuple(
        Record(ABSENT / f"{i:04d}", f"{label}/{i:04d}.png", label, lesion_id=lesion)
        for i, (label, lesion) in enumerate(groups)
    )
    return DataFolder(ABSENT, tuple(sorted({label for label, _ in groups})), records)


def simple_folder(classes: int = 3, lesions: int = 20, photos: int = 2) -> DataFolder:
    """A folder of as many lesions a class and photos a lesion, without files behind it."""
    return make_folder(
        [(f"c{c}", f"{c}-{i}") for c in range(classes) for i in range(lesions)] * photos
    )
