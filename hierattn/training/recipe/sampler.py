"""Sampling order of an epoch: class shares, and within a class no photo is favoured."""

from __future__ import annotations

import numpy as np


def class_shares(counts: np.ndarray, power: float) -> np.ndarray:
    """Share of each class in an epoch: counts ** (1 - power), normalised. Empty classes get 0.

    Args:
        counts: int [K], photos of each class in the training part.
        power: 0 keeps the natural shares, 1 gives every class the same.
    """
    weights = np.where(counts > 0, np.power(np.maximum(counts, 1), 1.0 - power), 0.0)
    return weights / weights.sum()


def epoch_order(
    labels: np.ndarray, shares: np.ndarray, epoch: int, seed: int, multiple: int = 1
) -> np.ndarray:
    """Indices into ``labels`` for one epoch, shuffled; a pure function of its arguments.

    Within a class each photo appears once before any appears twice. The length is
    ``len(labels)`` rounded up to ``multiple`` (so that every process gets equal work).
    """
    random = np.random.default_rng([seed, epoch, 1])
    length = -(-len(labels) // multiple) * multiple
    exact = shares * length
    wanted = np.floor(exact).astype(int)
    # The remainder goes to the largest fractions, so the sum is exact.
    wanted[np.argsort(wanted - exact, kind="stable")[: length - wanted.sum()]] += 1
    chosen = []
    for label, count in enumerate(wanted):
        members = np.flatnonzero(labels == label)
        while count > 0:
            part = random.permutation(members)[:count]
            chosen.append(part)
            count -= len(part)
    return random.permutation(np.concatenate(chosen))
