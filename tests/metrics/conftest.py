"""Predictions made by hand, for every metrics test."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hierattn.metrics.predictions import STRATA, Predictions

CLASSES = ("BCC", "MEL", "NEV")


def make_predictions(
    count: int = 120,
    *,
    classes: tuple[str, ...] = CLASSES,
    group_size: int = 2,
    sharpness: float = 2.0,
    seed: int = 0,
    **strata: tuple[str | None, ...],
) -> Predictions:
    """Draw logits that favour the true class by ``sharpness``; photos share groups in runs."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(classes)
    logits = rng.normal(size=(count, len(classes))) + sharpness * np.eye(len(classes))[labels]
    return Predictions(
        logits=logits,
        labels=labels,
        classes=classes,
        groups=tuple(f"patient:{i // group_size}" for i in range(count)),
        files=tuple(f"{i:04}.jpg" for i in range(count)),
        splits=("test",) * count,
        strata={name: strata.get(name, (None,) * count) for name in STRATA},
    )


@pytest.fixture
def make() -> Callable[..., Predictions]:
    return make_predictions
