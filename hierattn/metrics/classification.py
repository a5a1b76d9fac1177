"""Classification metrics: per class, one against the rest, and averaged.

A value that has no meaning for the photos at hand (a class that does not occur) is None, never
NaN. "Macro" is the plain mean over the classes that occur among the labels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict
from sklearn import metrics as sk

SENSITIVITY_FLOOR = 0.8


class ClassScores(BaseModel):
    """One class against the rest.

    Attributes:
        support: photos of this class.
        sensitivity: found / support.
        specificity: others not called this class / others.
        precision: correct / called this class; 0 if the class occurs and is never called.
        f1: harmonic mean of precision and sensitivity.
        auc: area under the ROC curve of the class's probability.
        average_precision: sum of precision times the step in sensitivity.
        auc_above_80_sensitivity: see :func:`auc_above_sensitivity`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    support: int
    sensitivity: float | None
    specificity: float | None
    precision: float | None
    f1: float | None
    auc: float | None
    average_precision: float | None
    auc_above_80_sensitivity: float | None


class MacroScores(BaseModel):
    """Means of :class:`ClassScores` over the classes that occur, skipping undefined values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sensitivity: float | None
    specificity: float | None
    precision: float | None
    f1: float | None
    auc: float | None
    average_precision: float | None
    auc_above_80_sensitivity: float | None


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, class_count: int) -> np.ndarray:
    """Count photos by true class (row) and predicted class (column): int64 [K, K]."""
    cells = np.asarray(labels, dtype=np.int64) * class_count + np.asarray(predicted, np.int64)
    return np.bincount(cells, minlength=class_count**2).reshape(class_count, class_count)


def top1_accuracy(confusion: np.ndarray) -> float | None:
    """Share of photos on the diagonal of a confusion matrix [K, K]; None without photos."""
    return _ratio(np.trace(confusion), confusion.sum())


def only_answer(confusion: np.ndarray, classes: Sequence[str]) -> str | None:
    """The class given for every photo although several occur; None where answers differ.

    Args:
        confusion: photos by true class (rows) and predicted class (columns), [K, K].
        classes: K names.
    """
    given = np.flatnonzero(confusion.sum(axis=0))
    several = np.count_nonzero(confusion.sum(axis=1)) > 1
    return classes[given[0]] if several and len(given) == 1 else None


def balanced_accuracy(confusion: np.ndarray) -> float | None:
    """Mean sensitivity over the classes that occur (rows with photos); None without photos."""
    support = confusion.sum(axis=1)
    present = support > 0
    if not present.any():
        return None
    return float(np.mean(np.diagonal(confusion)[present] / support[present]))


def auc_above_sensitivity(
    positive: np.ndarray, scores: np.ndarray, floor: float = SENSITIVITY_FLOOR
) -> float | None:
    """Area under the part of the ROC curve where sensitivity is at least ``floor``.

    The area lies between the false positive rate at which the curve reaches ``floor`` (linear
    between its points) and 1, down to the axis, not normalised: 1 for a perfect score,
    ``(1 - floor**2) / 2`` = 0.18 for chance. This is "AUC, Sens > 80%" of the ISIC 2018 and 2019
    challenges (isic-challenge-scoring, ``auc_above_sensitivity``).

    Args:
        positive: bool [N].
        scores: float [N], higher for positives.
        floor: in (0, 1].

    Returns:
        None if there are no positives or no negatives.
    """
    positive = np.asarray(positive, dtype=bool)
    if positive.all() or not positive.any():
        return None
    false_rate, true_rate, _ = sk.roc_curve(positive, scores, drop_intermediate=False)
    first = int(np.searchsorted(true_rate, floor, side="left"))
    around = slice(first - 1, first + 1)
    start = np.interp(floor, true_rate[around], false_rate[around])
    return float(sk.auc(np.r_[start, false_rate[first:]], np.r_[floor, true_rate[first:]]))


def score_classes(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> dict[str, ClassScores]:
    """Score every class against the rest; the predicted class is the most probable one.

    Args:
        labels: int [N].
        probabilities: float [N, K].
        classes: K names; the keys of the result, in this order.
    """
    labels = np.asarray(labels)
    predicted = probabilities.argmax(axis=1)
    return {
        name: _score(labels == position, predicted == position, probabilities[:, position])
        for position, name in enumerate(classes)
    }


def macro_average(per_class: dict[str, ClassScores]) -> MacroScores:
    """Average over the classes with photos."""
    present = [scores for scores in per_class.values() if scores.support]

    def mean(field: str) -> float | None:
        values = [getattr(scores, field) for scores in present]
        defined = [value for value in values if value is not None]
        return float(np.mean(defined)) if defined else None

    return MacroScores(**{field: mean(field) for field in MacroScores.model_fields})


def _score(positive: np.ndarray, called: np.ndarray, scores: np.ndarray) -> ClassScores:
    support, others = int(positive.sum()), int((~positive).sum())
    correct = int((positive & called).sum())
    both = support > 0 and others > 0
    return ClassScores(
        support=support,
        sensitivity=_ratio(correct, support),
        specificity=_ratio((~positive & ~called).sum(), others),
        precision=_ratio(correct, max(int(called.sum()), 1)) if support else None,
        f1=_ratio(2 * correct, support + int(called.sum())) if support else None,
        auc=float(sk.roc_auc_score(positive, scores)) if both else None,
        average_precision=float(sk.average_precision_score(positive, scores)) if both else None,
        auc_above_80_sensitivity=auc_above_sensitivity(positive, scores),
    )


def _ratio(numerator: float, denominator: float) -> float | None:
    return float(numerator / denominator) if denominator else None
