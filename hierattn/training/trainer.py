"""A training run from request to run folder: start or resume, epochs, checkpoints, outcome."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch
from torch import nn

from hierattn.data.splits import Split, write_splits
from hierattn.errors import CheckpointError, ConfigError
from hierattn.metrics.calibration import OperatingPoint
from hierattn.metrics.report import EvaluationReport
from hierattn.models.registry import check_image_size, create_model, find_model
from hierattn.models.weights import initialise
from hierattn.runs import CONFIG, describe_initialisation
from hierattn.training.checkpoint import (
    HistoryRow,
    TrainingState,
    history_row,
    load_state,
    save_state,
)
from hierattn.training.config import TrainingConfig
from hierattn.training.distributed import ProcessGroup, process_group
from hierattn.training.loop import TrainingLoop
from hierattn.training.memory import keep_freed_memory
from hierattn.training.outcome import write_history, write_outcome
from hierattn.training.preparation import PreparedData, prepare_data
from hierattn.training.progress import SilentObserver, TrainingObserver

CHECKPOINT = "last.ckpt"


@dataclass(frozen=True)
class TrainingRequest:
    """What to train, from what, into which folder.

    Attributes:
        config: the recipe; None only with ``resume``, to take the run's own.
        data: the data folder; None only with ``resume``.
        out: the run folder.
        init: weights to start from.
        resume: go on with the run in ``out``.
        skip_unreadable: leave unreadable photos out.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        calibration: operating point for a run without a validation part.
    """

    config: TrainingConfig | None
    data: Path | None
    out: Path
    init: Path | None = None
    resume: bool = False
    skip_unreadable: bool = False
    device: str = "auto"
    calibration: OperatingPoint | None = None


@dataclass(frozen=True)
class TrainingOutcome:
    """A finished run: its folder, epochs, and the report on its held-out photos (None without)."""

    out: Path
    epochs: int
    best_epoch: int
    report: EvaluationReport | None
    skipped: tuple[str, ...]


def train(request: TrainingRequest, observer: TrainingObserver | None = None) -> TrainingOutcome:
    """Run a training to its end, or raise with ``last.ckpt`` as it was after the last epoch.

    Raises:
        HierAttnError: bad data, configuration or checkpoint, a full disk, a loss that is not
            finite.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the run can be resumed.
    """
    keep_freed_memory()
    with process_group(request.device) as group, _deterministic(), _terminate_as_interrupt():
        watch = observer if observer is not None and group.is_main else SilentObserver()
        return _train(request, group, watch)


def _train(
    request: TrainingRequest, group: ProcessGroup, observer: TrainingObserver
) -> TrainingOutcome:
    saved = _saved_state(request)
    config, root = _config_and_data(request, saved)
    if config.batch_size % group.size:
        raise ConfigError(
            f"batch size {config.batch_size} cannot be shared by {group.size} processes evenly"
        )
    find_model(config.model)
    check_image_size(config.model, config.start_image_size or config.image_size)
    observer.status(f"reading {root}")
    data = prepare_data(
        root, config, skip_unreadable=request.skip_unreadable, decoded=observer.decoded
    )
    if saved is not None and saved.data_sha256 != data.provenance.sha256:
        raise CheckpointError(
            f"{request.out / CHECKPOINT}: the photos in {root} are not those the run began with"
        )
    model = _new_model(config, len(data.folder.classes))
    state = saved or _first_state(request, config, data, model, observer)
    loop = TrainingLoop(
        config,
        group,
        model,
        len(data.folder.classes),
        data.part(Split.TRAIN),
        data.part(Split.VALIDATION),
        frozenset(state.frozen),
    )
    _restore(loop, state)
    if group.is_main and saved is None:
        write_splits(request.out / "splits.csv", data.folder, data.splits)
        _snapshot(loop, state)
        save_state(request.out / CHECKPOINT, state)
    observer.started(state.epoch, config.epochs, loop.steps)
    for epoch in range(state.epoch, config.epochs):
        row = loop.run_epoch(epoch, observer.stepped)
        _record(loop, state, row)
        if group.is_main:
            save_state(request.out / CHECKPOINT, state)
            write_history(request.out / "history.csv", state.history)
        observer.finished_epoch(row)
    report = None
    if group.is_main:
        observer.status("evaluating the best epoch")
        report = write_outcome(request.out, config, data, state, model, group, request.calibration)
    group.wait()
    return TrainingOutcome(request.out, state.epoch, state.best_epoch, report, data.skipped)


def _saved_state(request: TrainingRequest) -> TrainingState | None:
    checkpoint = request.out / CHECKPOINT
    if request.out.exists() and not request.out.is_dir():
        raise ConfigError(f"{request.out} is a file; give --out a folder")
    if not request.resume:
        if checkpoint.exists() or (request.out / CONFIG).exists():
            raise ConfigError(
                f"{request.out} already holds a run; go on with --resume or give another --out"
            )
        return None
    if checkpoint.exists():
        return load_state(checkpoint)
    if request.config is None or request.data is None:
        raise CheckpointError(
            f"{checkpoint}: no checkpoint to resume from; start with --data and --model"
        )
    # Killed before its first checkpoint: nothing was learnt, so it begins anew.
    return None


def _config_and_data(
    request: TrainingRequest, saved: TrainingState | None
) -> tuple[TrainingConfig, Path]:
    if saved is None:
        if request.config is None or request.data is None:
            raise ConfigError("a new run needs --data and --model")
        return request.config, request.data
    config = TrainingConfig(**saved.config)
    if request.config is not None and request.config != config:
        given = request.config.model_dump()
        names = [name for name, value in saved.config.items() if given[name] != value]
        raise CheckpointError(
            f"{request.out / CHECKPOINT}: the run was started with another {', '.join(names)}; "
            "resume without these flags, or train into another --out"
        )
    return config, request.data or Path(saved.data)


def _new_model(config: TrainingConfig, classes: int) -> nn.Module:
    torch.manual_seed(config.seed)
    return create_model(config.model, classes)


def _first_state(
    request: TrainingRequest,
    config: TrainingConfig,
    data: PreparedData,
    model: nn.Module,
    observer: TrainingObserver,
) -> TrainingState:
    initialisation, frozen = None, []
    if request.init is not None:
        report = initialise(model, config.model, request.init)
        initialisation = describe_initialisation(report, request.init)
        frozen = sorted(report.transferred_parameters) if config.freeze_epochs else []
        observer.status(
            f"from {request.init} ({report.source_kind}): {len(report.taken)} tensors taken, "
            f"{len(report.untouched)} start at random"
        )
    return TrainingState(
        config=config.model_dump(),
        data=str(data.folder.root.resolve()),
        data_sha256=data.provenance.sha256,
        initialisation=initialisation,
        frozen=frozen,
        epoch=0,
        model={},
        ema=None,
        optimizer={},
        best={},
        best_epoch=0,
        best_score=float("-inf"),
        history=[],
    )


def _restore(loop: TrainingLoop, state: TrainingState) -> None:
    if not state.model:
        return
    loop.model.load_state_dict(state.model)
    loop.optimizer.load_state_dict(state.optimizer)
    if loop.ema is not None and state.ema is not None:
        loop.ema.load_state_dict(state.ema)


def _snapshot(loop: TrainingLoop, state: TrainingState) -> None:
    """Take the loop's tensors into ``state`` by reference; they are written before they change."""
    state.model = loop.model.state_dict()
    state.ema = loop.ema.state_dict() if loop.ema is not None else None
    state.optimizer = loop.optimizer.state_dict()


def _record(loop: TrainingLoop, state: TrainingState, row: HistoryRow) -> None:
    state.epoch = row.epoch
    state.history.append(history_row(row))
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
    _snapshot(loop, state)


@contextmanager
def _deterministic() -> Iterator[None]:
    """Deterministic kernels while training; the setting is given back afterwards."""
    before = torch.are_deterministic_algorithms_enabled()
    # warn_only: CUDA has no deterministic bilinear resize, which odd feature maps need.
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C, in the main thread only."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
