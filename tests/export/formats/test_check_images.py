from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from export.errors import ArtefactError
from export.formats.interface import check_images

PATH = Path("model.onnx")


def images(value: float = 0.5, count: int = 2) -> np.ndarray:
    drawn = np.full((count, 3, 8, 8), 0.25, np.float32)
    drawn[-1:, -1, -1, -1] = value
    return drawn


@pytest.mark.parametrize("value", [0.0, 1.0, -0.0])
def test_values_of_preprocessing_pass(value: float) -> None:
    check_images(images(value), 8, PATH)
    check_images(images(count=0), 8, PATH)


@pytest.mark.parametrize(
    ("value", "reason"),
    [(255.0, "to 255; divide pixels by 255"), (-1.0, "not from -1 to 0.25"), (1.001, "to 1.001")],
)
def test_values_that_preprocessing_never_yields_are_refused(value: float, reason: str) -> None:
    with pytest.raises(ArtefactError, match=reason):
        check_images(images(value), 8, PATH)
    check_images(images(value), 8, PATH, any_range=True)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_never_taken(value: float) -> None:
    with pytest.raises(ArtefactError, match="NaN or infinity"):
        check_images(images(value), 8, PATH, any_range=True)


@pytest.mark.parametrize(
    "wrong", [images().astype(np.float64), images()[0], images()[:, :, :7], images()[:, :2]]
)
def test_other_shapes_and_types_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ArtefactError, match=r"takes float32 \[N, 3, 8, 8\], not"):
        check_images(wrong, 8, PATH)
