"""The teachers of one run: loaded, found again on resume, and recorded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hierattn.data.splits import Split
from hierattn.errors import CheckpointError
from hierattn.training.data import PreparedData
from hierattn.training.distributed import ProcessGroup
from hierattn.training.leaks import EarlierTraining
from hierattn.training.progress import TrainingObserver
from hierattn.training.recipe.config import TrainingConfig
from hierattn.training.recipe.sampler import class_shares
from hierattn.training.run.checkpoint import TrainingState
from hierattn.training.teaching.answers import Distillation
from hierattn.training.teaching.teachers import Teacher, load_answering_teachers, prior_power


def load_run_teachers(
    asked_for: Sequence[str],
    saved: TrainingState | None,
    checkpoint: Path,
    classes: Sequence[str],
    config: TrainingConfig,
) -> list[Teacher]:
    """The teachers asked for, or those that the run began with.

    Raises:
        CheckpointError: others than the run began with, or they changed.
        HierAttnError: see :func:`load_answering_teachers`.
    """
    began = [] if saved is None else saved.teachers
    sources = asked_for or tuple(teacher["path"] for teacher in began)
    teachers = load_answering_teachers(sources, classes, config)
    if saved is not None:
        hashes = [teacher["record"]["weights_sha256"] for teacher in began]
        if [teacher.record.weights_sha256 for teacher in teachers] != hashes:
            names = ", ".join(teacher["record"]["name"] for teacher in began) or "no teacher"
            raise CheckpointError(
                f"{checkpoint}: the run was started with {names} as its teachers; "
                "resume with the same weights in the same order, or train into another --out"
            )
    return teachers


def teacher_records(
    teachers: Sequence[Teacher], taught: Sequence[EarlierTraining]
) -> list[dict[str, Any]]:
    """What a checkpoint keeps of each teacher: its ``path``, and its ``record`` with leaks."""
    described = []
    for teacher, one in zip(teachers, taught, strict=True):
        record = teacher.record.model_copy(update={"seen": one.leaked})
        path = os.path.realpath(teacher.path)
        described.append({"path": path, "record": record.model_dump(mode="json")})
    return described


def announce_teachers(
    teachers: Sequence[Teacher], config: TrainingConfig, observer: TrainingObserver
) -> None:
    """Name the teachers, and warn where their answers carry other class counts."""
    for teacher in teachers:
        observer.status(f"taught by {teacher.source} ({teacher.record.model})")
        if teacher.config is not None and (
            prior_power(teacher.config.training) != prior_power(config)
        ):
            observer.status(
                f"{teacher.source} learnt with another sampling_power and logit_adjustment: its "
                "answers favour other classes than this run's labels do"
            )


def make_distillation(
    config: TrainingConfig, group: ProcessGroup, data: PreparedData, teachers: Sequence[Teacher]
) -> Distillation | None:
    """The objective that asks the teachers, or None where there are none."""
    if not teachers:
        return None
    classes = len(data.folder.classes)
    counts = np.bincount(data.labels[data.indices(Split.TRAIN)], minlength=classes)
    shares = class_shares(counts, config.sampling_power)
    return Distillation(config, group, classes, shares, [one.network for one in teachers])
