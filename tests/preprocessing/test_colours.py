"""Every kind of pixels becomes eight-bit RGB: alpha, grey, palettes, inks, depths, frames."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hierattn.preprocessing import (
    open_rgb,
)
from tests.preprocessing.photos import noise, skip_without_reader, write_png


@pytest.mark.parametrize("suffix", ["gif", "avif", "heic"])
def test_of_several_frames_the_first_is_read(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue", "lime")]
    path = tmp_path / f"photo.{suffix}"
    skip_without_reader(path)
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert np.abs(np.asarray(open_rgb(path)).astype(int) - (255, 0, 0)).max() < 16


def test_a_transparent_gif_stands_on_white(tmp_path: Path) -> None:
    indices = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    image = Image.fromarray(indices).convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.save(tmp_path / "photo.gif", transparency=1)
    white, first, last = [255] * 3, [10, 20, 30], [70, 80, 90]
    assert np.asarray(open_rgb(tmp_path / "photo.gif")).tolist() == [
        [first, white, last],
        [last, white, first],
    ]


def test_an_avif_is_what_its_png_is(tmp_path: Path) -> None:
    smooth = np.asarray(Image.fromarray(noise(4, 4)).resize((64, 64), Image.Resampling.BICUBIC))
    Image.fromarray(smooth).save(tmp_path / "photo.avif", quality=100, subsampling="4:4:4")
    got = np.asarray(open_rgb(tmp_path / "photo.avif")).astype(int)
    assert np.abs(got - smooth).max() <= 4


def test_alpha_is_composited_over_white_rounded_to_nearest(tmp_path: Path) -> None:
    # Every colour with every alpha there is: an exhaustive test of the integer formula.
    colour, alpha = np.meshgrid(np.arange(256), np.arange(256))
    pixels = np.stack([colour, 255 - colour, np.full_like(colour, 77), alpha], 2).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "alpha.png")
    share = alpha[..., None] / 255
    expected = np.rint(pixels[..., :3] * share + 255 * (1 - share))
    assert np.array_equal(np.asarray(open_rgb(tmp_path / "alpha.png")), expected)


def test_grey_with_alpha_is_composited_too(tmp_path: Path) -> None:
    pixels = noise(channels=2)
    Image.fromarray(pixels).save(tmp_path / "la.png")
    share = pixels[..., 1] / 255
    expected = np.rint(pixels[..., 0] * share + 255 * (1 - share))
    got = np.asarray(open_rgb(tmp_path / "la.png"))
    assert all(np.array_equal(got[..., channel], expected) for channel in range(3))


def test_a_transparent_palette_colour_becomes_white_after_turning(tmp_path: Path) -> None:
    indices = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    image = Image.fromarray(indices).convert("L")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    path = tmp_path / "palette.png"
    image.save(path, transparency=1)
    white, first, last = [255] * 3, [10, 20, 30], [70, 80, 90]
    assert np.asarray(open_rgb(path)).tolist() == [[first, white, last], [last, white, first]]


def test_a_transparent_colour_of_an_rgb_png_becomes_white(tmp_path: Path) -> None:
    pixels = noise()
    pixels[2, 3] = (9, 8, 7)
    key = struct.pack(">HHH", 9, 8, 7)
    path = write_png(tmp_path / "key.png", pixels, colour_type=2, transparent=key)
    expected = pixels.copy()
    expected[2, 3] = 255
    assert np.array_equal(np.asarray(open_rgb(path)), expected)


def test_grey_is_three_equal_channels(tmp_path: Path) -> None:
    grey = noise(channels=0)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    assert np.array_equal(np.asarray(open_rgb(tmp_path / "grey.png")), np.stack([grey] * 3, 2))
    Image.fromarray(grey > 127).save(tmp_path / "bits.png")
    bits = np.asarray(open_rgb(tmp_path / "bits.png"))
    assert np.array_equal(bits[..., 0], np.where(grey > 127, 255, 0))


def test_cmyk_inks_become_colours(tmp_path: Path) -> None:
    inks = {"none": (0, 0, 0, 0), "cyan": (255, 0, 0, 0), "black": (0, 0, 0, 255)}
    image = Image.new("CMYK", (3, 1))
    image.putdata(list(inks.values()))
    image.save(tmp_path / "inks.tif")
    expected = [[255, 255, 255], [0, 255, 255], [0, 0, 0]]
    assert np.asarray(open_rgb(tmp_path / "inks.tif")).tolist() == [expected]
    image.resize((48, 16), Image.Resampling.NEAREST).save(tmp_path / "inks.jpg", quality=95)
    jpeg = np.asarray(open_rgb(tmp_path / "inks.jpg"))[8, [8, 24, 40]].astype(int)
    assert np.abs(jpeg - expected).max() < 12


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_grey_keeps_the_high_byte(tmp_path: Path, suffix: str) -> None:
    # Saturating at 255, as a plain convert("RGB") does, would give white nearly everywhere.
    deep = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16) // 257 * 256 + 255
    Image.fromarray(deep).save(tmp_path / f"deep.{suffix}")
    got = np.asarray(open_rgb(tmp_path / f"deep.{suffix}"))
    assert np.array_equal(got[..., 1], np.arange(256).reshape(16, 16))


def test_sixteen_bit_colour_keeps_the_high_byte(tmp_path: Path) -> None:
    deep = np.random.default_rng(3).integers(0, 65536, (4, 5, 3), dtype=np.uint16)
    path = write_png(tmp_path / "deep.png", deep, colour_type=2)
    assert np.array_equal(np.asarray(open_rgb(path)), deep >> 8)
