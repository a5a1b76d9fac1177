"""Learning-rate schedule, a pure function of the position in training."""

from __future__ import annotations

import math

from hierattn.training.recipe.config import TrainingConfig


def learning_rate(config: TrainingConfig, position: float) -> float:
    """Learning rate at ``position``, in epochs from 0 (fractions count batches).

    ``cosine``: a linear warm-up from ``warmup_lr`` to ``lr``, then one cosine to ``final_lr``.
    ``paper`` (official code): warm-up and a cosine within the frozen epochs, then, unfrozen, a
    second warm-up and a cosine to ``final_lr`` at the last epoch.
    """
    if config.schedule == "paper" and 0 < config.freeze_epochs < config.epochs:
        if position < config.freeze_epochs:
            return _warmup_cosine(config, position, config.freeze_epochs)
        return _warmup_cosine(
            config, position - config.freeze_epochs, config.epochs - config.freeze_epochs
        )
    return _warmup_cosine(config, position, config.epochs)


def _warmup_cosine(config: TrainingConfig, position: float, length: float) -> float:
    warmup = min(config.warmup_epochs, length)
    if position < warmup:
        return config.warmup_lr + (config.lr - config.warmup_lr) * position / warmup
    progress = min(1.0, (position - warmup) / max(1e-9, length - warmup))
    return config.final_lr + 0.5 * (config.lr - config.final_lr) * (
        1 + math.cos(math.pi * progress)
    )
