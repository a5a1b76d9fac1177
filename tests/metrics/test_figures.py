from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from hierattn.metrics import figures
from hierattn.metrics.calibration import fit_operating_point
from hierattn.metrics.figures import (
    FEW_PHOTOS,
    draw_confusion,
    draw_curves,
    draw_roc,
    reliability_figure,
    save_figure,
)
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.predictions import Predictions
from hierattn.metrics.report import evaluate_predictions

Make = Callable[..., Predictions]


def history(epochs: int, **change: object) -> list[dict[str, object]]:
    return [
        {
            "epoch": epoch + 1,
            "learning_rate": 2e-3 / (epoch + 1),
            "train_loss": 2.0 / (epoch + 1),
            "validation_loss": 2.2 / (epoch + 1),
            "validation_accuracy": 0.5,
            "validation_balanced_accuracy": 0.4 + 0.01 * epoch,
        }
        | change
        for epoch in range(epochs)
    ]


def ink(path: Path) -> float:
    """Share of pixels that are not white; an empty drawing has next to none."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert "Software" not in image.info
        return float((np.asarray(image.convert("L")) < 250).mean())


@pytest.fixture
def drawers(make: Make) -> dict[str, Callable[[Path], None]]:
    predictions = make(120, sharpness=1.0)
    point = fit_operating_point(make(90, seed=1))
    report = evaluate_predictions(predictions, point, replicates=5)
    return {
        "curves": lambda path: draw_curves(history(5), path),
        "confusion": lambda path: draw_confusion(report, path),
        "reliability": lambda path: save_figure(reliability_figure(predictions, point), path),
        "roc": lambda path: draw_roc(predictions, path, point),
    }


@pytest.mark.parametrize("name", ["curves", "confusion", "reliability", "roc"])
def test_figures_are_drawn_and_byte_identical(
    drawers: dict[str, Callable[[Path], None]], name: str, tmp_path: Path
) -> None:
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    drawers[name](first)
    drawers[name](second)
    assert first.read_bytes() == second.read_bytes()
    assert ink(first) > 0.02
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_no_label_of_a_confusion_runs_over_the_edge(make: Make, tmp_path: Path) -> None:
    predictions = replace(make(1800, sharpness=1.0), classes=("BKL", "MEL", "NV"))
    report = evaluate_predictions(predictions, OperatingPoint(), replicates=5)
    draw_confusion(report, tmp_path / "confusion.png")
    pixels = np.asarray(Image.open(tmp_path / "confusion.png").convert("L"))
    edges = (pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:])
    assert all((edge == 255).all() for edge in edges)


@pytest.mark.parametrize("missing", [None, ""])
def test_curves_without_validation(tmp_path: Path, missing: object) -> None:
    rows = history(
        3,
        validation_loss=missing,
        validation_accuracy=missing,
        validation_balanced_accuracy=missing,
    )
    draw_curves(rows, tmp_path / "curves.png")
    full = tmp_path / "full.png"
    draw_curves(history(3), full)
    assert (tmp_path / "curves.png").read_bytes() != full.read_bytes()


def test_ticks_beside_an_accuracy_that_never_changed_differ(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(figures, "save_figure", lambda figure, path: drawn.append(figure))
    rows = history(3, validation_accuracy=1 / 6, validation_balanced_accuracy=1 / 6)
    draw_curves(rows, tmp_path / "curves.png")
    FigureCanvasAgg(drawn[0]).draw()
    ticks = [label.get_text() for label in drawn[0].axes[1].get_yticklabels()]
    assert len(ticks) > 2 and len(set(ticks)) == len(ticks)
    # Of equal epochs training takes the last.
    told = [text.get_text() for text in drawn[0].axes[1].get_legend().get_texts()]
    assert any("at epoch 3" in text for text in told)


def test_curves_accept_the_strings_of_a_csv_and_a_single_epoch(tmp_path: Path) -> None:
    as_text = [{name: str(value) for name, value in row.items()} for row in history(4)]
    draw_curves(as_text, tmp_path / "text.png")
    draw_curves(history(4), tmp_path / "numbers.png")
    assert (tmp_path / "text.png").read_bytes() == (tmp_path / "numbers.png").read_bytes()
    draw_curves(history(1), tmp_path / "one.png")
    draw_curves([], tmp_path / "none.png")


def test_absent_class_and_unfitted_point(make: Make, tmp_path: Path) -> None:
    whole = make(60)
    some = whole.take(np.flatnonzero(whole.labels != 2))
    draw_roc(some, tmp_path / "roc.png")
    draw_roc(whole.take([0]), tmp_path / "one.png")
    save_figure(reliability_figure(some, OperatingPoint()), tmp_path / "reliability.png")
    draw_confusion(evaluate_predictions(some, replicates=2), tmp_path / "confusion.png")
    assert ink(tmp_path / "confusion.png") > 0.02


def test_bins_of_few_photos_are_hollow_and_say_how_many(make: Make) -> None:
    """One sure photo that happens to be right is no accuracy of 100 %."""
    logits = np.zeros((41, 2))
    logits[:40, 0] = np.log(0.62 / 0.38)
    logits[40, 0] = np.log(0.99 / 0.01)
    labels = np.array([0] * 25 + [1] * 15 + [0])
    predictions = replace(make(41, classes=("a", "b")), logits=logits, labels=labels)
    figure = reliability_figure(predictions, OperatingPoint())
    upper = figure.axes[0]
    many, few = (patch for patch in upper.patches if isinstance(patch, Rectangle))
    assert (many.get_height(), few.get_height()) == (25 / 40, 1.0)
    assert many.get_facecolor()[3] == 1 and few.get_facecolor()[3] == 0
    assert [text.get_text() for text in upper.texts] == ["1"]
    (legend,) = figure.legends
    assert f"fewer than {FEW_PHOTOS}" in legend.get_texts()[1].get_text()


def test_reliability_is_drawn_once_where_no_temperature_was_fitted(make: Make) -> None:
    fitted = OperatingPoint(temperature=2.0, fitted_on="30 photos")
    before, after, _, _ = reliability_figure(make(50), fitted).axes
    assert before.get_title().startswith("before: temperature 1.00")
    assert after.get_title().startswith("after: temperature 2.00")
    only, _ = reliability_figure(make(1), OperatingPoint()).axes
    assert only.get_title().startswith("not fitted: temperature 1.00")


@pytest.mark.parametrize("fitted_on", ["30 photos", OperatingPoint().fitted_on])
def test_the_legend_of_reliability_covers_nothing(make: Make, fitted_on: str) -> None:
    figure = reliability_figure(make(50), OperatingPoint(fitted_on=fitted_on))
    FigureCanvasAgg(figure).draw()
    (legend,) = figure.legends
    assert all(axes.get_legend() is None for axes in figure.axes)
    assert not any(legend.get_window_extent().overlaps(a.get_tightbbox()) for a in figure.axes)


def test_a_caveat_stands_in_every_figure_whatever_its_text(make: Make, tmp_path: Path) -> None:
    predictions = make(60)
    caveat = "run$a^^$b 皮肤 " + "had learnt from some of its photos, " * 40
    report = evaluate_predictions(predictions, replicates=5, caveat=caveat)
    point = OperatingPoint()
    figures.draw_report(tmp_path / "with", report, predictions, point)
    figures.draw_report(
        tmp_path / "without", report.model_copy(update={"caveat": None}), predictions, point
    )
    for name in ("confusion.png", "reliability.png", "roc.png"):
        assert (tmp_path / "with" / name).read_bytes() != (tmp_path / "without" / name).read_bytes()
    figure = figures.reliability_figure(predictions, point, caveat)
    title = figure.get_suptitle()
    assert title.count("\n") == 4 and title.endswith("...") and "皮" not in title
