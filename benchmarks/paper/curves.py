"""The learning curves of a study: training loss by epoch, each system beside all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from benchmarks.paper.trainings import read_history
from hierattn.metrics.figures import save_figure

_COLUMNS = 4
_OTHERS = "#cccccc"


def read_losses(histories: Sequence[Path]) -> np.ndarray:
    """The training loss of each epoch, mean of some folds' ``history.csv``: float64 [epochs]."""
    return np.mean([read_history(history, "train_loss") for history in histories], axis=0)


def draw_learning_curves(losses: Mapping[str, np.ndarray], path: Path) -> None:
    """Draw a panel a system, the others in grey behind it; ``losses`` [epochs] by system."""
    rows = -(-len(losses) // _COLUMNS)
    figure = Figure(figsize=(11, 2.8 * rows), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False)
    colour = matplotlib.colormaps["tab10"](0)
    for number, axes in enumerate(panels.flat):
        axes.set_visible(number < len(losses))
    for (name, own), axes in zip(losses.items(), panels.flat, strict=False):
        for other in losses.values():
            axes.plot(range(1, len(other) + 1), other, color=_OTHERS, linewidth=0.8)
        axes.plot(range(1, len(own) + 1), own, color=colour, linewidth=1.8)
        axes.set_title(f"{name}: {own[-1]:.2f}", fontsize=9)
        axes.grid(alpha=0.3)
    figure.supxlabel("epoch", fontsize=9)
    figure.supylabel("training loss, mean of the folds", fontsize=9)
    save_figure(figure, path)
