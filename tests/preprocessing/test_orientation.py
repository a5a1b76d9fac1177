"""Photos that a camera held in another way come out upright."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hierattn.preprocessing import (
    open_rgb,
)
from tests.preprocessing.photos import SIDES, noise, save_turned, skip_without_reader, stored


@pytest.mark.parametrize("orientation", SIDES)
@pytest.mark.parametrize(
    ("suffix", "options"),
    [(".png", {}), (".tif", {}), (".tif", {"compression": "tiff_lzw"}),
     (".webp", {"lossless": True})],
)  # fmt: skip
def test_all_eight_orientations_come_out_upright(
    tmp_path: Path, orientation: int, suffix: str, options: dict[str, object]
) -> None:
    upright = noise()
    path = tmp_path / f"photo{suffix}"
    save_turned(stored(upright, orientation), path, orientation, **options)
    assert np.array_equal(np.asarray(open_rgb(path)), upright)


@pytest.mark.parametrize("orientation", SIDES)
@pytest.mark.parametrize("deep", [False, True])
def test_turned_grey_tiff_is_not_sheared(tmp_path: Path, orientation: int, deep: bool) -> None:
    grey = noise(channels=0)
    upright = grey.astype(np.uint16) * 256 + 7 if deep else grey
    path = save_turned(stored(upright, orientation), tmp_path / "grey.tif", orientation)
    assert np.array_equal(np.asarray(open_rgb(path))[..., 0], grey)


@pytest.mark.parametrize("orientation", SIDES)
def test_turned_jpeg_has_its_corners_in_place(tmp_path: Path, orientation: int) -> None:
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :24], upright[:16, 24:] = (250, 10, 10), (10, 250, 10)
    upright[16:, :24], upright[16:, 24:] = (10, 10, 250), (250, 250, 250)
    path = save_turned(stored(upright, orientation), tmp_path / "p.jpg", orientation, quality=95)
    got = np.asarray(open_rgb(path)).astype(int)
    assert got.shape == upright.shape
    for row, column in ((8, 12), (8, 36), (24, 12), (24, 36)):
        assert np.abs(got[row, column] - upright[row, column]).max() < 12


@pytest.mark.parametrize("orientation", SIDES)
@pytest.mark.parametrize("suffix", ["avif", "heic"])
def test_turned_photos_of_newer_phones_have_their_corners_in_place(
    tmp_path: Path, suffix: str, orientation: int
) -> None:
    upright = np.zeros((64, 96, 3), np.uint8)
    upright[:32, :48], upright[:32, 48:] = (250, 10, 10), (10, 250, 10)
    upright[32:, :48], upright[32:, 48:] = (10, 10, 250), (250, 250, 250)
    path = tmp_path / f"photo.{suffix}"
    skip_without_reader(path)
    save_turned(stored(upright, orientation), path, orientation, quality=95)
    got = np.asarray(open_rgb(path)).astype(int)
    assert got.shape == upright.shape
    for row, column in ((16, 24), (16, 72), (48, 24), (48, 72)):
        assert np.abs(got[row, column] - upright[row, column]).max() < 16


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_means_nothing_is_ignored(tmp_path: Path, orientation: int) -> None:
    path = save_turned(noise(), tmp_path / "photo.png", orientation)
    assert np.array_equal(np.asarray(open_rgb(path)), noise())
