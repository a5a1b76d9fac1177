"""The figures of a run folder. Same numbers, same matplotlib: byte-identical PNG files."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter
from sklearn import metrics as sk

from hierattn.common.files import atomic_path
from hierattn.metrics.bootstrap import melanoma_flags
from hierattn.metrics.calibration import (
    ReliabilityBin,
    at_bound,
    expected_calibration_error,
    reliability_bins,
    softmax,
)
from hierattn.metrics.figure_text import figure_line, figure_names
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.predictions import Predictions
from hierattn.metrics.report import EvaluationReport

DPI = 120
FEW_PHOTOS = 10
"""A bin of the reliability diagram that holds fewer says little about accuracy."""

_BLUE, _ORANGE, _GREEN, _GREY = "#0072b2", "#d55e00", "#009e73", "#666666"
_NOTE_WIDTH, _NOTE_LINES = 12, 4
"""Characters of a caveat that fit an inch of a figure's width, and its lines at most."""

_HOLLOW: dict[str, Any] = {"facecolor": "none", "edgecolor": _BLUE, "linestyle": ":"}


def draw_curves(history: Sequence[Mapping[str, Any]], path: str | Path) -> None:
    """Draw loss, accuracy and learning rate per epoch.

    Args:
        history: rows with ``epoch`` and any of ``learning_rate``, ``train_loss``,
            ``validation_loss``, ``validation_accuracy``, ``validation_balanced_accuracy``; a value
            that is absent, None or "" leaves a gap.
        path: of the PNG.
    """
    figure = Figure(figsize=(7, 8), layout="constrained")
    losses, accuracies, rates = figure.subplots(3, 1, sharex=True, height_ratios=[3, 3, 1.6])
    epochs = _series(history, "epoch")
    # A single epoch is a point, which a bare line would not show.
    marker = "o" if len(history) < 30 else None

    def line(axes: Axes, field: str, label: str, colour: str, style: str = "-") -> None:
        values = _series(history, field)
        if np.isfinite(values).any():
            axes.plot(epochs, values, style, color=colour, label=label, marker=marker, ms=3)

    # The first is weighted and smoothed as the recipe says, and of augmented photos.
    line(losses, "train_loss", "training, as minimised", _BLUE)
    line(losses, "validation_loss", "validation, plain", _ORANGE)
    line(accuracies, "validation_balanced_accuracy", "balanced accuracy", _ORANGE)
    line(accuracies, "validation_accuracy", "top-1 accuracy", _GREEN, "--")
    line(rates, "learning_rate", "learning rate", _GREY)
    best = _series(history, "validation_balanced_accuracy")
    if np.isfinite(best).any():
        # Of several as high the last, as training chooses among them.
        position = len(best) - 1 - int(np.nanargmax(best[::-1]))
        accuracies.axvline(epochs[position], color=_GREY, linewidth=0.8, linestyle=":")
        accuracies.plot(
            epochs[position],
            best[position],
            "*",
            color=_ORANGE,
            ms=12,
            label=f"highest: {100 * best[position]:.1f} % at epoch {int(epochs[position])}",
        )
    else:
        where = {"ha": "center", "va": "center", "transform": accuracies.transAxes}
        accuracies.text(0.5, 0.5, "no validation images", color=_GREY, **where)
    losses.set_ylabel("loss (cross-entropy, nats)")
    accuracies.set_ylabel("validation accuracy")
    accuracies.yaxis.set_major_formatter(PercentFormatter(1.0))
    rates.set_ylabel("learning rate,\nepoch's first step")
    rates.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    rates.set_ylim(bottom=0)
    rates.set_xlabel("epoch")
    rates.set_xlim(0.5, max(len(history), 1) + 0.5)
    rates.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes in (losses, accuracies, rates):
        axes.grid(alpha=0.3)
        if axes is not rates and axes.get_legend_handles_labels()[1]:
            axes.legend()
    losses.set_title(f"Training, {len(history)} epoch{'s' if len(history) != 1 else ''}")
    save_figure(figure, path)


def draw_confusion(report: EvaluationReport, path: str | Path) -> None:
    """Draw the confusion matrix: colour and per cent of each true class, and counts."""
    counts = np.array(report.confusion)
    support = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, support, out=np.zeros(counts.shape), where=support > 0)
    names = report.classes
    side = max(4.5, 0.85 * len(names) + 2)
    figure = Figure(figsize=(side + 1.4, side), layout="compressed")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*counts.shape):
        share, count = shares[row, column], counts[row, column]
        axes.text(
            column,
            row,
            f"{100 * share:.0f} %\n{count}" if count else "0",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if share > 0.55 else "black" if count else "#999999",
        )
    shown = figure_names(names)
    slanted = max(map(len, shown)) > 6
    axes.set_xticks(range(len(names)), shown, **_slant(slanted))
    rows = [f"{name} ({int(support[i, 0])})" for i, name in enumerate(shown)]
    axes.set_yticks(range(len(names)), rows)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class (images)")
    axes.set_title(
        f"Top-1 {100 * report.top1:.1f} %, balanced accuracy "
        f"{100 * report.balanced_accuracy:.1f} %, {_images(report.images)}",
        fontsize=10,
    )
    bar = figure.colorbar(image, ax=axes, shrink=0.8, format=PercentFormatter(1.0, decimals=0))
    bar.set_label("share of the true class")
    _add_caveat(figure, report.caveat)
    save_figure(figure, path)


def reliability_figure(
    predictions: Predictions, operating_point: OperatingPoint, caveat: str | None = None
) -> Figure:
    """Accuracy against confidence, and the confidences, before and after the temperature.

    One without the other where none was fitted. Bins of fewer than :data:`FEW_PHOTOS` are hollow,
    with the number of photos over them: their accuracy is 0 or 100 % easily.
    """
    stages = [("before", 1.0), ("after", operating_point.temperature)]
    if not operating_point.is_fitted:
        stages = [("not fitted", 1.0)]
    figure = Figure(figsize=(9 if len(stages) > 1 else 6.5, 6), layout="constrained")
    grid = figure.subplots(
        2, len(stages), sharex=True, sharey="row", height_ratios=[3, 1], squeeze=False
    )
    for column, (stage, temperature) in enumerate(stages):
        upper, lower = grid[0, column], grid[1, column]
        probabilities = softmax(predictions.logits, temperature)
        error = expected_calibration_error(probabilities, predictions.labels)
        bins = [b for b in reliability_bins(probabilities, predictions.labels) if b.count]
        _draw_bins(upper, lower, bins, len(predictions))
        upper.set_title(f"{stage}: temperature {temperature:.2f}, ECE {100 * error:.1f} %")
    for axes, label in ((grid[0, 0], "accuracy"), (grid[1, 0], "share of images")):
        axes.set_ylabel(label)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    handles = [
        Patch(facecolor=_BLUE, label="accuracy"),
        Patch(**_HOLLOW, label=f"fewer than {FEW_PHOTOS} images: says little"),
        Line2D([], [], marker="o", ls="", color=_ORANGE, ms=4, label="at the mean confidence"),
        Line2D([], [], ls="--", color="black", lw=1, label="perfect"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2 * len(stages), fontsize=8)
    figure.suptitle(
        f"Reliability, {_images(len(predictions))} (temperature: {operating_point.fitted_on}"
        f"{'; the end of its range' if at_bound(operating_point) else ''})",
        fontsize=10,
    )
    _add_caveat(figure, caveat)
    return figure


def _draw_bins(upper: Axes, lower: Axes, bins: Sequence[ReliabilityBin], photos: int) -> None:
    """Bins that hold photos: accuracy above, share of the photos below."""
    for part in bins:
        middle, width = (part.low + part.high) / 2, part.high - part.low
        few = part.count < FEW_PHOTOS
        style = _HOLLOW if few else {"facecolor": _BLUE, "edgecolor": "white"}
        upper.bar(middle, part.accuracy or 0.0, width=width, **style)
        lower.bar(middle, part.count / photos, width=width, color=_GREY, edgecolor="white")
        if few:
            height = min(part.accuracy or 0.0, 0.94)
            where: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": 8}
            upper.text(middle, height, str(part.count), **where)
    points = [(b.confidence or 0.0, b.accuracy or 0.0) for b in bins]
    upper.plot(*zip(*points, strict=True), "o", color=_ORANGE, ms=4, clip_on=False)
    upper.plot([0, 1], [0, 1], "--", color="black", linewidth=1)
    upper.set(xlim=(0, 1), ylim=(0, 1))
    lower.set_xlabel("confidence (highest probability)")
    lower.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    upper.grid(alpha=0.3)
    lower.grid(alpha=0.3)


def draw_roc(
    predictions: Predictions,
    path: str | Path,
    operating_point: OperatingPoint | None = None,
    caveat: str | None = None,
) -> None:
    """Draw each class's ROC curve against the rest with its area.

    Args:
        predictions: classes without photos, or with all of them, are named without a curve.
        path: of the PNG.
        operating_point: gives the temperature and marks the melanoma threshold.
        caveat: see :class:`hierattn.metrics.report.EvaluationReport`.
    """
    point = operating_point or OperatingPoint()
    probabilities = point.probabilities(predictions.logits)
    figure = Figure(figsize=(6.5, 6.2), layout="constrained")
    axes = figure.subplots()
    colours = matplotlib.colormaps["tab10"]
    for position, name in enumerate(figure_names(predictions.classes)):
        positive = predictions.labels == position
        style: dict[str, Any] = {
            "color": colours(position % 10),
            "linestyle": ("-", "--", ":")[position // 10 % 3],
        }
        if positive.all() or not positive.any():
            axes.plot([], [], label=f"{name}: not available", **style)
            continue
        false_rate, true_rate, _ = sk.roc_curve(positive, probabilities[:, position])
        area = sk.roc_auc_score(positive, probabilities[:, position])
        label = f"{name}: AUC {area:.3f} ({_images(int(positive.sum()))})"
        axes.plot(false_rate, true_rate, linewidth=1.5, label=label, **style)
    axes.plot([0, 1], [0, 1], "--", color=_GREY, linewidth=0.8, label="chance: AUC 0.500")
    _mark_operating_point(axes, predictions, point)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xlabel("1 - specificity (false positive rate)")
    axes.set_ylabel("sensitivity (true positive rate)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_title(f"ROC, each class against the rest, {_images(len(predictions))}", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize=8)
    _add_caveat(figure, caveat)
    save_figure(figure, path)


def draw_report(
    folder: Path, report: EvaluationReport, predictions: Predictions, point: OperatingPoint
) -> None:
    """Draw confusion.png, reliability.png and roc.png of one judged set into a folder."""
    draw_confusion(report, folder / "confusion.png")
    save_figure(reliability_figure(predictions, point, report.caveat), folder / "reliability.png")
    draw_roc(predictions, folder / "roc.png", point, report.caveat)


def _add_caveat(figure: Figure, caveat: str | None) -> None:
    """Write over a figure why it flatters the model: it may be passed on without its table."""
    if caveat is not None:
        lines = textwrap.wrap(
            f"NOTE {figure_line(caveat)}",
            int(_NOTE_WIDTH * figure.get_figwidth()),
            max_lines=_NOTE_LINES,
            placeholder=" ...",
        )
        figure.suptitle("\n".join([*filter(None, [figure.get_suptitle()]), *lines]), fontsize=10)


def _mark_operating_point(axes: Axes, predictions: Predictions, point: OperatingPoint) -> None:
    flags = melanoma_flags(predictions, point)
    if flags is None:
        return
    positive = point.is_target(predictions.labels, predictions.classes)
    if positive.all() or not positive.any():
        return
    names = dict(zip(predictions.classes, figure_names(predictions.classes), strict=True))
    target = " + ".join(names[name] for name in point.target_classes)
    axes.plot(
        flags[~positive].mean(),
        flags[positive].mean(),
        "o",
        color="black",
        markerfacecolor="none",
        ms=10,
        label=f"{target} at the operating point",
    )


def _series(history: Sequence[Mapping[str, Any]], field: str) -> np.ndarray:
    """One column as float64 [epochs], NaN where there is no value."""
    column = [row.get(field) for row in history]
    return np.array([np.nan if value in (None, "") else float(value) for value in column])


def _images(count: int) -> str:
    return f"{count} image{'' if count == 1 else 's'}"


def _slant(slanted: bool) -> dict[str, Any]:
    return {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if slanted else {}


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write the PNG atomically, without the version stamp that would change its bytes."""
    FigureCanvasAgg(figure)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})
