import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from hierattn.errors import UnreadableImageError
from hierattn.preprocessing import (
    DECODER_ERRORS,
    PHOTO_FORMATS,
    PreprocessSpec,
    missing_reader,
    open_rgb,
    photo_readers,
)

# Where row 0 and column 0 of the stored pixels lie in the upright picture (EXIF 2.32, tag 0x0112).
SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def noise(height: int = 6, width: int = 5, channels: int = 3, seed: int = 0) -> np.ndarray:
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels as a camera held in another way writes them."""
    row, column = SIDES[orientation]
    pixels = upright.swapaxes(0, 1) if row in ("left", "right") else upright
    pixels = pixels[::-1] if row in ("bottom", "right") else pixels
    pixels = pixels[:, ::-1] if column in ("bottom", "right") else pixels
    return np.ascontiguousarray(pixels)


def save_turned(pixels: np.ndarray, path: Path, orientation: int, **options: object) -> Path:
    image = Image.fromarray(pixels)
    if path.suffix == ".tif":
        image.save(path, tiffinfo={0x0112: orientation}, **options)
    else:
        exif = Image.Exif()
        exif[0x0112] = orientation
        # As bytes: pillow-heif turns the picture by them alone.
        image.save(path, exif=exif.tobytes(), **options)
    return path


def write_png(
    path: Path, pixels: np.ndarray, *, colour_type: int, transparent: bytes | None = None
) -> Path:
    """A PNG of any depth, which Pillow cannot write for 16-bit colour."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    height, width = pixels.shape[:2]
    depth = 8 * pixels.itemsize
    rows = b"".join(b"\0" + row.astype(pixels.dtype.newbyteorder(">")).tobytes() for row in pixels)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0))
        + (chunk(b"tRNS", transparent) if transparent else b"")
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return path


def skip_without_reader(path: Path) -> None:
    """HEIC is an optional extra."""
    needs = missing_reader(path.suffix)
    if needs is not None:
        pytest.skip(needs)


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


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_means_nothing_is_ignored(tmp_path: Path, orientation: int) -> None:
    path = save_turned(noise(), tmp_path / "photo.png", orientation)
    assert np.array_equal(np.asarray(open_rgb(path)), noise())


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


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (900, 700)])
@pytest.mark.parametrize("side", [1, 64, 224])
def test_any_size_is_squashed_as_pillow_does(
    tmp_path: Path, size: tuple[int, int], side: int
) -> None:
    pixels = noise(size[1], size[0])
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    got = PreprocessSpec(image_size=side).load(tmp_path / "photo.png")
    expected = Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR)
    assert got.shape == (side, side, 3) and got.dtype == np.uint8
    assert np.array_equal(got, np.asarray(expected))


def test_shrinking_averages_instead_of_picking_pixels(tmp_path: Path) -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    got = PreprocessSpec(image_size=8).load(tmp_path / "stripes.png").astype(int)
    assert np.abs(got - 127).max() < 12


@given(st.integers(1, 4), st.integers(1, 7), st.integers(0, 99))
def test_the_input_is_the_pixels_over_255_channels_first(count: int, side: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    images = PreprocessSpec(image_size=side).to_input(pixels)
    assert images.dtype == np.float32 and images.flags.c_contiguous
    assert images.shape == (count, 3, side, side)
    assert np.array_equal(np.rint(images * 255).transpose(0, 2, 3, 1), pixels)
    assert images.min() >= 0 and images.max() <= 1


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


@pytest.mark.parametrize("error", DECODER_ERRORS)
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
    with pytest.raises(UnreadableImageError, match="decompression bomb"):
        open_rgb(path)


def test_the_spec_survives_json_and_refuses_what_it_does_not_know() -> None:
    spec = PreprocessSpec(image_size=224)
    assert PreprocessSpec.model_validate_json(spec.model_dump_json()) == spec
    fields = json.loads(spec.model_dump_json())
    for change in ({"mean": [0.5]}, {"resize": "nearest"}, {"divisor": 256}, {"image_size": 0},
                   {"version": 2}):  # fmt: skip
        with pytest.raises(ValidationError, match=next(iter(change))):
            PreprocessSpec.model_validate({**fields, **change})
    with pytest.raises(ValidationError, match="frozen"):
        spec.image_size = 10  # type: ignore[misc]
