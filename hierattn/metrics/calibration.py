"""Calibration: temperature scaling, reliability, and fitting the operating point.

One temperature divides all logits (Guo et al. 2017, arXiv 1706.04599). It and both thresholds are
fitted on validation photos only, never on the photos that are reported.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from scipy.special import softmax as scipy_softmax

from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.predictions import Predictions
from hierattn.metrics.target_classes import resolve_targets

BINS = 15
TEMPERATURE_BOUNDS = (0.2, 10.0)
MINIMUM_IMAGES = 20
# The least sure tenth is never answered; at most half is left out to reach the accuracy.
COVERAGE_BOUNDS = (0.5, 0.9)
# Thresholds sit this share below the deciding probability, so that a runtime in float32
# still finds it on the same side.
_SLACK = 1e-6


class ReliabilityBin(BaseModel):
    """Photos whose highest probability lies in (low, high]; means are None in an empty bin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return softmax(logits / temperature) over the last axis, float64."""
    return np.asarray(scipy_softmax(np.asarray(logits, np.float64) / temperature, axis=-1))


def negative_log_likelihood(
    logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0
) -> float:
    """Mean of -log p(true class), in nats, at a temperature."""
    scaled = log_softmax(np.asarray(logits, np.float64) / temperature, axis=-1)
    return float(-np.mean(scaled[np.arange(len(labels)), labels]))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Find the temperature of least negative log likelihood within TEMPERATURE_BOUNDS.

    Args:
        logits: float [N, K], N at least 1.
        labels: int [N].
    """
    low, high = map(math.log, TEMPERATURE_BOUNDS)
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(logits, labels, math.exp(log_t)),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-7},
    )
    return float(math.exp(found.x))


def reliability_bins(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS
) -> list[ReliabilityBin]:
    """Sort photos by their highest probability into bins of equal width on [0, 1].

    Args:
        probabilities: float [N, K].
        labels: int [N].
        bins: how many.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    result = []
    for position in range(bins):
        inside = place == position
        some = bool(inside.any())
        result.append(
            ReliabilityBin(
                low=position / bins,
                high=(position + 1) / bins,
                count=int(inside.sum()),
                confidence=float(confidence[inside].mean()) if some else None,
                accuracy=float(correct[inside].mean()) if some else None,
            )
        )
    return result


def expected_calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS
) -> float:
    """Mean of |accuracy - confidence| over the photos' bins, of the top label (Guo et al.)."""
    filled = [b for b in reliability_bins(probabilities, labels, bins) if b.count]
    gaps = [b.count * abs((b.accuracy or 0.0) - (b.confidence or 0.0)) for b in filled]
    return float(sum(gaps) / len(labels))


def brier_score(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean over photos of the squared error summed over classes (Brier 1950): 0 to 2."""
    truth = np.eye(probabilities.shape[1])[labels]
    return float(np.mean(np.sum((probabilities - truth) ** 2, axis=1)))


def fit_operating_point(
    validation: Predictions | None,
    *,
    classes: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    target_melanoma_sensitivity: float = 0.8,
    target_accuracy: float = 0.8,
) -> OperatingPoint:
    """Fit temperature, melanoma threshold and abstention threshold on validation photos.

    The melanoma threshold is the highest that finds at least ``target_melanoma_sensitivity`` of
    the melanomas. The abstention threshold answers as many photos as it can, between 50 % and
    90 %, while the answered ones reach ``target_accuracy``; if that is out of reach, 90 %.
    Below MINIMUM_IMAGES photos nothing is fitted: temperature 1, no thresholds.

    Args:
        validation: photos not trained on and not reported; None where there are none.
        classes: the model's classes, needed only where ``validation`` is None.
        targets: the classes that are melanoma; empty for none; None for an official label.
        target_melanoma_sensitivity: in (0, 1].
        target_accuracy: in (0, 1].

    Raises:
        ConfigError: see :func:`resolve_targets`.
    """
    names = validation.classes if validation is not None else tuple(classes or ())
    chosen = OperatingPoint(target_classes=resolve_targets(targets, names))
    count = 0 if validation is None else len(validation)
    if validation is None or count < MINIMUM_IMAGES:
        return OperatingPoint(
            target_classes=chosen.target_classes,
            target_melanoma_sensitivity=target_melanoma_sensitivity,
            target_accuracy=target_accuracy,
            fitted_on=f"not fitted: {count} validation images, {MINIMUM_IMAGES} needed",
        )
    temperature = fit_temperature(validation.logits, validation.labels)
    probabilities = softmax(validation.logits, temperature)
    threshold, melanomas = None, 0
    if chosen.target_classes:
        positive = chosen.is_target(validation.labels, names)
        scores = chosen.target_probability(probabilities, names)[positive]
        melanomas = len(scores)
        threshold = melanoma_threshold(scores, target_melanoma_sensitivity)
    return OperatingPoint(
        temperature=temperature,
        target_classes=chosen.target_classes,
        melanoma_threshold=threshold,
        target_melanoma_sensitivity=target_melanoma_sensitivity,
        melanoma_images=melanomas,
        abstain_threshold=abstain_threshold(probabilities, validation.labels, target_accuracy),
        target_accuracy=target_accuracy,
        fitted_on=f"validation: {count} images of {len(set(validation.groups))} groups",
    )


def at_bound(point: OperatingPoint) -> bool:
    """Whether a temperature is the end of the range it was fitted in, where the fit says little."""
    return any(math.isclose(point.temperature, bound, rel_tol=1e-3) for bound in TEMPERATURE_BOUNDS)


def melanoma_threshold(scores: np.ndarray, target_sensitivity: float) -> float | None:
    """Return the highest threshold that at least a share of the melanomas reaches.

    Args:
        scores: float [M], the melanoma probability of each melanoma.
        target_sensitivity: the share, in (0, 1].

    Returns:
        None without melanomas.
    """
    if not len(scores):
        return None
    # 0.8 * 5 may come out as 4.000000000000001, which must not ask for a fifth.
    needed = max(1, math.ceil(target_sensitivity * len(scores) - 1e-9))
    return float(np.sort(scores)[::-1][needed - 1] * (1 - _SLACK))


def abstain_threshold(
    probabilities: np.ndarray, labels: np.ndarray, target_accuracy: float
) -> float:
    """Return the confidence below which to say "not sure"; see :func:`fit_operating_point`.

    Args:
        probabilities: float [N, K], calibrated, N at least 1.
        labels: int [N].
        target_accuracy: of the answered photos.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    answered = np.arange(1, len(ranked) + 1)
    accuracy = np.cumsum(correct[order]) / answered
    # Photos of equal confidence are answered together: cut only where the next one is lower.
    cut = np.r_[ranked[:-1] > ranked[1:], True]
    coverage = answered / len(ranked)
    least, most = COVERAGE_BOUNDS
    eligible = cut & (coverage >= least) & (coverage <= most) & (accuracy >= target_accuracy)
    if eligible.any():
        last = int(np.flatnonzero(eligible)[-1])
    else:
        last = max(int(most * len(ranked)) - 1, 0)
    return float(ranked[last] * (1 - _SLACK))
