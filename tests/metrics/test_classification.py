from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from hierattn.metrics.classification import (
    auc_above_sensitivity,
    balanced_accuracy,
    confusion_matrix,
    macro_average,
    score_classes,
    top1_accuracy,
)

CLASSES = ("BCC", "MEL", "NEV")


def sample(seed: int, count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Labels with every class, and coarse probabilities, so that scores tie."""
    rng = np.random.default_rng(seed)
    labels = np.r_[0, 1, 2, rng.integers(0, 3, count - 3)]
    raw = rng.integers(1, 6, size=(count, 3)) + 2 * np.eye(3)[labels]
    return labels, raw / raw.sum(axis=1, keepdims=True)


def test_confusion_by_hand() -> None:
    confusion = confusion_matrix(np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 0, 2]), 3)
    assert confusion.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]
    assert top1_accuracy(confusion) == pytest.approx(3 / 5)
    assert balanced_accuracy(confusion) == pytest.approx((1 / 2 + 1 + 1 / 2) / 3)


def test_balanced_accuracy_leaves_absent_classes_out() -> None:
    confusion = np.array([[3, 1, 0], [0, 0, 0], [0, 2, 2]])
    assert balanced_accuracy(confusion) == pytest.approx((3 / 4 + 2 / 4) / 2)
    assert balanced_accuracy(np.zeros((3, 3), int)) is None
    assert top1_accuracy(np.zeros((3, 3), int)) is None


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_scores_agree_with_scikit_learn(seed: int) -> None:
    labels, probabilities = sample(seed)
    predicted = probabilities.argmax(axis=1)
    found = score_classes(labels, probabilities, CLASSES)
    confusion = confusion_matrix(labels, predicted, 3)
    assert np.array_equal(confusion, sk.confusion_matrix(labels, predicted, labels=[0, 1, 2]))
    assert balanced_accuracy(confusion) == pytest.approx(
        sk.balanced_accuracy_score(labels, predicted)
    )
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        labels, predicted, labels=[0, 1, 2], zero_division=0.0
    )
    for k, name in enumerate(CLASSES):
        scores = found[name]
        assert scores.support == support[k]
        assert scores.sensitivity == pytest.approx(recall[k])
        assert scores.precision == pytest.approx(precision[k])
        assert scores.f1 == pytest.approx(f1[k])
        others = sk.recall_score(labels != k, predicted != k)
        assert scores.specificity == pytest.approx(others)
    macro = macro_average(found)
    assert macro.f1 == pytest.approx(np.mean(f1))
    assert macro.auc == pytest.approx(
        sk.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
    )
    truth = np.eye(3)[labels]
    assert macro.average_precision == pytest.approx(
        sk.average_precision_score(truth, probabilities, average="macro")
    )


def area_above(fpr: np.ndarray, tpr: np.ndarray, floor: float) -> float:
    """Integrate the curve numerically from where it first reaches the floor."""
    along = np.r_[0, np.cumsum(np.hypot(np.diff(fpr), np.diff(tpr)))]
    fine = np.linspace(0, along[-1], 200_001)
    x, y = np.interp(fine, along, fpr), np.interp(fine, along, tpr)
    above = y >= floor - 1e-12
    return float(np.trapezoid(y[above], x[above]))


@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.8, 1.0]))
@settings(max_examples=20, deadline=None)
def test_area_above_sensitivity_is_the_integral(seed: int, floor: float) -> None:
    rng = np.random.default_rng(seed)
    positive = np.r_[True, False, rng.random(40) < 0.4]
    scores = rng.integers(0, 12, 42) + 4 * positive
    fpr, tpr, _ = sk.roc_curve(positive, scores)
    found = auc_above_sensitivity(positive, scores, floor)
    assert found == pytest.approx(area_above(fpr, tpr, floor), abs=1e-4)


@pytest.mark.parametrize(
    ("scores", "floor", "area"),
    [
        # The edge cases that the ISIC scorer's own tests state.
        ([0.2, 0.4, 0.6, 0.8], 1.0, 1.0),
        ([0.3, 0.7, 0.3, 0.7], 1.0, 0.0),
        ([0.8, 0.6, 0.4, 0.2], 1.0, 0.0),
        # All tied: the diagonal, whose part above 0.8 is a trapezium.
        ([0.5, 0.5, 0.5, 0.5], 0.8, 0.2 * (0.8 + 1.0) / 2),
        ([0.2, 0.4, 0.6, 0.8], 0.8, 1.0),
    ],
)
def test_area_above_sensitivity_known_cases(scores: list[float], floor: float, area: float) -> None:
    positive = np.array([False, False, True, True])
    assert auc_above_sensitivity(positive, np.array(scores), floor) == pytest.approx(area)


def test_absent_and_never_called_classes_are_none_or_zero_never_nan() -> None:
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1, 0.0], [0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.5, 0.3, 0.2]])
    found = score_classes(labels, probabilities, CLASSES)
    absent = found["NEV"]
    assert absent.support == 0
    assert absent.specificity == 1.0
    for field in ("sensitivity", "precision", "f1", "auc", "average_precision"):
        assert getattr(absent, field) is None
    assert absent.auc_above_80_sensitivity is None
    never = found["MEL"]
    assert (never.sensitivity, never.precision, never.f1) == (0.0, 0.0, 0.0)
    assert never.auc == 1.0
    macro = macro_average(found)
    assert macro.precision == pytest.approx((2 / 4 + 0) / 2)
    assert "NaN" not in macro.model_dump_json() + absent.model_dump_json()


def test_one_class_only() -> None:
    found = score_classes(np.array([1, 1]), np.array([[0.1, 0.8, 0.1], [0.7, 0.2, 0.1]]), CLASSES)
    assert found["MEL"].sensitivity == 0.5
    assert found["MEL"].specificity is None
    assert found["MEL"].auc is None
    assert macro_average(found).auc is None
