"""``last.ckpt``: all that a run needs to go on, written whole after every epoch."""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hierattn.errors import CheckpointError
from hierattn.files import atomic_path

SCHEMA = 1


@dataclass(frozen=True)
class HistoryRow:
    """One epoch in ``history.csv``; validation fields are None without a validation part."""

    epoch: int
    learning_rate: float
    image_size: int
    train_loss: float
    validation_loss: float | None
    validation_accuracy: float | None
    validation_balanced_accuracy: float | None
    images_per_second: float
    seconds: float


@dataclass
class TrainingState:
    """The state after ``epoch`` finished epochs.

    Attributes:
        config: the :class:`TrainingConfig`'s fields.
        data: the data folder as it was given.
        data_sha256: fingerprint of the photos and labels the run began with.
        initialisation: what ``--init`` took, or None.
        frozen: names of the parameters that wait for ``freeze_epochs``.
        model: parameters and buffers of the model being trained.
        ema: state of the averaged model, or None.
        optimizer: AdamW's state.
        best: weights of the best epoch so far.
        best_epoch: counted from 1; 0 before the first.
        best_score: the validation figure it was chosen by.
        history: one :class:`HistoryRow`'s fields per epoch.
    """

    config: dict[str, Any]
    data: str
    data_sha256: str
    initialisation: dict[str, Any] | None
    frozen: list[str]
    epoch: int
    model: dict[str, Tensor]
    ema: dict[str, Tensor] | None
    optimizer: dict[str, Any]
    best: dict[str, Tensor]
    best_epoch: int
    best_score: float
    history: list[dict[str, Any]]


def save_state(path: Path, state: TrainingState) -> None:
    """Write ``state`` atomically: a kill leaves the last epoch's file or this one, whole.

    Raises:
        CheckpointError: the disk is full or the folder cannot be written.
    """
    content = {field.name: getattr(state, field.name) for field in fields(state)}
    with atomic_path(path) as temporary:
        try:
            torch.save({"schema": SCHEMA, **content}, temporary)
        except RuntimeError as error:
            # torch's zip writer reports a full disk so, not as an OSError.
            raise CheckpointError(
                f"cannot write {path}: {str(error).splitlines()[0]} (is the disk full?)"
            ) from error


def load_state(path: Path) -> TrainingState:
    """Read a checkpoint without running any code in it.

    Raises:
        CheckpointError: missing, damaged, or not a checkpoint of this tool.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no checkpoint to resume from") from error
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path}: damaged, or not a training checkpoint") from error
    names = {field.name for field in fields(TrainingState)}
    if not isinstance(content, dict) or content.pop("schema", None) != SCHEMA:
        raise CheckpointError(f"{path}: not a training checkpoint of schema {SCHEMA}")
    if set(content) != names:
        raise CheckpointError(f"{path}: fields differ from schema {SCHEMA}")
    return TrainingState(**content)


def history_row(row: HistoryRow) -> dict[str, Any]:
    """The row as plain values, as ``history.csv`` and the checkpoint hold it."""
    return asdict(row)
