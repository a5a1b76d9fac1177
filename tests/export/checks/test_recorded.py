"""Recorded figures against found ones: whatever is made up is told, what rounding does is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from export.checks.comparison import Comparison, Turnable
from export.checks.recorded import changed_figures, changed_quality, changed_torch_figures
from export.schema.manifest import ArtefactRecord, Gate, Quality, QualityChange
from export.schema.metadata import Precision
from export.schema.parity import Parity

PARITY = Parity(
    evaluator="here",
    images=19,
    max_abs=3e-6,
    max_relative=1e-6,
    relative_l2=1e-6,
    cosine=1.0,
    top1_agreement=1.0,
)
TORCH = Quality(
    images=9,
    max_relative=0.0,
    agreement=1.0,
    top1=0.5,
    balanced_accuracy=0.4,
    sensitivity={"mel": 0.5, "nv": 0.25, "bcc": None},
    melanoma_at_threshold=0.75,
    ece=0.1,
    delta_vs_torch=None,
)
SAME = QualityChange(
    balanced_accuracy=0.0,
    sensitivity={"mel": 0.0, "nv": 0.0, "bcc": None},
    melanoma_at_threshold=0.0,
    ece=0.0,
)
QUALITY = TORCH.model_copy(update={"delta_vs_torch": SAME, "max_relative": 1e-6})
DECIDED = Turnable(0, {}, {"mel": 4, "nv": 5}, 0.0)


def record(**fields: Any) -> ArtefactRecord:
    """A manifest's record of a file in float32."""
    given: dict[str, Any] = {"parity": PARITY, "quality": QUALITY, **fields}
    return ArtefactRecord(
        path="a.onnx",
        format="onnx",
        precision=Precision.FP32,
        bytes=1,
        sha256="0" * 64,
        input=None,
        output=None,
        operators={},
        delegated=None,
        quantisation=None,
        other_runtimes=[],
        gate=Gate(status="passed"),
        minimum_runtimes={},
        **given,
    )


def found(turnable: Turnable = DECIDED, **fields: Any) -> Comparison:
    """What a run of the file gave."""
    given = {"parity": PARITY, "quality": QUALITY, **fields}
    return Comparison(
        given["parity"], given["quality"], [], Gate(status="passed"), np.zeros((0, 3)), 0, turnable
    )


def test_the_same_figures_are_no_news() -> None:
    assert changed_figures(record(), found(), TORCH) == []
    assert changed_torch_figures(TORCH, TORCH) == []
    assert changed_torch_figures(None, None) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("images", 20),
        ("max_abs", 0.3),
        ("max_relative", 0.3),
        ("relative_l2", 0.3),
        ("cosine", 0.7),
        ("top1_agreement", 0.8),
    ],
)
def test_made_up_distances_are_told(name: str, value: float) -> None:
    lie = record(parity=PARITY.model_copy(update={name: value}))
    (line,) = changed_figures(lie, found(), TORCH)
    assert line.startswith("the manifest says ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("images", 10),
        ("max_relative", 0.3),
        ("agreement", 0.8),
        ("top1", 0.6),
        ("balanced_accuracy", 0.5),
        ("sensitivity", {"mel": 0.75, "nv": 0.25, "bcc": None}),
        ("sensitivity", {"mel": 0.5, "nv": 0.25, "bcc": 1.0}),
        ("sensitivity", {"mel": 0.5}),
        ("melanoma_at_threshold", 0.99),
        ("melanoma_at_threshold", None),
        ("ece", 0.5),
    ],
)
def test_made_up_metrics_are_told_of_a_file_and_of_torch(name: str, value: Any) -> None:
    lie = QUALITY.model_copy(update={name: value})
    told = changed_figures(record(quality=lie), found(), TORCH)
    words = {"melanoma_at_threshold": "at the threshold"}.get(name, name.replace("_", " "))
    assert any("manifest" in line and words in line for line in told), told
    assert changed_torch_figures(TORCH.model_copy(update={name: value}), TORCH)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("balanced_accuracy", 0.3),
        ("sensitivity", {"mel": 0.3, "nv": 0.0, "bcc": None}),
        ("sensitivity", {"mel": 0.0}),
        ("melanoma_at_threshold", None),
        ("ece", -0.3),
    ],
)
def test_changes_against_torch_are_those_of_the_figures(name: str, value: Any) -> None:
    change = SAME.model_copy(update={name: value})
    lie = QUALITY.model_copy(update={"delta_vs_torch": change})
    told = ["the manifest's changes against torch are not those of its figures"]
    assert changed_quality(lie, TORCH) == told
    # Without photos that is all there is to be held against.
    golden = found(quality=None, parity=PARITY.model_copy(update={"images": 10}))
    assert changed_figures(record(quality=lie), golden, TORCH) == told


def test_what_is_missing_is_told() -> None:
    assert changed_figures(record(parity=None), found(), TORCH)
    assert changed_figures(record(quality=None), found(), TORCH)
    assert changed_quality(QUALITY, None)
    assert changed_quality(None, TORCH)
    assert changed_quality(QUALITY.model_copy(update={"delta_vs_torch": None}), TORCH)
    assert changed_torch_figures(None, TORCH)
    assert changed_torch_figures(TORCH, None)


def test_a_decision_may_turn_only_where_two_logits_nearly_tie() -> None:
    turned = QUALITY.model_copy(
        update={
            "agreement": 8 / 9,
            "sensitivity": {"mel": 0.5, "nv": 0.45, "bcc": None},
            "melanoma_at_threshold": 0.5,
        }
    )
    near = Turnable(1, {"nv": 1}, DECIDED.of, 0.25)
    assert changed_figures(record(), found(near, quality=turned), TORCH) == []
    assert len(changed_figures(record(), found(quality=turned), TORCH)) == 3
