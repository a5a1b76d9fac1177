"""Golden photos: what they are, and that Pillow's own decoding is what they are held against."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from export.schema.bundle import BundlePhoto
from export.targets.apps.golden_photos import (
    MAX_DIFFERENCE,
    MAX_MEAN_DIFFERENCE,
    GoldenPhoto,
    golden_photos,
    write_golden_photos,
)
from hierattn.preprocessing import PreprocessSpec

SIZE = 64


@pytest.fixture(scope="module")
def photos() -> dict[str, GoldenPhoto]:
    return {photo.name: photo for photo in golden_photos(SIZE)}


def test_each_has_its_property(photos: dict[str, GoldenPhoto]) -> None:
    facts = {}
    for name, photo in photos.items():
        with Image.open(io.BytesIO(photo.jpeg)) as image:
            facts[name] = (
                JpegImagePlugin.get_sampling(image),
                bool(image.info.get("progressive")),
                image.getexif().get(0x0112, 1),
            )
    full, halved = 0, 2
    assert facts == {
        "photo_444": (full, False, 1),
        "photo_420": (halved, False, 1),
        "photo_progressive": (halved, True, 1),
        "photo_turned": (halved, False, 6),
    }


def test_the_same_bytes_every_time_and_what_python_makes_of_them(
    photos: dict[str, GoldenPhoto], tmp_path: Path
) -> None:
    spec = PreprocessSpec(image_size=SIZE)
    record = write_golden_photos(tmp_path, spec)
    assert [image.file for image in record.images] == [f"{name}.jpg" for name in photos]
    for image in record.images:
        assert (tmp_path / image.file).read_bytes() == photos[Path(image.file).stem].jpeg
        assert (tmp_path / image.tensor).read_bytes() == spec.load(tmp_path / image.file).tobytes()


@pytest.mark.slow
def test_the_tolerance_tells_mistakes_from_rounding(tmp_path: Path) -> None:
    """Decoding at half size, and repeated colours (4:2:0 without smoothing), are found."""
    spec = PreprocessSpec()
    record = write_golden_photos(tmp_path, spec)
    for image in record.images:
        with Image.open(tmp_path / image.file) as photo:
            photo.draft("RGB", (photo.width // 2, photo.height // 2))
            upright = photo.transpose(Image.Transpose.ROTATE_270)
            small = upright if image.file == "photo_turned.jpg" else photo
            assert _is_refused(np.asarray(spec.resize_image(small.convert("RGB"))), tmp_path, image)
    with Image.open(tmp_path / "photo_420.jpg") as photo:
        luma, *colours = photo.convert("YCbCr").split()
        half = (photo.width // 2, photo.height // 2)
        repeated = [
            plane.resize(half, Image.Resampling.BOX).resize(photo.size, Image.Resampling.NEAREST)
            for plane in colours
        ]
        plain = Image.merge("YCbCr", (luma, *repeated)).convert("RGB")
    named = next(image for image in record.images if image.file == "photo_420.jpg")
    assert _is_refused(np.asarray(spec.resize_image(plain)), tmp_path, named)


def _is_refused(pixels: np.ndarray, folder: Path, image: BundlePhoto) -> bool:
    wanted = np.frombuffer((folder / image.tensor).read_bytes(), np.uint8)
    difference = np.abs(pixels.ravel().astype(int) - wanted.astype(int))
    return bool(difference.max() > MAX_DIFFERENCE or difference.mean() > MAX_MEAN_DIFFERENCE)
