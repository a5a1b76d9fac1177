"""Parity metrics: distances of an exported file's logits from torch's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from export.errors import ArtefactError
from export.schema.parity import Parity


def measure_parity(
    reference: np.ndarray, answers: np.ndarray, evaluator: str, typical: float | None = None
) -> Parity:
    """Measure the distances between two sets of logits.

    Args:
        reference: torch's logits [N, K], finite and not all zero.
        answers: the file's logits [N, K].
        evaluator: name and version of the runtime that computed them.
        typical: see :func:`logit_scales`.

    Raises:
        ArtefactError: other shapes, NaN or infinity, or nothing to compare with; says which.
    """
    expected = np.asarray(reference, dtype=np.float64)
    found = np.asarray(answers, dtype=np.float64)
    if expected.ndim != 2 or not expected.size:
        raise ArtefactError(f"{evaluator}: reference logits of shape {list(expected.shape)}")
    if found.shape != expected.shape:
        raise ArtefactError(
            f"{evaluator}: answers of shape {list(found.shape)} instead of {list(expected.shape)}"
        )
    _check_finite(expected, f"{evaluator}: the reference answers")
    _check_finite(found, f"{evaluator}: the file answers")
    scale = float(np.abs(expected).max())
    if scale == 0:
        raise ArtefactError(f"{evaluator}: the reference logits are all zero; nothing to compare")
    # Divided by the scale first, so that no square overflows or vanishes.
    unit, answered = expected / scale, found / max(scale, float(np.abs(found).max()))
    scales = logit_scales(unit, None if typical is None else typical / scale)
    with np.errstate(over="ignore"):
        difference = found - expected
        relative = found / scale - unit
        figures = {
            "max_abs": float(np.abs(difference).max()),
            "max_relative": float((np.abs(relative) / scales).max()),
            "relative_l2": float(np.linalg.norm(relative) / np.linalg.norm(unit)),
        }
    if not np.isfinite(list(figures.values())).all():
        raise ArtefactError(f"{evaluator}: the answers are out of all proportion to torch's")
    return Parity(
        evaluator=evaluator,
        images=len(expected),
        cosine=_cosine(unit, answered),
        top1_agreement=float(np.mean(expected.argmax(axis=1) == found.argmax(axis=1))),
        **figures,
    )


def logit_scales(reference: np.ndarray, typical: float | None = None) -> np.ndarray:
    """Reference magnitude of relative errors for the logits [N, K] of each image, [N, 1].

    An image's own largest |logit|, or ``typical`` where that is larger: a picture unlike any photo,
    with logits ten times a photo's, must not excuse errors on photos, and one with tiny logits
    must not magnify rounding.

    Args:
        typical: the largest |logit| of any photo; None for the median image's own.
    """
    own = np.abs(reference).max(axis=1, keepdims=True)
    scales: np.ndarray = np.maximum(own, np.median(own) if typical is None else typical)
    return np.where(scales > 0, scales, own.max())


def _check_finite(logits: np.ndarray, who: str) -> None:
    wrong = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if len(wrong):
        raise ArtefactError(
            f"{who} NaN or infinity on {len(wrong)} of {len(logits)} images, first on image "
            f"{int(wrong[0])}"
        )


def _cosine(left: np.ndarray, right: np.ndarray) -> float:
    norms = float(np.linalg.norm(left) * np.linalg.norm(right))
    if norms == 0:
        return 0.0
    # Rounding may leave [-1, 1] by one unit in the last place.
    return float(np.clip(np.vdot(left, right) / norms, -1, 1))


def logits_by_image(names: list[str], logits: np.ndarray) -> dict[str, list[float]]:
    """Logits [G, K] by golden image, as plain floats."""
    return {name: [float(v) for v in row] for name, row in zip(names, logits, strict=True)}


def logits_in_order(logits: Mapping[str, list[float]], names: list[str]) -> np.ndarray:
    """Undo :func:`logits_by_image`: float64 [G, K] in the order of ``names``."""
    return np.array([logits[name] for name in names], dtype=np.float64)
