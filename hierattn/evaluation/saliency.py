"""Occlusion maps: which parts of a photo a prediction rests on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from hierattn.metrics.figure_text import figure_names
from hierattn.metrics.figures import save_figure

if TYPE_CHECKING:
    from hierattn.evaluation.predict import Answer, Classifier

GRID = 16
"""Positions of the cover along each side of a photo."""
_COVER = 2
"""Side of the cover in steps of the grid: neighbours overlap by half."""
_BATCH = 16
_LEAST_BOUND = 0.01


def occlusion_map(classifier: Classifier, pixels: np.ndarray, index: int) -> np.ndarray:
    """How much a class's probability falls when a part of the photo is covered.

    The cover is a square in the photo's mean colour, moved over it in overlapping steps; a pixel
    gets the mean of all covers that hid it (Zeiler and Fergus 2014, arXiv 1311.2901).

    Args:
        pixels: uint8 [S, S, 3].
        index: of the class.

    Returns:
        float64 [S, S]; positive where the photo speaks for the class, negative where against it.
    """
    side = len(pixels)
    edges = np.linspace(0, side, GRID + 1).round().astype(int)
    whole = classifier.probabilities(pixels[np.newaxis])[0, index]
    colour = pixels.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    starts = range(GRID - _COVER + 1)
    places = [
        (slice(edges[y], edges[y + _COVER]), slice(edges[x], edges[x + _COVER]))
        for y in starts
        for x in starts
    ]
    falls, hidden = np.zeros((side, side)), np.zeros((side, side))
    for start in range(0, len(places), _BATCH):
        batch = places[start : start + _BATCH]
        covered = np.repeat(pixels[np.newaxis], len(batch), axis=0)
        for copy, place in zip(covered, batch, strict=True):
            copy[place] = colour
        for place, probability in zip(
            batch, classifier.probabilities(covered)[:, index], strict=True
        ):
            falls[place] += whole - probability
            hidden[place] += 1
    return falls / hidden


def points(share: float) -> str:
    """A share in percentage points with the digits it has: 0.025 is "2.5", not "2" nor "3"."""
    return f"{round(100 * share, 6):g}"


def draw_saliency(classifier: Classifier, answer: Answer, path: Path) -> None:
    """Draw a photo beside its occlusion map for the class of the highest probability."""
    name, probability = answer.ranked[0]
    pixels = classifier.spec.load(answer.photo)
    falls = occlusion_map(classifier, pixels, classifier.classes.index(name))
    # A photo on which no cover matters is grey, not loud noise.
    bound = max(float(np.abs(falls).max()), _LEAST_BOUND)
    figure = Figure(figsize=(9, 4.4), layout="constrained")
    photo, overlay = figure.subplots(1, 2)
    photo.imshow(pixels)
    # So pale that the colours over it are those of the bar, nearly.
    overlay.imshow(pixels.mean(axis=2), cmap="gray", vmin=-250, vmax=255)
    shade = overlay.imshow(falls, cmap="RdBu_r", vmin=-bound, vmax=bound, alpha=0.6)
    bar = figure.colorbar(shade, ax=overlay, shrink=0.8)
    bar.set_label(f"fall of the probability, points (own scale, at least {points(_LEAST_BOUND)})")
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: points(share)))
    photo.set_title("the photo as the network sees it", fontsize=9)
    part = f"a square of 1/{GRID // _COVER} of the side"
    overlay.set_title(
        f"occlusion: what is lost when {part} gets the photo's\nmean colour, mean of all squares "
        "over a place",
        fontsize=9,
    )
    sure = "" if answer.sure else " (not sure)"
    shown = figure_names(classifier.classes)[classifier.classes.index(name)]
    figure.suptitle(f"{shown}: {100 * probability:.1f} %{sure}", fontsize=10)
    for axes in (photo, overlay):
        axes.set_axis_off()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_figure(figure, path)
