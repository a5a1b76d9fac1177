"""Bootstrap confidence intervals: 95 % percentiles, resampling whole groups.

Photos of one lesion or patient are not independent, so a replicate draws groups with replacement
(the cluster bootstrap) and takes all photos of each. A replicate is a vector of weights, one a
group; every metric is computed from weights, all replicates at once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict

from hierattn.errors import DataError, UnknownNameError
from hierattn.metrics.calibration import softmax
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.predictions import Predictions

CONFIDENCE = 0.95
_CHUNK = 100  # replicates computed together; bounds the memory, does not change the result
_SENSITIVITY = "sensitivity:"


class Interval(BaseModel):
    """A value and the percentile interval that holds 95 % of its bootstrap replicates."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    low: float
    high: float


class PairedDifference(BaseModel):
    """Metric of ``b`` minus metric of ``a`` on the same photos, the same groups resampled.

    Attributes:
        share_b_better: replicates in which ``b`` is higher, ties counted half; 0 to 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str
    value_a: float
    value_b: float
    difference: Interval
    share_b_better: float
    replicates: int


class _Statistics:
    """All that a weighting of the groups needs to become metrics; replicates run along R."""

    def __init__(self, predictions: Predictions, point: OperatingPoint) -> None:
        count = len(predictions.classes)
        probabilities = softmax(predictions.logits, point.temperature)
        predicted = probabilities.argmax(axis=1)
        names, self.group_of = np.unique(np.asarray(predictions.groups), return_inverse=True)
        self.classes, self.group_count = predictions.classes, len(names)
        self.labels = predictions.labels
        support = np.bincount(self.labels, minlength=count)
        self.occurring = support > 0
        self.ranked = self.occurring & (support < len(predictions))
        self.confusion = np.zeros((self.group_count, count * count))
        np.add.at(self.confusion, (self.group_of, self.labels * count + predicted), 1.0)
        self.ranks = [_Ranks(probabilities[:, k], self.labels == k) for k in range(count)]
        # Columns: melanomas flagged, melanomas, others not flagged, others.
        self.melanoma: np.ndarray | None = None
        flags = melanoma_flags(predictions, point)
        if flags is not None:
            positive = point.is_target(self.labels, predictions.classes)
            columns = np.stack([positive & flags, positive, ~positive & ~flags, ~positive], axis=1)
            self.melanoma = np.zeros((self.group_count, 4))
            np.add.at(self.melanoma, self.group_of, columns.astype(np.float64))

    def metrics(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Compute every metric as [R], NaN where undefined, for group weights [G, R]."""
        count = len(self.classes)
        cells = (weights.T @ self.confusion).reshape(-1, count, count)
        support, found = cells.sum(axis=2), np.diagonal(cells, axis1=1, axis2=2)
        sensitivity = _divide(found, support)
        result = {
            "top1": _divide(found.sum(axis=1), support.sum(axis=1)),
            "balanced_accuracy": _mean_over(sensitivity, self.occurring),
        }
        per_photo = weights[self.group_of]
        areas = np.stack([ranks.auc(per_photo) for ranks in self.ranks], axis=1)
        result["macro_auc"] = _mean_over(areas, self.ranked)
        for position, name in enumerate(self.classes):
            result[_SENSITIVITY + name] = sensitivity[:, position]
        if self.melanoma is not None:
            flagged, melanomas, passed, others = (weights.T @ self.melanoma).T
            result["melanoma_sensitivity"] = _divide(flagged, melanomas)
            result["melanoma_specificity"] = _divide(passed, others)
        return result

    def replicates(self, replicates: int, seed: int) -> dict[str, np.ndarray]:
        """Compute every metric as [replicates] under weights drawn from ``seed``."""
        parts = [self.metrics(w) for w in _draw_weights(self.group_count, replicates, seed)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def values(self) -> dict[str, float]:
        """Compute every metric on the photos as they are."""
        plain = self.metrics(np.ones((self.group_count, 1)))
        return {name: float(value[0]) for name, value in plain.items()}


class _Ranks:
    """One class's ROC area under changing weights: the photos sorted once by its score."""

    def __init__(self, scores: np.ndarray, positive: np.ndarray) -> None:
        negatives = np.flatnonzero(~positive)
        self.negatives = negatives[np.argsort(scores[negatives], kind="stable")]
        self.positives = np.flatnonzero(positive)
        ordered = scores[self.negatives]
        self.below = np.searchsorted(ordered, scores[self.positives], side="left")
        self.not_above = np.searchsorted(ordered, scores[self.positives], side="right")

    def auc(self, weights: np.ndarray) -> np.ndarray:
        """Return the area [R] for photo weights [N, R]: P(positive above negative), ties half."""
        sums = np.zeros((len(self.negatives) + 1, weights.shape[1]))
        np.cumsum(weights[self.negatives], axis=0, out=sums[1:])
        positive = weights[self.positives]
        won = (positive * (sums[self.below] + sums[self.not_above])).sum(axis=0) / 2
        return _divide(won, positive.sum(axis=0) * sums[-1])


def melanoma_flags(predictions: Predictions, point: OperatingPoint) -> np.ndarray | None:
    """Return bool [N], which photos the operating point flags; None where it has no threshold."""
    known = point.target_classes and set(point.target_classes) <= set(predictions.classes)
    if point.melanoma_threshold is None or not known:
        return None
    probabilities = softmax(predictions.logits, point.temperature)
    return point.target_probability(probabilities, predictions.classes) >= point.melanoma_threshold


def bootstrap_intervals(
    predictions: Predictions,
    point: OperatingPoint | None = None,
    *,
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, Interval | None]:
    """Compute 95 % intervals over groups.

    Args:
        predictions: at least one photo.
        point: gives the temperature and the melanoma threshold; none without it.
        replicates: how many resamples, at least 1.
        seed: of the resampling; the same seed gives the same intervals.

    Returns:
        Keys ``top1``, ``balanced_accuracy``, ``macro_auc``, ``sensitivity:CLASS`` for each class
        and, where the operating point has a threshold, ``melanoma_sensitivity`` and
        ``melanoma_specificity``. None where the value is undefined, and where the interval would
        have no width: so few or such like groups cannot say how far it may lie. Replicates in
        which a class was not drawn count neither for it nor for the means over classes, which
        over the others alone would be of another kind: one answer to everything reaches 1/5 of
        five classes, and 1/6 of six.

    Raises:
        DataError: no photos or no replicates.
    """
    statistics = _statistics(predictions, point, replicates)
    values, drawn = statistics.values(), statistics.replicates(replicates, seed)
    found = {name: _interval(value, drawn[name]) for name, value in values.items()}
    return {
        name: None if interval is None or interval.low == interval.high else interval
        for name, interval in found.items()
    }


def paired_bootstrap(
    a: Predictions,
    b: Predictions,
    metric: str = "balanced_accuracy",
    *,
    point_a: OperatingPoint | None = None,
    point_b: OperatingPoint | None = None,
    replicates: int = 1000,
    seed: int = 0,
) -> PairedDifference:
    """Compare two models on the same photos, resampling the same groups for both.

    Args:
        a: predictions of the first model.
        b: of the second, of the same files, in any order.
        metric: a key of :func:`bootstrap_intervals`.
        point_a: operating point of the first model.
        point_b: of the second.
        replicates: how many resamples.
        seed: of the resampling.

    Raises:
        DataError: other files, labels or groups, or a metric undefined on these photos.
        UnknownNameError: no such metric.
    """
    if set(a.files) != set(b.files):
        apart = len(set(a.files) ^ set(b.files))
        raise DataError(f"the two predictions differ in {apart} files; evaluate both on one split")
    position = {file: i for i, file in enumerate(b.files)}
    b = b.take([position[file] for file in a.files])
    named_a = [a.classes[label] for label in a.labels]
    if named_a != [b.classes[label] for label in b.labels] or a.groups != b.groups:
        raise DataError("the two predictions differ in classes or groups; evaluate both again")
    first, second = _statistics(a, point_a, replicates), _statistics(b, point_b, replicates)
    values_a, values_b = first.values(), second.values()
    if metric not in values_a or metric not in values_b:
        raise UnknownNameError("metric", metric, values_a.keys() & values_b.keys())
    value_a, value_b = values_a[metric], values_b[metric]
    gap = second.replicates(replicates, seed)[metric] - first.replicates(replicates, seed)[metric]
    difference = _interval(value_b - value_a, gap)
    if difference is None:
        raise DataError(f"{metric} is undefined on these photos; the class does not occur")
    gap = gap[np.isfinite(gap)]
    return PairedDifference(
        metric=metric,
        value_a=value_a,
        value_b=value_b,
        difference=difference,
        share_b_better=float(np.mean((gap > 0) + 0.5 * (gap == 0))),
        replicates=replicates,
    )


def _statistics(
    predictions: Predictions, point: OperatingPoint | None, replicates: int
) -> _Statistics:
    if not len(predictions):
        raise DataError("no photos to compute intervals from")
    if replicates < 1:
        raise DataError(f"replicates must be at least 1, not {replicates}")
    return _Statistics(predictions, point or OperatingPoint())


def _draw_weights(groups: int, replicates: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each group is drawn, [G, up to _CHUNK], until all replicates are out."""
    generator = np.random.default_rng(seed)
    for start in range(0, replicates, _CHUNK):
        width = min(_CHUNK, replicates - start)
        # One row of draws a replicate, so that the chunk's width changes nothing.
        drawn = generator.integers(0, groups, size=(width, groups))
        cells = (drawn * width + np.arange(width)[:, None]).ravel()
        yield np.bincount(cells, minlength=groups * width).reshape(groups, width).astype(float)


def _interval(value: float, replicates: np.ndarray) -> Interval | None:
    defined = replicates[np.isfinite(replicates)]
    if not np.isfinite(value) or not defined.size:
        return None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(value=value, low=float(low), high=float(high))


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide, NaN where the denominator is 0."""
    result = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    return np.divide(numerator, denominator, out=result, where=denominator > 0)


def _mean_over(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Mean [R] of the chosen columns of [R, K]; NaN where one of them is, or none is chosen."""
    if not chosen.any():
        return np.full(len(values), np.nan)
    mean: np.ndarray = values[:, chosen].mean(axis=1)
    return mean
