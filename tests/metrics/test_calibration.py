from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.metrics import log_loss

from hierattn.metrics.calibration import (
    BINS,
    MINIMUM_IMAGES,
    TEMPERATURE_BOUNDS,
    abstain_threshold,
    brier_score,
    expected_calibration_error,
    fit_operating_point,
    fit_temperature,
    melanoma_threshold,
    negative_log_likelihood,
    reliability_bins,
    softmax,
)
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.predictions import Predictions

Make = Callable[..., Predictions]


def draw(temperature: float, count: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose labels are drawn from softmax(logits / temperature), so that it is right."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(count, 4)) * 3
    cumulative = softmax(logits, temperature).cumsum(axis=1)
    labels = (rng.random(count)[:, None] > cumulative).sum(axis=1)
    return logits, labels


def test_softmax_survives_huge_logits() -> None:
    found = softmax(np.array([[1e4, 0.0, -1e4]]))
    assert found.tolist() == [[1.0, 0.0, 0.0]]


def test_nll_is_scikit_learns_log_loss(make: Make) -> None:
    p = make(30)
    expected = log_loss(p.labels, softmax(p.logits, 1.7))
    assert negative_log_likelihood(p.logits, p.labels, 1.7) == pytest.approx(expected)


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found(true: float) -> None:
    logits, labels = draw(true)
    found = fit_temperature(logits, labels)
    assert found == pytest.approx(true, rel=0.08)
    best = negative_log_likelihood(logits, labels, found)
    for nearby in (found * 0.98, found * 1.02):
        assert best < negative_log_likelihood(logits, labels, nearby)
    before = expected_calibration_error(softmax(logits), labels)
    after = expected_calibration_error(softmax(logits, found), labels)
    assert after < 0.03
    assert after <= before + 1e-3


def test_temperature_stays_in_bounds_when_all_is_right_or_wrong() -> None:
    logits = np.array([[5.0, 0.0], [0.0, 5.0]] * 20)
    low, high = TEMPERATURE_BOUNDS
    assert low <= fit_temperature(logits, np.array([0, 1] * 20)) < 1
    assert 1 < fit_temperature(logits, np.array([1, 0] * 20)) <= high


@given(st.integers(0, 10_000), st.floats(0.2, 10))
@settings(max_examples=25, deadline=None)
def test_temperature_never_changes_the_top_class(seed: int, temperature: float) -> None:
    logits = np.random.default_rng(seed).normal(size=(20, 5))
    chosen = softmax(logits, temperature).argmax(axis=1)
    assert np.array_equal(chosen, logits.argmax(axis=1))


def test_ece_and_brier_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.45, 0.55], [0.2, 0.8]])
    labels = np.array([0, 1, 0, 1])
    # Bins of 1/15: 0.9 twice, one right; 0.55 wrong; 0.8 right.
    expected = (2 * abs(0.5 - 0.9) + abs(0 - 0.55) + abs(1 - 0.8)) / 4
    assert expected_calibration_error(probabilities, labels) == pytest.approx(expected)
    brier = (0.1**2 * 2 + 0.9**2 * 2 + 0.55**2 * 2 + 0.2**2 * 2) / 4
    assert brier_score(probabilities, labels) == pytest.approx(brier)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_bins_hold_every_photo_once_and_bound_the_error(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities, labels = rng.dirichlet(np.ones(3) * 0.3, 50), rng.integers(0, 3, 50)
    bins = reliability_bins(probabilities, labels)
    assert len(bins) == BINS
    assert sum(b.count for b in bins) == 50
    for b in bins:
        assert (b.confidence is None) == (b.count == 0)
        if b.confidence is not None:
            assert b.low - 1e-12 <= b.confidence <= b.high + 1e-12
    error = expected_calibration_error(probabilities, labels)
    gap = abs((probabilities.argmax(1) == labels).mean() - probabilities.max(1).mean())
    assert gap - 1e-12 <= error <= 1
    assert 0 <= brier_score(probabilities, labels) <= 2


@given(
    st.lists(st.floats(0.001, 0.999), min_size=1, max_size=30),
    st.sampled_from([0.5, 0.8, 0.9, 0.95, 1.0]),
)
def test_melanoma_threshold_is_the_highest_that_suffices(
    scores: list[float], target: float
) -> None:
    values = np.array(scores)
    threshold = melanoma_threshold(values, target)
    assert threshold is not None
    assert (values >= threshold).mean() >= target - 1e-9
    # Any score above the deciding one would find too few.
    higher = values[values > threshold * (1 + 3e-6)]
    if higher.size:
        assert (values >= higher.min()).mean() < target or np.isclose(
            higher.min(), threshold, rtol=3e-6
        )
    # A float32 runtime decides alike.
    assert (values.astype(np.float32) >= np.float32(threshold)).mean() >= target - 1e-9


def test_melanoma_threshold_asks_for_no_more_than_the_target() -> None:
    assert melanoma_threshold(np.array([0.1, 0.2, 0.3, 0.4, 0.5]), 0.8) == pytest.approx(
        0.2, rel=1e-5
    )
    assert melanoma_threshold(np.array([]), 0.8) is None


def test_abstention_answers_as_many_as_the_accuracy_allows() -> None:
    confidence = np.linspace(0.99, 0.51, 20)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    labels = np.r_[np.zeros(12, int), np.ones(8, int)]  # the twelve surest are right
    threshold = abstain_threshold(probabilities, labels, 0.8)
    answered = confidence >= threshold
    assert answered.sum() == 15  # 12 of 15 is 0.8
    assert (labels[answered] == 0).mean() >= 0.8


def test_abstention_falls_back_to_the_least_sure_tenth() -> None:
    confidence = np.linspace(0.99, 0.51, 20)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    wrong = abstain_threshold(probabilities, np.ones(20, int), 0.8)
    assert (confidence >= wrong).sum() == 18
    # All right: the least sure tenth is still left unanswered.
    right = abstain_threshold(probabilities, np.zeros(20, int), 0.8)
    assert (confidence >= right).sum() == 18


def test_operating_point_reaches_its_target_on_validation(make: Make) -> None:
    validation = make(300, sharpness=1.0)
    point = fit_operating_point(validation, target_melanoma_sensitivity=0.9)
    assert point.melanoma_class == "MEL"
    assert point.melanoma_images == 100
    assert point.melanoma_threshold is not None
    scores = point.probabilities(validation.logits)[validation.labels == 1, 1]
    assert (scores >= point.melanoma_threshold).mean() >= 0.9
    assert point.fitted_on == "validation: 300 images of 150 groups"
    assert OperatingPoint.model_validate_json(point.model_dump_json()) == point


@pytest.mark.parametrize("count", [0, 1, MINIMUM_IMAGES - 1])
def test_tiny_validation_is_not_fitted(make: Make, count: int) -> None:
    point = fit_operating_point(make(30).take(range(count)))
    assert point.temperature == 1.0
    assert point.melanoma_threshold is None
    assert point.abstain_threshold == 0.0
    assert point.fitted_on.startswith(f"not fitted: {count} validation images")


def test_no_validation_keeps_the_class_name() -> None:
    point = fit_operating_point(None, classes=("mel", "nev"))
    assert point.melanoma_class == "mel"
    assert point.melanoma_threshold is None


def test_validation_without_melanoma_has_no_threshold(make: Make) -> None:
    whole = make(90)
    point = fit_operating_point(whole.take(np.flatnonzero(whole.labels != 1)))
    assert point.melanoma_threshold is None
    assert point.melanoma_images == 0
    assert point.temperature != 1.0
    other = fit_operating_point(dataclasses.replace(whole, classes=("a", "b", "c")))
    assert other.melanoma_class is None


def test_several_targets_are_added_up(make: Make) -> None:
    validation = make(300, sharpness=1.0)
    targets = validation.classes[:2]
    point = fit_operating_point(validation, targets=targets, target_melanoma_sensitivity=0.9)
    assert (point.target_classes, point.melanoma_class) == (targets, None)
    positive = validation.labels < 2
    assert point.melanoma_images == positive.sum()
    together = point.probabilities(validation.logits)[positive, :2].sum(axis=1)
    assert point.melanoma_threshold is not None
    assert (together >= point.melanoma_threshold).mean() >= 0.9
    none = fit_operating_point(validation, targets=())
    assert (none.melanoma_class, none.melanoma_threshold) == (None, None)
    assert none.temperature == point.temperature


def test_operating_point_of_old_names_one_class() -> None:
    old = OperatingPoint.model_validate_json('{"melanoma_class": "MEL"}')
    assert old.target_classes == ("MEL",)
    assert OperatingPoint.model_validate_json('{"melanoma_class": null}').target_classes == ()
    assert "target_classes" not in old.model_dump()
    several = OperatingPoint(target_classes=("MEL", "NEV"))
    assert several.model_dump(mode="json")["target_classes"] == ["MEL", "NEV"]
    assert OperatingPoint.model_validate_json(several.model_dump_json()) == several
    with pytest.raises(ValidationError, match="do not name the same"):
        OperatingPoint(melanoma_class="MEL", target_classes=("NEV",))


def test_operating_point_refuses_nonsense() -> None:
    with pytest.raises(ValidationError):
        OperatingPoint(temperature=0)
    with pytest.raises(ValidationError):
        OperatingPoint(melanoma_threshold=1.5)
