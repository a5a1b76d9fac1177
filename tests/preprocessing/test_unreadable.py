"""What is no photo, or a damaged one, is refused in one line and never crashes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hierattn.errors import UnreadableImageError
from hierattn.preprocessing import (
    DECODER_ERRORS,
    PHOTO_FORMATS,
    missing_reader,
    open_rgb,
    photo_readers,
)
from tests.preprocessing.photos import noise, skip_without_reader, write_png


def test_only_readers_that_are_here_are_offered_a_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("hierattn.preprocessing.import_module", absent)
    missing_reader.cache_clear()
    photo_readers.cache_clear()
    try:
        assert "HEIF" not in photo_readers() and "AVIF" in photo_readers()
        needed = {suffix: missing_reader(suffix) for suffix in PHOTO_FORMATS}
        assert {suffix for suffix, needs in needed.items() if needs} == {".heic", ".heif"}
        assert "pip install 'hierattn-mobile[heic]'" in str(needed[".heic"])
    finally:
        missing_reader.cache_clear()
        photo_readers.cache_clear()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.write_bytes(b""), "the file is empty"),
        (lambda path: path.write_text("not an image\n"), "not an image of a known kind"),
        (lambda path: path.mkdir(), "a folder, not an image"),
        (lambda path: Image.new("F", (4, 4), 0.5).save(path, "TIFF"), "floating-point pixels"),
        (lambda path: Image.new("I", (4, 4), 70000).save(path, "TIFF"), "32-bit integer pixels"),
        (lambda path: Image.new("I", (4, 4), -1).save(path, "TIFF"), "32-bit integer pixels"),
    ],
)
def test_unreadable_files_are_named_with_the_reason(
    tmp_path: Path, make: Callable[[Path], object], reason: str
) -> None:
    path = tmp_path / "photo.jpg"
    make(path)
    with pytest.raises(UnreadableImageError) as caught:
        open_rgb(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and reason in message
    assert message.count(str(path)) == 1 and "\n" not in message


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "webp", "gif", "avif", "heic"])
def test_a_file_cut_in_half_is_unreadable(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photo.{suffix}"
    skip_without_reader(path)
    Image.fromarray(noise(64, 64)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableImageError, match=rf"photo\.{suffix}: "):
        open_rgb(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "webp", "tif", "gif", "avif", "heic"])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin")
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_random_damage_is_read_or_refused_but_never_crashes(tmp_path: Path, suffix: str) -> None:
    whole = tmp_path / f"whole.{suffix}"
    skip_without_reader(whole)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise(24, 20)).save(whole, exif=exif)
    content, damaged = whole.read_bytes(), tmp_path / f"damaged.{suffix}"
    random = np.random.default_rng(11)
    refused = 0
    for _ in range(120):
        changed = bytearray(content)
        for _ in range(random.integers(1, 5)):
            changed[random.integers(0, min(len(changed), 400))] = random.integers(0, 256)
        damaged.write_bytes(changed[: random.integers(1, len(changed) + 1)])
        try:
            assert open_rgb(damaged).mode == "RGB"
        except UnreadableImageError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 0


@pytest.mark.parametrize("kind", ["DDS", "BLP", "PPM", "ICO", "TGA", "PCX"])
def test_other_formats_under_a_photo_name_are_refused(tmp_path: Path, kind: str) -> None:
    whole, path = tmp_path / "whole", tmp_path / "photo.jpg"
    picture = Image.fromarray(noise(24, 20))
    (picture.quantize() if kind == "BLP" else picture).save(whole, kind)
    random = np.random.default_rng(5)
    for _ in range(20):
        path.write_bytes(whole.read_bytes())
        with pytest.raises(UnreadableImageError, match="not an image of a known kind"):
            open_rgb(path)
        changed = bytearray(whole.read_bytes())
        changed[random.integers(16, len(changed))] = random.integers(0, 256)
        path.write_bytes(changed)
        with pytest.raises(UnreadableImageError):
            open_rgb(path)


@pytest.mark.parametrize(
    ("suffix", "mode", "options"),
    [
        ("jpg", "CMYK", {}),
        ("jpg", "RGB", {"progressive": True}),
        ("png", "P", {}),
        ("webp", "RGBA", {"lossless": True}),
        ("bmp", "P", {}),
        ("tif", "RGB", {"compression": "tiff_lzw"}),
        ("tif", "1", {"compression": "group4"}),
        ("gif", "P", {}),
        ("gif", "P", {"interlace": False, "transparency": 3}),
        ("avif", "RGBA", {}),
        ("avif", "L", {"subsampling": "4:0:0"}),
        ("heic", "RGBA", {}),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin")
def test_damaged_heads_of_every_kind_are_read_or_refused(
    tmp_path: Path, suffix: str, mode: str, options: dict[str, object]
) -> None:
    path = tmp_path / f"photo.{suffix}"
    skip_without_reader(path)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    Image.fromarray(noise(24, 20)).convert(mode).save(path, exif=exif, **options)
    content, random = path.read_bytes(), np.random.default_rng(3)
    for _ in range(150):
        changed = bytearray(content)
        for position in random.integers(0, min(len(changed), 200), random.integers(1, 4)):
            changed[position] = random.choice([0, 1, 127, 128, 255])
        path.write_bytes(changed)
        try:
            assert open_rgb(path).mode == "RGB"
        except UnreadableImageError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    "error", [one for one in DECODER_ERRORS if one is not Image.DecompressionBombError]
)
def test_an_error_of_a_decoder_without_words_is_named_by_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(image: Image.Image) -> None:
        raise error()

    path = tmp_path / "photo.png"
    Image.fromarray(noise()).save(path)
    monkeypatch.setattr("PIL.ImageOps.exif_transpose", fail)
    with pytest.raises(UnreadableImageError) as caught:
        open_rgb(path)
    assert str(caught.value) == f"{path}: cannot be decoded ({error.__name__})"


def test_a_picture_bomb_is_refused(tmp_path: Path) -> None:
    path = write_png(tmp_path / "bomb.png", np.zeros((1, 1, 3), np.uint8), colour_type=2)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 20000, 20000)
    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    path.write_bytes(content)
    with pytest.raises(UnreadableImageError, match=r"more than the 179 megapixels .* smaller copy"):
        open_rgb(path)
