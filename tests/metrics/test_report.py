from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import numpy as np
import pytest

from hierattn.errors import DataError
from hierattn.metrics.calibration import fit_operating_point
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.predictions import STRATA, Predictions
from hierattn.metrics.report import EvaluationReport, evaluate_predictions

Make = Callable[..., Predictions]


def alternating(values: tuple[str | None, ...], count: int) -> tuple[str | None, ...]:
    return tuple(values[i % len(values)] for i in range(count))


def test_report_is_whole_and_survives_json(make: Make) -> None:
    predictions = make(120, sex=alternating(("male", "female", None, None), 120))
    point = fit_operating_point(make(90, seed=5))
    report = evaluate_predictions(predictions, point, replicates=50)
    text = report.model_dump_json()
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} in the report"))
    assert EvaluationReport.model_validate_json(text) == report
    assert (report.images, report.groups) == (120, 60)
    assert np.sum(report.confusion) == 120
    assert report.top1 == pytest.approx(np.trace(report.confusion) / 120)
    assert report.balanced_accuracy == pytest.approx(report.macro.sensitivity)
    assert report.intervals.balanced_accuracy is not None
    assert report.intervals.balanced_accuracy.value == pytest.approx(report.balanced_accuracy)
    assert report.intervals.macro_auc is not None
    assert report.intervals.macro_auc.value == pytest.approx(report.macro.auc)
    for name, interval in report.intervals.sensitivity.items():
        assert interval is not None
        assert interval.value == pytest.approx(report.per_class[name].sensitivity)
    assert report.bootstrap.replicates == 50
    assert report.calibration.before.temperature == 1.0
    assert report.calibration.after.temperature == point.temperature


def test_a_network_that_always_says_the_same_is_unmasked(make: Make) -> None:
    varied = make(30)
    assert evaluate_predictions(varied, replicates=2).only_answer is None
    same = dataclasses.replace(varied, logits=np.tile(np.eye(3)[1], (30, 1)))
    assert evaluate_predictions(same, replicates=2).only_answer == varied.classes[1]
    of_one_class = same.take(np.flatnonzero(same.labels == 1))
    assert evaluate_predictions(of_one_class, replicates=2).only_answer is None


def test_melanoma_is_judged_at_the_threshold_not_at_the_top_class(make: Make) -> None:
    predictions = make(120, sharpness=1.0)
    point = OperatingPoint(temperature=2.0, melanoma_class="MEL", melanoma_threshold=0.25)
    report = evaluate_predictions(predictions, point, replicates=20)
    assert report.melanoma != "not available"
    flags = point.probabilities(predictions.logits)[:, 1] >= 0.25
    melanoma = predictions.labels == 1
    assert report.melanoma.images == 40
    assert report.melanoma.sensitivity == pytest.approx(flags[melanoma].mean())
    assert report.melanoma.specificity == pytest.approx((~flags[~melanoma]).mean())
    assert report.melanoma.sensitivity > (report.per_class["MEL"].sensitivity or 0)


def test_a_melanoma_found_counts_although_one_gives_no_interval(make: Make) -> None:
    point = OperatingPoint(melanoma_class="MEL", melanoma_threshold=0.0)
    report = evaluate_predictions(make(3), point, replicates=20)
    assert report.melanoma != "not available"
    assert (report.melanoma.sensitivity, report.melanoma.specificity) == (1.0, 0.0)
    assert report.melanoma.sensitivity_interval is None


def test_strata_cover_every_photo_in_their_order(make: Make) -> None:
    age = alternating(("over 60", "under 40", "40 to 60"), 120)
    sex = alternating(("male", None), 120)
    predictions = make(120, age=age, sex=sex)
    point = OperatingPoint(melanoma_class="MEL", melanoma_threshold=0.4)
    strata = evaluate_predictions(predictions, point, replicates=5).strata
    assert set(strata) == set(STRATA)
    assert strata["site"] == strata["skin_tone"] == "not available"
    ages, sexes = strata["age"], strata["sex"]
    assert ages != "not available" and sexes != "not available"
    assert [row.value for row in ages] == ["under 40", "40 to 60", "over 60"]
    assert [row.value for row in sexes] == ["male", "not recorded"]
    assert sum(row.images for row in ages) == sum(row.images for row in sexes) == 120
    # Class and age band alternate in step here: each band holds one class.
    under = ages[0]
    assert under.classes_present == 1
    assert under.melanoma_images == 40
    inside = predictions.take([i for i, value in enumerate(age) if value == "under 40"])
    assert under.top1 == pytest.approx(np.mean(inside.logits.argmax(axis=1) == inside.labels))
    assert ages[2].melanoma_images == 0
    assert ages[2].melanoma_sensitivity is None


def test_abstention_counts_the_answered_only(make: Make) -> None:
    predictions = make(120, sharpness=1.0)
    confidence = OperatingPoint().probabilities(predictions.logits).max(axis=1)
    threshold = float(np.median(confidence))
    report = evaluate_predictions(
        predictions, OperatingPoint(abstain_threshold=threshold), replicates=5
    )
    assert report.abstention.coverage == pytest.approx(0.5)
    assert report.abstention.accuracy is not None
    assert report.abstention.accuracy > report.top1
    silent = evaluate_predictions(predictions, OperatingPoint(abstain_threshold=1.0), replicates=5)
    assert silent.abstention.coverage == 0
    assert silent.abstention.accuracy is None


def test_calibration_improves_on_photos_like_the_validation(make: Make) -> None:
    overconfident = make(900, sharpness=1.0)
    overconfident = dataclasses.replace(overconfident, logits=overconfident.logits * 4)
    even = overconfident.take(range(0, 900, 2))
    odd = overconfident.take(range(1, 900, 2))
    report = evaluate_predictions(odd, fit_operating_point(even), replicates=5)
    assert report.calibration.after.ece < report.calibration.before.ece / 2
    assert report.calibration.after.nll < report.calibration.before.nll
    assert report.calibration.after.brier < report.calibration.before.brier


def test_one_photo_of_one_class_and_no_operating_point(make: Make) -> None:
    report = evaluate_predictions(make(30).take([0]), replicates=10)
    assert report.images == 1
    assert report.melanoma == "not available"
    assert report.macro.auc is None
    assert report.intervals.macro_auc is None
    assert report.calibration.fitted_on == "not fitted"
    assert "NaN" not in report.model_dump_json()


def test_no_photos_is_one_clear_error(make: Make) -> None:
    with pytest.raises(DataError, match="no photos to evaluate"):
        evaluate_predictions(make(30).of_split("validation"))
