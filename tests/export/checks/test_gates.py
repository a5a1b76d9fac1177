import pytest

from export.checks.gates import TOLERANCES, evaluate_gate, relative_tolerances
from export.schema.manifest import Gate, Quality, QualityChange
from export.schema.metadata import Precision
from export.schema.parity import Parity


def parity(max_relative: float) -> Parity:
    return Parity(
        evaluator="test",
        images=10,
        max_abs=max_relative,
        max_relative=max_relative,
        relative_l2=max_relative,
        cosine=1.0,
        top1_agreement=1.0,
    )


def quality(
    agreement: float = 1.0,
    balanced: float = 0.0,
    melanoma: float = 0.0,
    threshold: float = 0.0,
    max_relative: float = 0.0,
) -> Quality:
    return Quality(
        images=100,
        max_relative=max_relative,
        agreement=agreement,
        top1=0.5,
        balanced_accuracy=0.5,
        sensitivity={"MEL": 0.5, "NEV": 0.5},
        melanoma_at_threshold=0.5,
        ece=0.1,
        delta_vs_torch=QualityChange(
            balanced_accuracy=balanced,
            sensitivity={"MEL": melanoma, "NEV": 0.0},
            melanoma_at_threshold=threshold,
            ece=0.0,
        ),
    )


def gate(precision: Precision, found: Quality | None, error: float = 0.0, melanomas=100) -> Gate:
    return evaluate_gate(precision, [parity(error)], found, {"MEL": melanomas})


@pytest.mark.parametrize("precision", list(Precision))
def test_an_equal_file_passes(precision: Precision) -> None:
    assert gate(precision, quality()).status == "passed"


@pytest.mark.parametrize("precision", list(Precision))
def test_each_bound_fails_on_its_own_just_beyond_it(precision: Precision) -> None:
    bound = TOLERANCES[precision]
    kept = [
        (quality(max_relative=bound.max_relative), bound.max_relative),
        (quality(agreement=bound.agreement), 0.0),
        (quality(balanced=-bound.balanced_accuracy_loss), 0.0),
        (quality(melanoma=-bound.melanoma_sensitivity_loss), 0.0),
        (quality(threshold=-bound.melanoma_sensitivity_loss), 0.0),
    ]
    broken = [
        (quality(max_relative=bound.max_relative * 1.01), bound.max_relative * 1.01),
        (quality(agreement=bound.agreement - 1e-4), 0.0),
        (quality(balanced=-bound.balanced_accuracy_loss - 1e-4), 0.0),
        (quality(melanoma=-bound.melanoma_sensitivity_loss - 1e-3), 0.0),
        (quality(threshold=-bound.melanoma_sensitivity_loss - 1e-3), 0.0),
    ]
    for found, error in kept:
        assert gate(precision, found, error).status == "passed"
    for found, error in broken:
        result = gate(precision, found, error)
        assert result.status == "failed"
        assert len(result.reasons) == 1


def test_gains_never_fail() -> None:
    found = quality(balanced=0.3, melanoma=0.3, threshold=0.3)
    assert gate(Precision.FP32, found).status == "passed"


def test_one_melanoma_of_few_may_be_lost_by_rounding_but_not_two_and_never_in_fp32() -> None:
    one, two = quality(melanoma=-1 / 20), quality(melanoma=-2 / 20)
    assert gate(Precision.INT8, one, melanomas=20).status == "passed"
    assert gate(Precision.INT8, two, melanomas=20).status == "failed"
    assert gate(Precision.FP32, one, melanomas=20).status == "failed"


def test_without_photos_numbers_decide_but_int8_stays_open() -> None:
    assert gate(Precision.FP32, None).status == "passed"
    assert gate(Precision.FP16, None, 0.5).status == "failed"
    assert gate(Precision.INT8, None).status == "not run"


def test_several_shortfalls_are_all_named() -> None:
    reasons = gate(Precision.INT8, quality(0.5, -0.5, -0.5, -0.5, 9.0)).reasons
    assert len(reasons) == 5
    assert "points" in reasons[2]


def test_int8_is_judged_on_photos_not_on_pictures_unlike_any() -> None:
    assert gate(Precision.INT8, quality(), error=9.0).status == "passed"
    assert gate(Precision.FP16, quality(), error=9.0).status == "failed"


def test_an_app_holds_float_files_against_torch() -> None:
    assert set(relative_tolerances()) == {"fp32", "fp16"}


@pytest.mark.parametrize(("photos", "others", "told"), [(199, 1, True), (199, 2, False)])
def test_where_one_photo_is_too_many_the_reason_says_so(
    photos: int, others: int, told: bool
) -> None:
    few = quality((photos - others) / photos).model_copy(update={"images": photos})
    (reason,) = gate(Precision.FP16, few).reasons
    assert f"decides like torch on {photos - others} of {photos} photos" in reason
    assert ("of fewer than 200 photos none may differ" in reason) == told
    enough = quality(199 / 200).model_copy(update={"images": 200})
    assert gate(Precision.FP16, enough).status == "passed"
