"""``last.ckpt``: the state to resume a run from, written atomically after every epoch."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hierattn.common.files import atomic_path, regular_file
from hierattn.data.provenance import DataProvenance
from hierattn.errors import CheckpointError
from hierattn.models.pretrained.archives import archive_fault
from hierattn.models.pretrained.weights import DAMAGE
from hierattn.training.distributed import ProcessGroup, bf16_pays
from hierattn.training.recipe.config import TrainingConfig

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
        data: the data folders, see :func:`stored_roots`.
        data_sha256: fingerprint of the photos and labels the run began with.
        skip_unreadable: whether unreadable photos were left out.
        calibration: the pooled folds' operating point and report to ship with, or None.
        processes: how many trained; others would give other weights.
        bf16: whether autocast was on; ``auto`` is decided once.
        initialisation: what ``--init`` took, or None.
        frozen: names of the parameters that wait for ``freeze_epochs``.
        model: parameters and buffers of the model being trained.
        ema: state of the averaged model, or None.
        optimizer: AdamW's state.
        best: weights of the best epoch so far.
        best_epoch: counted from 1; 0 before the first.
        best_score: the validation figure it was chosen by.
        history: one :class:`HistoryRow`'s fields per epoch.
        teachers: of each its ``path`` and the fields of its ``record``.
    """

    config: dict[str, Any]
    data: str
    data_sha256: str
    skip_unreadable: bool
    calibration: dict[str, Any] | None
    processes: int
    bf16: bool
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
    teachers: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def before_training(
        cls,
        config: TrainingConfig,
        data: DataProvenance,
        roots: Sequence[Path],
        group: ProcessGroup,
        *,
        initialisation: dict[str, Any] | None,
        frozen: Sequence[str] = (),
        skip_unreadable: bool = False,
        calibration: dict[str, Any] | None = None,
        teachers: Sequence[dict[str, Any]] = (),
    ) -> TrainingState:
        """The state of a run that has not begun: no epoch, and no tensors yet."""
        automatic = config.precision == "auto" and bf16_pays(group.device)
        return cls(
            config=config.model_dump(),
            data=stored_roots(roots),
            data_sha256=data.sha256,
            skip_unreadable=skip_unreadable,
            calibration=calibration,
            processes=group.size,
            bf16=config.precision == "bf16" or automatic,
            initialisation=initialisation,
            frozen=list(frozen),
            epoch=0,
            model={},
            ema=None,
            optimizer={},
            best={},
            best_epoch=0,
            best_score=float("-inf"),
            history=[],
            teachers=list(teachers),
        )


def stored_roots(roots: Sequence[Path]) -> str:
    """Paths of data folders as one text; no path holds a NUL."""
    return "\0".join(os.path.realpath(root) for root in roots)


def roots_of(state: TrainingState) -> tuple[Path, ...]:
    """The data folders of a state."""
    return tuple(map(Path, state.data.split("\0")))


def save_state(path: Path, state: TrainingState) -> None:
    """Write ``state`` atomically: a kill leaves the last epoch's file or this one, whole.

    Raises:
        HierAttnError: the disk is full or the folder cannot be written.
    """
    content = {field.name: getattr(state, field.name) for field in fields(state)}
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        try:
            torch.save({"schema": SCHEMA, **content}, file)
        except RuntimeError as error:
            # torch's zip writer hides what the file said, such as that the disk is full.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from error
            raise


def load_state(path: Path) -> TrainingState:
    """Read a checkpoint without running any code in it.

    Raises:
        CheckpointError: missing, not to be read, damaged by its checksums or otherwise, or not a
            checkpoint of this tool.
    """
    try:
        whole = io.BytesIO(regular_file(path).read_bytes())
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no checkpoint to resume from") from error
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror or error})") from error
    fault = archive_fault(whole)
    if fault is not None:
        raise CheckpointError(f"{path}: damaged ({fault}); train anew")
    whole.seek(0)
    try:
        content = torch.load(whole, map_location="cpu", weights_only=True)
    except (*DAMAGE, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path}: damaged, or not a training checkpoint") from error
    names = {field.name for field in fields(TrainingState)}
    if not isinstance(content, dict) or content.pop("schema", None) != SCHEMA:
        raise CheckpointError(f"{path}: not a training checkpoint of schema {SCHEMA}")
    # Runs that began before there were teachers have none.
    content.setdefault("teachers", [])
    if set(content) != names:
        raise CheckpointError(f"{path}: fields differ from schema {SCHEMA}")
    state = TrainingState(**content)
    kinds = {
        "config": dict, "data": str, "data_sha256": str, "frozen": list, "epoch": int,
        "model": dict, "optimizer": dict, "best": dict, "history": list, "processes": int,
        "teachers": list,
    }  # fmt: skip
    for name, kind in kinds.items():
        if not isinstance(getattr(state, name), kind):
            raise CheckpointError(f"{path}: damaged: field '{name}' is not a {kind.__name__}")
    if state.epoch != len(state.history) or (state.epoch > 0) != bool(state.best):
        raise CheckpointError(f"{path}: damaged: its history does not fit its {state.epoch} epochs")
    return state
