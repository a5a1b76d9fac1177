"""How much the judged photos are worth."""

from __future__ import annotations

import numpy as np
import pytest

from export.checks.evidence import (
    MINIMUM_DISTINCT,
    Evidence,
    constant_answer,
    hold_back,
    threshold_doubt,
)
from export.schema.manifest import Gate
from export.schema.metadata import Precision
from hierattn.metrics.operating_point import OperatingPoint
from tests.export.checks.test_gates import quality

PASSED, FAILED = Gate(status="passed"), Gate(status="failed", reasons=["x"])


def photos(*values: int) -> np.ndarray:
    return np.stack([np.full((4, 4, 3), value, np.uint8) for value in values])


def test_a_photo_counts_once_however_often_it_is_shown() -> None:
    evidence = Evidence.of(photos(*[7] * 8), ["MEL"] * 8)
    assert evidence.remarks(["MEL"]) == [
        "evidence: 8 photos, 1 distinct (a copy proves nothing more)",
        "decisions need at least 8 distinct photos, and these are 1",
    ]
    held = hold_back(PASSED, Precision.INT8, evidence, ["MEL"])
    assert (held.status, len(held.reasons)) == ("not run", 1)
    for precision in (Precision.FP32, Precision.FP16):
        assert hold_back(PASSED, precision, evidence, ["MEL"]) == PASSED
    assert hold_back(FAILED, Precision.INT8, evidence, ["MEL"]) == FAILED


@pytest.mark.parametrize("distinct", [MINIMUM_DISTINCT - 1, MINIMUM_DISTINCT])
def test_the_bound_is_the_number_of_distinct_photos(distinct: int) -> None:
    evidence = Evidence.of(photos(*range(distinct), 0), [*["MEL"] * distinct, "NEV"])
    assert evidence.distinct_by_class == {"MEL": distinct, "NEV": 1}
    enough = hold_back(PASSED, Precision.INT8, evidence, ["MEL"]).status == "passed"
    assert enough == (distinct >= MINIMUM_DISTINCT)


def test_a_target_class_without_a_photo_is_not_judged() -> None:
    evidence = Evidence.of(photos(*range(20)), ["NEV"] * 20)
    assert evidence.remarks([]) == []
    assert hold_back(PASSED, Precision.INT8, evidence, ["MEL"]).reasons == [
        "decisions need a photo of 'MEL', and there is none"
    ]


def test_without_photos_nothing_changes() -> None:
    assert hold_back(PASSED, Precision.INT8, None, ["MEL"]) == PASSED


def test_a_network_that_answers_one_class_is_named() -> None:
    logits = np.tile([0.0, 2.0, 1.0], (9, 1))
    (line,) = constant_answer(logits, ["MEL", "SEK", "NEV"])
    assert line.startswith("this network answers SEK for every one of the 9 photos")
    logits[3] = [3.0, 2.0, 1.0]
    assert constant_answer(logits, ["MEL", "SEK", "NEV"]) == []
    assert constant_answer(logits[:0], ["MEL", "SEK", "NEV"]) == []


@pytest.mark.parametrize(("found", "doubted"), [(0.39, True), (0.4, False), (None, False)])
def test_a_threshold_that_finds_less_than_half_of_its_aim_is_doubted(
    found: float | None, doubted: bool
) -> None:
    point = OperatingPoint(target_classes=("MEL",), melanoma_threshold=0.5)
    lines = threshold_doubt(point, quality().model_copy(update={"melanoma_at_threshold": found}))
    assert [f"finds {found:.3f} of MEL" in line for line in lines] == [True] * doubted
    assert threshold_doubt(point, None) == []
