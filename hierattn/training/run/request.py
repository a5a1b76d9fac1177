"""Request and outcome of a training run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hierattn.data.joined.read import as_roots
from hierattn.data.records import PassedOver
from hierattn.evaluation.pooling import PooledFolds
from hierattn.metrics.report import EvaluationReport
from hierattn.training.recipe.config import TrainingConfig


@dataclass(frozen=True)
class TrainingRequest:
    """What to train, from what, into which folder.

    Attributes:
        config: the recipe; None only with ``resume``, to take the run's own.
        data: the data folder, or several that are joined; None only with ``resume``.
        out: the run folder.
        init: weights to start from.
        resume: go on with the run in ``out``.
        skip_unreadable: leave unreadable photos out.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        calibration: the pooled folds of the same recipe, for a run on all photos.
        changed: with ``resume``, the fields of ``config`` that were really asked for and must be
            the run's own; None for all.
        allow_seen: go on though ``init`` or a teacher learnt from photos that judge this run.
        teachers: run folders and shipped checkpoints whose answers are learnt, too; none with
            ``resume`` for those the run began with.
    """

    config: TrainingConfig | None
    data: Path | Sequence[Path] | None
    out: Path
    init: Path | None = None
    resume: bool = False
    skip_unreadable: bool = False
    device: str = "auto"
    calibration: PooledFolds | None = None
    changed: frozenset[str] | None = None
    allow_seen: bool = False
    teachers: tuple[str, ...] = ()

    @property
    def roots(self) -> tuple[Path, ...]:
        """The data folders; none where the run's own are meant."""
        return as_roots(self.data or ())


@dataclass(frozen=True)
class TrainingOutcome:
    """A finished run.

    Attributes:
        reports: by what was judged: ``test``, ``validation`` or ``cross_validation``.
        skipped: a line for each unreadable photo left out.
        is_main: whether this is the process that wrote the folder.
        passed_over: what else lies in the data folder, and why it was not read.
        remarks: what was done to classes and photos where folders were joined or classes renamed.
    """

    out: Path
    epochs: int
    best_epoch: int
    reports: dict[str, EvaluationReport]
    skipped: tuple[str, ...]
    is_main: bool
    passed_over: tuple[PassedOver, ...] = ()
    remarks: tuple[str, ...] = ()
