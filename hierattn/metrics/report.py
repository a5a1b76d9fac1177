"""The evaluation report: all metrics of a model on a set of photos, as one JSON model."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from hierattn.errors import DataError
from hierattn.metrics.bootstrap import Interval, bootstrap_intervals, melanoma_flags
from hierattn.metrics.calibration import (
    BINS,
    ReliabilityBin,
    brier_score,
    expected_calibration_error,
    negative_log_likelihood,
    reliability_bins,
    softmax,
)
from hierattn.metrics.classification import (
    ClassScores,
    MacroScores,
    balanced_accuracy,
    confusion_matrix,
    macro_average,
    only_answer,
    score_classes,
    top1_accuracy,
)
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.predictions import AGE_BANDS, STRATA, Predictions

NotAvailable = Literal["not available"]
NOT_AVAILABLE: NotAvailable = "not available"
NOT_RECORDED = "not recorded"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CalibrationScores(_Part):
    """How well probabilities fit, at one temperature.

    Attributes:
        ece: expected calibration error, 15 equal bins of the top label; 0 to 1.
        brier: multi-class Brier score, summed over classes; 0 to 2.
        nll: mean negative log likelihood, nats.
    """

    temperature: float
    ece: float
    brier: float
    nll: float
    bins: list[ReliabilityBin]


class Calibration(_Part):
    """Before (temperature 1) and after temperature scaling."""

    fitted_on: str
    bin_count: int
    before: CalibrationScores
    after: CalibrationScores


class MelanomaScores(_Part):
    """Melanoma against the rest at the run's threshold."""

    class_name: str
    threshold: float
    images: int
    sensitivity: float | None
    specificity: float | None
    sensitivity_interval: Interval | None
    specificity_interval: Interval | None


class AbstentionScores(_Part):
    """What remains when the app says "not sure" below the threshold.

    Attributes:
        coverage: share of photos answered.
        accuracy: top-1 of the answered ones; None if none is.
    """

    threshold: float
    coverage: float
    accuracy: float | None


class StratumScores(_Part):
    """One stratum, such as one sex; ``balanced_accuracy`` is over the classes present in it."""

    value: str
    images: int
    groups: int
    classes_present: int
    top1: float | None
    balanced_accuracy: float | None
    melanoma_images: int | None
    melanoma_sensitivity: float | None


class Intervals(_Part):
    """95 % bootstrap intervals; None where :func:`bootstrap_intervals` gives none."""

    top1: Interval | None
    balanced_accuracy: Interval | None
    macro_auc: Interval | None
    sensitivity: dict[str, Interval | None]


class BootstrapDescription(_Part):
    """How the intervals were made."""

    method: str = "percentile bootstrap, groups (patient, else lesion, else image) resampled"
    confidence: float = 0.95
    replicates: int
    seed: int
    groups: int


class EvaluationReport(_Part):
    """All metrics of one model on one set of photos.

    Attributes:
        confusion: photos by true class (rows) and predicted class (columns), in class order.
        per_class: by class name, one against the rest.
        macro: means over the classes that occur.
        strata: by age, sex, site and skin tone; "not available" where no photo has a value.
        caveat: why the figures flatter the model, may, or say little; None where nothing is known
            against them.
    """

    version: Literal[1] = 1
    images: int
    groups: int
    classes: list[str]
    top1: float
    balanced_accuracy: float
    macro: MacroScores
    per_class: dict[str, ClassScores]
    confusion: list[list[int]]
    melanoma: MelanomaScores | NotAvailable
    abstention: AbstentionScores
    calibration: Calibration
    operating_point: OperatingPoint
    intervals: Intervals
    strata: dict[str, list[StratumScores] | NotAvailable]
    bootstrap: BootstrapDescription
    caveat: str | None = None

    @property
    def only_answer(self) -> str | None:
        """The class given for every photo although several occur; None where answers differ."""
        return only_answer(np.array(self.confusion), self.classes)


def evaluate_predictions(
    predictions: Predictions,
    operating_point: OperatingPoint | None = None,
    *,
    replicates: int = 1000,
    seed: int = 0,
    caveat: str | None = None,
) -> EvaluationReport:
    """Compute every metric.

    Args:
        predictions: the photos to report, none of which the operating point was fitted on.
        operating_point: default: not fitted (temperature 1, no thresholds).
        replicates: of the bootstrap.
        seed: of the bootstrap.
        caveat: see :class:`EvaluationReport`.

    Raises:
        DataError: no photos, or no replicates.
    """
    if not len(predictions):
        raise DataError("no photos to evaluate; the split or folder is empty")
    point = operating_point or OperatingPoint()
    labels, classes = predictions.labels, predictions.classes
    probabilities = point.probabilities(predictions.logits)
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(labels, predicted, len(classes))
    per_class = score_classes(labels, probabilities, classes)
    found = bootstrap_intervals(predictions, point, replicates=replicates, seed=seed)
    groups = len(set(predictions.groups))
    return EvaluationReport(
        images=len(predictions),
        groups=groups,
        classes=list(classes),
        top1=top1_accuracy(confusion) or 0.0,
        balanced_accuracy=balanced_accuracy(confusion) or 0.0,
        macro=macro_average(per_class),
        per_class=per_class,
        confusion=confusion.tolist(),
        melanoma=_melanoma(predictions, point, found),
        abstention=_abstention(probabilities, labels, point.abstain_threshold),
        calibration=Calibration(
            fitted_on=point.fitted_on,
            bin_count=BINS,
            before=_calibration(predictions, 1.0),
            after=_calibration(predictions, point.temperature),
        ),
        operating_point=point,
        intervals=Intervals(
            top1=found["top1"],
            balanced_accuracy=found["balanced_accuracy"],
            macro_auc=found["macro_auc"],
            sensitivity={name: found[f"sensitivity:{name}"] for name in classes},
        ),
        strata={name: _strata(predictions, predicted, point, name) for name in STRATA},
        bootstrap=BootstrapDescription(replicates=replicates, seed=seed, groups=groups),
        caveat=caveat,
    )


def _calibration(predictions: Predictions, temperature: float) -> CalibrationScores:
    probabilities = softmax(predictions.logits, temperature)
    return CalibrationScores(
        temperature=temperature,
        ece=expected_calibration_error(probabilities, predictions.labels),
        brier=brier_score(probabilities, predictions.labels),
        nll=negative_log_likelihood(predictions.logits, predictions.labels, temperature),
        bins=reliability_bins(probabilities, predictions.labels),
    )


def _melanoma(
    predictions: Predictions, point: OperatingPoint, found: dict[str, Interval | None]
) -> MelanomaScores | NotAvailable:
    name, threshold = point.target_name, point.melanoma_threshold
    flags = melanoma_flags(predictions, point)
    if name is None or threshold is None or flags is None:
        return NOT_AVAILABLE
    positive = point.is_target(predictions.labels, predictions.classes)
    return MelanomaScores(
        class_name=name,
        threshold=threshold,
        images=int(positive.sum()),
        sensitivity=float(flags[positive].mean()) if positive.any() else None,
        specificity=float((~flags[~positive]).mean()) if not positive.all() else None,
        sensitivity_interval=found["melanoma_sensitivity"],
        specificity_interval=found["melanoma_specificity"],
    )


def _abstention(
    probabilities: np.ndarray, labels: np.ndarray, threshold: float
) -> AbstentionScores:
    answered = probabilities.max(axis=1) >= threshold
    correct = probabilities.argmax(axis=1) == labels
    return AbstentionScores(
        threshold=threshold,
        coverage=float(answered.mean()),
        accuracy=float(correct[answered].mean()) if answered.any() else None,
    )


def _strata(
    predictions: Predictions, predicted: np.ndarray, point: OperatingPoint, name: str
) -> list[StratumScores] | NotAvailable:
    column = predictions.strata[name]
    values = {value for value in column if value is not None}
    if not values:
        return NOT_AVAILABLE
    order = [band for band in AGE_BANDS if band in values] if name == "age" else []
    order += sorted(values.difference(order))
    flags = melanoma_flags(predictions, point)
    rows = []
    for value in [*order, None] if None in column else order:
        inside = np.array([entry == value for entry in column])
        labels = predictions.labels[inside]
        confusion = confusion_matrix(labels, predicted[inside], len(predictions.classes))
        melanomas, sensitivity = None, None
        if flags is not None:
            positive = point.is_target(labels, predictions.classes)
            melanomas = int(positive.sum())
            sensitivity = float(flags[inside][positive].mean()) if melanomas else None
        rows.append(
            StratumScores(
                value=NOT_RECORDED if value is None else value,
                images=len(labels),
                groups=len({predictions.groups[i] for i in np.flatnonzero(inside)}),
                classes_present=int((confusion.sum(axis=1) > 0).sum()),
                top1=top1_accuracy(confusion),
                balanced_accuracy=balanced_accuracy(confusion),
                melanoma_images=melanomas,
                melanoma_sensitivity=sensitivity,
            )
        )
    return rows
