"""The specification: resizing, the input tensor, and its JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from hierattn.preprocessing import (
    PreprocessSpec,
)
from tests.preprocessing.photos import noise


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
