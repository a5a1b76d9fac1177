from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from export.checks.parity import logit_scales, measure_parity
from export.errors import ArtefactError
from export.schema.parity import Parity

LOGITS = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 6), st.integers(2, 9)),
    elements=st.floats(-50, 50, allow_subnormal=False),
).filter(lambda logits: float(np.abs(logits).max()) > 1e-6)


def test_known_figures() -> None:
    reference = np.array([[3.0, 4.0], [0.0, -10.0]])
    answers = np.array([[3.0, 2.5], [0.0, -10.0]])
    parity = measure_parity(reference, answers, "torch")
    assert parity.max_abs == 1.5
    # The first image's own scale, 4, is below the median of 4 and 10.
    assert parity.max_relative == pytest.approx(1.5 / 7)
    assert parity.relative_l2 == pytest.approx(1.5 / math.sqrt(125))
    assert parity.cosine == pytest.approx(119 / math.sqrt(125 * 115.25))
    assert parity.top1_agreement == 0.5
    assert (parity.images, parity.evaluator) == (2, "torch")


def test_a_strange_image_excuses_nothing() -> None:
    """A logit ten times a photo's makes no error on the photos smaller, nor a tiny one larger."""
    reference = np.array([[1.0, -1.0], [1.0, 0.5], [100.0, 0.0], [1e-6, 0.0]])
    answers = reference + np.array([[0.1, 0], [0, 0], [0, 0], [1e-7, 0]])
    assert measure_parity(reference, answers, "torch").max_relative == pytest.approx(0.1)
    assert logit_scales(reference).ravel().tolist() == [1, 1, 100, 1]
    assert logit_scales(np.array([[0.0], [0.0], [2.0]])).ravel().tolist() == [2, 2, 2]


@given(LOGITS)
def test_the_same_answers_agree_wholly(logits: np.ndarray) -> None:
    parity = measure_parity(logits, logits.copy(), "torch")
    assert (parity.max_abs, parity.max_relative, parity.relative_l2) == (0, 0, 0)
    assert parity.cosine == pytest.approx(1)
    assert parity.top1_agreement == 1


@given(LOGITS, st.floats(1e-3, 1e3), st.integers(0, 2**32 - 1))
def test_relative_figures_do_not_depend_on_the_unit(
    logits: np.ndarray, unit: float, seed: int
) -> None:
    answers = logits + np.random.default_rng(seed).normal(0, 0.1, logits.shape)
    one, other = (
        measure_parity(logits, answers, "torch"),
        measure_parity(logits * unit, answers * unit, "torch"),
    )
    assert other.max_abs == pytest.approx(one.max_abs * unit, rel=1e-6, abs=1e-12)
    for name in ("max_relative", "relative_l2", "cosine"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-6, abs=1e-9)


@given(LOGITS, st.integers(0, 2**32 - 1))
def test_bounds_between_the_figures(logits: np.ndarray, seed: int) -> None:
    answers = logits + np.random.default_rng(seed).normal(0, 1, logits.shape)
    parity = measure_parity(logits, answers, "torch")
    # No image's scale is above the norm of all.
    assert parity.relative_l2 <= math.sqrt(logits.size) * parity.max_relative * (1 + 1e-9)


def test_one_image_with_huge_logits_does_not_excuse_errors_on_the_others() -> None:
    reference = np.ones((9, 2))
    reference[0] = 1000
    answers = reference.copy()
    answers[5, 0] += 0.5
    assert measure_parity(reference, answers, "torch").max_relative == pytest.approx(0.5)
    answers = reference.copy()
    answers[0, 0] += 0.5
    assert measure_parity(reference, answers, "torch").max_relative == pytest.approx(0.5 / 1000)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_extreme_scales_stay_finite(scale: float) -> None:
    reference = np.array([[1.0, 2.0]]) * scale
    parity = measure_parity(reference, reference * 0.5, "torch")
    assert parity.max_relative == pytest.approx(0.5)
    assert parity.cosine == pytest.approx(1)


def test_zero_answers_have_no_direction() -> None:
    assert measure_parity(np.ones((2, 3)), np.zeros((2, 3)), "torch").cosine == 0


@pytest.mark.parametrize(
    ("reference", "answers", "reason"),
    [
        (np.ones((2, 3)), np.ones((2, 4)), r"shape \[2, 4\] instead of \[2, 3\]"),
        (np.ones((2, 3)), np.ones(3), r"shape \[3\]"),
        (np.ones((0, 3)), np.ones((0, 3)), r"reference logits of shape \[0, 3\]"),
        (np.zeros((2, 3)), np.ones((2, 3)), "all zero"),
        (np.ones((2, 2)), np.array([[1, 2], [np.nan, 1]]), "1 of 2 images, first on image 1"),
        (np.ones((2, 2)), np.array([[1, np.inf], [1, 1]]), "the file answers NaN or infinity"),
        (np.full((1, 2), np.nan), np.ones((1, 2)), "the reference answers NaN"),
        (np.full((1, 2), 1e-300), np.full((1, 2), 1e300), "out of all proportion"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    reference: np.ndarray, answers: np.ndarray, reason: str
) -> None:
    with pytest.raises(ArtefactError, match=f"^runtime 1.0: .*{reason}"):
        measure_parity(reference, answers, "runtime 1.0")


def test_round_trip_through_json() -> None:
    parity = measure_parity(np.array([[0.1, 0.7]]), np.array([[0.1000001, 0.3]]), "torch")
    assert Parity.model_validate_json(parity.model_dump_json()) == parity
