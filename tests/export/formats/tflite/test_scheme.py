from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from export.formats.tflite import scheme
from export.formats.tflite.archive import split_archive
from export.formats.tflite.flatbuffer import read_tflite
from export.formats.tflite.quantise import CONVOLUTIONS, LINEAR, stored_weights
from export.formats.tflite.scheme import _longest, divergence, products, quantise, reuse
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import Precision
from tests.export.formats.tflite.tiny import images

LOGITS = arrays.arrays(np.float64, (3, 4), elements=st.floats(-20, 20))


@pytest.fixture(scope="module")
def float_model(tiny_tflite: dict[Precision, tuple[Path, QuantisationRecord]]) -> bytes:
    path = tiny_tflite[Precision.FP32][0]
    return split_archive(path.read_bytes(), path)[0]


@given(LOGITS, LOGITS)
def test_divergence_is_never_below_zero(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert divergence(ours, theirs) >= -1e-12


@given(LOGITS, st.floats(-5, 5))
def test_divergence_ignores_what_softmax_ignores(logits: np.ndarray, shift: float) -> None:
    assert divergence(logits + shift, logits) == pytest.approx(0, abs=1e-9)


def test_divergence_of_a_known_pair() -> None:
    # Softmax of [log 3, 0] is [3/4, 1/4]; against [1/2, 1/2].
    expected = 0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25)
    assert divergence(np.array([[np.log(3), 0]]), np.zeros((1, 2))) == pytest.approx(expected)


@given(st.integers(1, 40), st.integers(0, 40))
def test_the_longest_part_that_fits_is_found(length: int, bound: int) -> None:
    # The whole is known not to fit.
    bound = min(bound, length - 1)
    found = _longest(list(range(length)), lambda part: len(part) <= bound)
    assert list(found) == list(range(bound))


def test_work_is_counted_as_by_hand(float_model: bytes) -> None:
    parsed, _ = read_tflite(float_model, Path("tiny"))
    stem, *_, dense = stored_weights(parsed, ["CONV_2D"])
    assert products(parsed, stem) == 16 * 16 * 16 * (3 * 3 * 3)
    assert products(parsed, dense) == 16 * 16 * 32 * (3 * 3 * 16)
    assert reuse(parsed, dense) == 9 * 32
    assert len(stored_weights(parsed, CONVOLUTIONS)) == 5
    left, right, classifier = stored_weights(parsed, LINEAR)
    assert products(parsed, left) == products(parsed, right) == 16 * 16 * 32 * 96
    assert [reuse(parsed, place) for place in (left, right, classifier)] == [96, 96, 3]
    assert stored_weights(parsed, LINEAR, least=32 * 96) == [left, right]


@pytest.mark.parametrize(("bound", "left"), [(0.0, 4), (np.inf, 3)])
def test_a_convolution_that_moves_answers_too_far_stays_float(
    float_model: bytes, monkeypatch: pytest.MonkeyPatch, bound: float, left: int
) -> None:
    monkeypatch.setattr(scheme, "MOST_DIVERGENCE", bound)
    _, done = quantise(float_model, images(4))
    assert done.left_in_float["CONV_2D"] == left


def test_the_same_photos_give_the_same_bytes(float_model: bytes) -> None:
    assert quantise(float_model, images(3))[0] == quantise(float_model, images(3))[0]
