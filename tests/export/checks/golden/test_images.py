from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from export.checks.golden.images import GoldenImage, golden_images
from hierattn.preprocessing import PreprocessSpec

SIZE = 64


@pytest.fixture(scope="module")
def images() -> dict[str, GoldenImage]:
    return {image.name: image for image in golden_images(SIZE)}


def _open(image: GoldenImage) -> Image.Image:
    opened = Image.open(io.BytesIO(image.png))
    opened.load()
    return opened


@pytest.fixture(scope="module")
def tensors(
    images: dict[str, GoldenImage], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("golden")
    spec = PreprocessSpec(image_size=SIZE)
    found = {}
    for name, image in images.items():
        path: Path = folder / f"{name}.png"
        path.write_bytes(image.png)
        found[name] = spec.load(path).astype(int)
    return found


def test_the_same_bytes_every_time(images: dict[str, GoldenImage]) -> None:
    assert list(images.values()) == golden_images(SIZE)
    assert len(images) == 10


@pytest.mark.parametrize("size", [224, 256])
def test_small_enough_to_ship_in_an_app(size: int) -> None:
    assert sum(len(image.png) for image in golden_images(size)) < 1_000_000


def test_each_has_the_trait_it_is_there_for(images: dict[str, GoldenImage]) -> None:
    opened = {name: _open(image) for name, image in images.items()}
    assert all(image.format == "PNG" for image in opened.values())
    assert all((images[n].width, images[n].height) == o.size for n, o in opened.items())
    assert opened["exact"].size == (SIZE, SIZE)
    assert min(opened["large_wide"].size) > SIZE and len(set(opened["large_wide"].size)) == 2
    assert max(opened["small_tall"].size) < SIZE and len(set(opened["small_tall"].size)) == 2
    assert opened["odd"].size == (SIZE + 1, SIZE - 1)
    assert opened["thin"].height == 1
    modes = {name: opened[name].mode for name in ("grey", "grey_16_bit", "alpha", "turned")}
    assert modes == {"grey": "L", "grey_16_bit": "I;16", "alpha": "RGBA", "turned": "RGB"}
    assert opened["turned"].getexif()[0x0112] == 6


def _naive(image: Image.Image, **resize: object) -> np.ndarray:
    resized = image.convert("RGB").resize((SIZE, SIZE), **resize)  # type: ignore[arg-type]
    return np.asarray(resized).astype(int)


def _far(wrong: np.ndarray, right: np.ndarray) -> bool:
    """More than one level away on more than a percent of values: no rounding."""
    return bool(np.mean(np.abs(wrong - right) > 1) > 0.01)


def _without_antialias(image: Image.Image) -> np.ndarray:
    planes = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float()
    resized = F.interpolate(planes, (SIZE, SIZE), mode="bilinear", align_corners=False)
    return resized[0].permute(1, 2, 0).numpy()


def test_every_common_mistake_shows(
    images: dict[str, GoldenImage], tensors: dict[str, np.ndarray]
) -> None:
    """Each mistake changes its picture's tensor by far more than rounding."""
    bilinear = Image.Resampling.BILINEAR
    red_blue = tensors["exact"][..., ::-1]
    assert _far(red_blue, tensors["exact"])
    nearest = _naive(_open(images["checkerboard"]), resample=Image.Resampling.NEAREST)
    assert _far(nearest, tensors["checkerboard"])
    for name in ("large_wide", "checkerboard"):
        assert _far(_without_antialias(_open(images[name])), tensors[name]), name
    for name in ("large_wide", "small_tall", "odd"):
        bicubic = _naive(_open(images[name]), resample=Image.Resampling.BICUBIC)
        assert _far(bicubic, tensors[name]), name
    unturned = _naive(_open(images["turned"]), resample=bilinear)
    assert _far(unturned, tensors["turned"])
    dropped_alpha = _naive(_open(images["alpha"]), resample=bilinear)
    assert _far(dropped_alpha, tensors["alpha"])
    late = _open(images["alpha"]).resize((SIZE, SIZE), bilinear)
    white = Image.new("RGBA", (SIZE, SIZE), "white")
    late_tensor = np.asarray(Image.alpha_composite(white, late).convert("RGB")).astype(int)
    assert np.abs(late_tensor - tensors["alpha"]).max() > 1
    cropped = _open(images["odd"]).crop((0, 0, SIZE, SIZE))
    assert _far(np.asarray(cropped).astype(int), tensors["odd"])


def test_cutting_16_bits_differs_from_rounding(
    images: dict[str, GoldenImage], tensors: dict[str, np.ndarray]
) -> None:
    deep = np.asarray(_open(images["grey_16_bit"])).astype(np.int64)
    rounded = Image.fromarray(np.clip((deep + 128) >> 8, 0, 255).astype(np.uint8))
    tensor = _naive(rounded, resample=Image.Resampling.BILINEAR)
    assert np.mean(tensor != tensors["grey_16_bit"]) > 0.2


def test_no_picture_is_flat(tensors: dict[str, np.ndarray]) -> None:
    for name, tensor in tensors.items():
        assert tensor.shape == (SIZE, SIZE, 3)
        assert tensor.std() > 5, name
