from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from hierattn.metrics.figure_text import figure_names, substitute_note
from hierattn.metrics.figures import draw_report
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.report import evaluate_predictions
from tests.metrics.conftest import make_predictions

NAMES = ("nevus", "黑色素瘤", "ほくろ", "شامة", "🌞", r"$\frac{$", "Mélanome")


def test_a_name_that_the_font_cannot_write_is_a_number() -> None:
    assert figure_names(NAMES) == (
        "nevus",
        "class 2",
        "class 3",
        "class 4",
        "class 5",
        r"\$\frac{\$",
        "Mélanome",
    )
    assert substitute_note(NAMES).startswith("class 2 is 黑色素瘤; class 3 is")
    assert substitute_note(("a", "b")) == ""


@pytest.mark.parametrize("target", ["黑色素瘤", r"$\frac{$"])
def test_figures_with_any_class_name_draw_without_a_warning(tmp_path: Path, target: str) -> None:
    predictions = make_predictions(42, classes=NAMES)
    point = OperatingPoint(melanoma_class=target, melanoma_threshold=0.3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_report(
            tmp_path, evaluate_predictions(predictions, point, replicates=2), predictions, point
        )
    assert len(list(tmp_path.glob("*.png"))) == 3
