"""Running the epochs of a training, with checkpoints: shared by training and pretraining."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import torch

from hierattn.errors import CheckpointError
from hierattn.models.tensors import load_tensors
from hierattn.run_files import CHECKPOINT, HISTORY
from hierattn.training.loop import TrainingLoop
from hierattn.training.progress import TrainingObserver
from hierattn.training.run.checkpoint import HistoryRow, TrainingState, save_state
from hierattn.training.run.results import write_history

_LOG = logging.getLogger(__name__)


def run_epochs(
    loop: TrainingLoop, state: TrainingState, out: Path, observer: TrainingObserver
) -> None:
    """Train to the last epoch from where ``state`` is; the main process writes every epoch."""
    if state.epoch >= loop.config.epochs:
        observer.status("all epochs were done before; the results are written again")
        return
    observer.started(state.epoch, loop.config.epochs, loop.steps)
    for epoch in range(state.epoch, loop.config.epochs):
        row = loop.run_epoch(epoch, observer.stepped)
        _record(loop, state, row)
        if loop.group.is_main:
            save_state(out / CHECKPOINT, state)
            write_history(out / HISTORY, state.history)
        observer.finished_epoch(row)


def restore(loop: TrainingLoop, state: TrainingState, checkpoint: Path) -> None:
    """Put a checkpoint's weights and optimiser into a loop; nothing where none was trained yet.

    Raises:
        CheckpointError: they do not fit.
    """
    if not state.model:
        return
    try:
        load_tensors(loop.model, state.model)
        loop.optimizer.load_state_dict(state.optimizer)
        if loop.ema is not None and state.ema is not None:
            load_tensors(loop.ema.module, state.ema)
    except (RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise CheckpointError(
            f"{checkpoint}: damaged: its weights do not fit {loop.config.model}; train anew"
        ) from error


def snapshot(loop: TrainingLoop, state: TrainingState) -> None:
    """Take the loop's tensors into ``state`` by reference; they are written before they change."""
    state.model = loop.model.state_dict()
    state.ema = loop.ema.module.state_dict() if loop.ema is not None else None
    state.optimizer = loop.optimizer.state_dict()


def _record(loop: TrainingLoop, state: TrainingState, row: HistoryRow) -> None:
    state.epoch = row.epoch
    state.history.append(asdict(row))
    score = {
        "balanced_accuracy": row.validation_balanced_accuracy,
        "accuracy": row.validation_accuracy,
        "last": None,
    }[loop.config.selection]
    # Without a validation figure the last epoch counts as the best.
    if score is None or score >= state.best_score:
        state.best = loop.inference_state()
        state.best_epoch = row.epoch
        state.best_score = float("-inf") if score is None else score
    snapshot(loop, state)
    _LOG.info("epoch %d: best epoch so far %d", row.epoch, state.best_epoch)


@contextmanager
def deterministic() -> Iterator[None]:
    """Deterministic kernels while training; the settings are given back afterwards."""
    before = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    # cuBLAS asks for this; it must be set before its first call.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # warn_only: CUDA has no deterministic bilinear resize, which odd feature maps need. On a CPU
    # everything used here is deterministic.
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Torch would then write NaN into all memory that an operator is about to fill: up to a sixth of
    # a training step, and no bit of the result, as nothing here reads memory that it did not write.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
        torch.use_deterministic_algorithms(before, warn_only=warned)
