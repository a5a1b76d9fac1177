from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from hierattn.errors import DataError, UnknownNameError
from hierattn.metrics import bootstrap
from hierattn.metrics.bootstrap import bootstrap_intervals, melanoma_flags, paired_bootstrap
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.predictions import Predictions
from tests.metrics.conftest import make_predictions

Make = Callable[..., Predictions]
POINT = OperatingPoint(temperature=1.5, melanoma_class="MEL", melanoma_threshold=0.3)


def repeat(predictions: Predictions, times: np.ndarray) -> Predictions:
    """Really copy each group's photos ``times`` times, which weights only stand for."""
    groups = sorted(set(predictions.groups))
    rows = [
        i
        for i, group in enumerate(predictions.groups)
        for _ in range(int(times[groups.index(group)]))
    ]
    return dataclasses.replace(
        predictions,
        logits=predictions.logits[rows],
        labels=predictions.labels[rows],
        groups=tuple(predictions.groups[i] for i in rows),
        files=tuple(map(str, range(len(rows)))),
        splits=("",) * len(rows),
        strata={k: tuple(v[i] for i in rows) for k, v in predictions.strata.items()},
    )


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_a_weight_is_worth_so_many_copies(seed: int) -> None:
    predictions = make_predictions(36, seed=seed, sharpness=0.7, group_size=3)
    # Coarse logits, so that scores tie across classes and groups.
    predictions = dataclasses.replace(predictions, logits=np.round(predictions.logits))
    times = np.random.default_rng(seed).integers(0, 4, 12)
    times[:3] = 1
    weighted = bootstrap._Statistics(predictions, POINT).metrics(times[:, None].astype(float))
    copied = repeat(predictions, times)
    probabilities = POINT.probabilities(copied.logits)
    predicted = probabilities.argmax(axis=1)
    assert weighted["top1"][0] == pytest.approx(np.mean(predicted == copied.labels))
    assert weighted["balanced_accuracy"][0] == pytest.approx(
        sk.balanced_accuracy_score(copied.labels, predicted)
    )
    assert weighted["macro_auc"][0] == pytest.approx(
        sk.roc_auc_score(copied.labels, probabilities, multi_class="ovr", average="macro")
    )
    flags = probabilities[:, 1] >= 0.3
    melanoma = copied.labels == 1
    assert weighted["melanoma_sensitivity"][0] == pytest.approx(flags[melanoma].mean())
    assert weighted["melanoma_specificity"][0] == pytest.approx((~flags[~melanoma]).mean())
    assert weighted["sensitivity:NEV"][0] == pytest.approx(
        np.mean(predicted[copied.labels == 2] == 2)
    )


def test_every_replicate_draws_as_many_groups_as_there_are() -> None:
    weights = list(bootstrap._draw_weights(17, 250, seed=3))
    assert [w.shape for w in weights] == [(17, 100), (17, 100), (17, 50)]
    drawn = np.concatenate(weights, axis=1)
    assert (drawn.sum(axis=0) == 17).all()
    assert drawn.mean(axis=1) == pytest.approx(np.ones(17), abs=0.25)
    assert len({tuple(column) for column in drawn.T}) > 240


def test_intervals_are_seeded_and_hold_the_value(make: Make) -> None:
    predictions = make(150)
    first = bootstrap_intervals(predictions, POINT, replicates=200, seed=1)
    assert first == bootstrap_intervals(predictions, POINT, replicates=200, seed=1)
    assert first != bootstrap_intervals(predictions, POINT, replicates=200, seed=2)
    for name, interval in first.items():
        assert interval is not None, name
        assert 0 <= interval.low <= interval.value <= interval.high <= 1
        assert interval.low < interval.high


def test_width_matches_theory_and_grows_with_the_group(make: Make) -> None:
    alone = make(600, group_size=1, sharpness=1.0)
    interval = bootstrap_intervals(alone, replicates=600)["top1"]
    assert interval is not None
    binomial = 2 * 1.96 * np.sqrt(interval.value * (1 - interval.value) / 600)
    assert interval.high - interval.low == pytest.approx(binomial, rel=0.15)
    # Six equal photos a lesion carry the information of one.
    rows = np.repeat(np.arange(0, 600, 6), 6)
    same = dataclasses.replace(
        alone,
        logits=alone.logits[rows],
        labels=alone.labels[rows],
        groups=tuple(f"lesion:{i}" for i in rows),
    )
    split = dataclasses.replace(same, groups=tuple(map(str, range(600))))
    grouped = bootstrap_intervals(same, replicates=600)["top1"]
    naive = bootstrap_intervals(split, replicates=600)["top1"]
    assert grouped is not None and naive is not None
    ratio = (grouped.high - grouped.low) / (naive.high - naive.low)
    assert ratio == pytest.approx(np.sqrt(6), rel=0.2)


def test_absent_and_rare_classes(make: Make) -> None:
    whole = make(60)
    keep = np.r_[np.flatnonzero(whole.labels == 0), np.flatnonzero(whole.labels == 1)[:1]]
    found = bootstrap_intervals(whole.take(keep), POINT, replicates=100)
    assert found["sensitivity:NEV"] is None
    # One melanoma, found or not in every replicate that has it: how far it may lie is not known.
    assert found["sensitivity:MEL"] is None
    assert found["balanced_accuracy"] is not None


def test_no_interval_of_no_width(make: Make) -> None:
    """One photo, or one patient, or nothing but right answers: no certainty is claimed."""
    for alike in (make(60).take([0]), make(60, group_size=60), make(60, sharpness=1e3)):
        assert bootstrap_intervals(alike, replicates=50)["top1"] is None


def test_without_a_threshold_there_is_no_melanoma_interval(make: Make) -> None:
    predictions = make(30)
    assert melanoma_flags(predictions, OperatingPoint(melanoma_class="MEL")) is None
    assert "melanoma_sensitivity" not in bootstrap_intervals(predictions, replicates=10)
    other = OperatingPoint(melanoma_class="mel", melanoma_threshold=0.5)
    assert melanoma_flags(predictions, other) is None


def test_pairing_sees_a_small_steady_gain(make: Make) -> None:
    worse = make(300, sharpness=1.0)
    # Mend a tenth of the errors and touch nothing else.
    logits = worse.logits.copy()
    wrong = np.flatnonzero(logits.argmax(axis=1) != worse.labels)
    mended = wrong[::8]
    logits[mended, worse.labels[mended]] = 9.0
    better = dataclasses.replace(worse, logits=logits)
    shuffled = better.take(np.random.default_rng(0).permutation(300))
    found = paired_bootstrap(worse, shuffled, "top1", replicates=300)
    assert found.difference.value == pytest.approx(len(mended) / 300)
    assert found.value_b - found.value_a == pytest.approx(found.difference.value)
    assert found.difference.low > 0
    assert found.share_b_better == 1.0
    back = paired_bootstrap(shuffled, worse, "top1", replicates=300)
    assert back.difference.value == pytest.approx(-found.difference.value)


def test_a_model_does_not_differ_from_itself(make: Make) -> None:
    found = paired_bootstrap(make(60), make(60), "macro_auc", replicates=50)
    assert found.difference.low == found.difference.high == 0
    assert found.share_b_better == 0.5


def test_pairs_that_cannot_be_compared(make: Make) -> None:
    a = make(30)
    with pytest.raises(DataError, match="differ in 2 files"):
        paired_bootstrap(a, a.take(range(28)))
    with pytest.raises(DataError, match="classes or groups"):
        paired_bootstrap(a, make(30, group_size=3))
    with pytest.raises(UnknownNameError, match="did you mean 'balanced_accuracy'"):
        paired_bootstrap(a, a, "balanced_acuracy", replicates=5)


def test_nothing_to_resample_is_an_error(make: Make) -> None:
    with pytest.raises(DataError, match="no photos"):
        bootstrap_intervals(make(30).take([]))
    with pytest.raises(DataError, match="replicates"):
        bootstrap_intervals(make(30), replicates=0)


def test_replicates_that_miss_a_rare_class_do_not_widen_the_mean_over_classes(make: Make) -> None:
    """One answer to everything is 1/3 of three classes in every replicate that has all three."""
    whole = make(90)
    rare = np.flatnonzero(whole.labels == 1)[:2]
    some = whole.take(np.r_[np.flatnonzero(whole.labels != 1), rare])
    same = dataclasses.replace(some, logits=np.tile(np.eye(3)[0], (len(some), 1)))
    assert bootstrap_intervals(same, replicates=200)["balanced_accuracy"] is None
    drawn = bootstrap._Statistics(same, OperatingPoint()).replicates(200, 0)
    missed = np.isnan(drawn["sensitivity:MEL"])
    assert missed.any() and np.array_equal(missed, np.isnan(drawn["balanced_accuracy"]))
    assert np.array_equal(missed, np.isnan(drawn["macro_auc"]))
