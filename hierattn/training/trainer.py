"""A training run from request to run folder: start or resume, epochs, checkpoints, outcome."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from hierattn.data.joined.class_table import ClassTable
from hierattn.data.joined.read import as_roots, read_labelled
from hierattn.data.readers.listing import summarise
from hierattn.data.records import DataFolder, PassedOver
from hierattn.data.splits import Split, SplitRow, write_split_rows, write_splits
from hierattn.errors import CheckpointError, ConfigError
from hierattn.lineage import describe_initialisation
from hierattn.metrics.report import EvaluationReport
from hierattn.metrics.target_classes import NO_TARGET, describe_targets, resolve_targets
from hierattn.models.initialisation import start
from hierattn.models.pretrained.weights import initialise, read_state_dict
from hierattn.models.registry import check_image_size, create_model, find_model
from hierattn.outputs import check_output, given_path
from hierattn.pooling import PooledFolds
from hierattn.preprocessing import PreprocessSpec
from hierattn.runs import CHECKPOINT, CONFIG, SEEN, SPLITS
from hierattn.training.checkpoint import (
    TrainingState,
    load_state,
    save_state,
    stored_roots,
)
from hierattn.training.data import PreparedData, prepare_folder
from hierattn.training.distributed import ProcessGroup, process_group
from hierattn.training.epochs import deterministic, restore, run_epochs, snapshot
from hierattn.training.leaks import Earlier, check_init, check_teacher
from hierattn.training.loop import TrainingLoop, bf16_pays
from hierattn.training.memory import keep_freed_memory
from hierattn.training.objective import Photos
from hierattn.training.progress import SilentObserver, TrainingObserver
from hierattn.training.recipe.config import TrainingConfig, parse_config
from hierattn.training.recipe.sampler import class_shares
from hierattn.training.results import write_outcome
from hierattn.training.teaching.answers import Distillation
from hierattn.training.teaching.teachers import Teacher, load_answering_teachers, prior_power

_LOG = logging.getLogger(__name__)
_SAMPLE = 256
"""Training photos that the first convolution is whitened by."""


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


def train(request: TrainingRequest, observer: TrainingObserver | None = None) -> TrainingOutcome:
    """Run a training to its end, or raise with ``last.ckpt`` as it was after the last epoch.

    Raises:
        HierAttnError: bad data, configuration or checkpoint, a full disk, a loss that is not
            finite.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the run can be resumed.
    """
    keep_freed_memory()
    with process_group(request.device) as group, deterministic():
        watch = observer if observer is not None and group.is_main else SilentObserver()
        return _train(request, group, watch)


def _train(
    request: TrainingRequest, group: ProcessGroup, observer: TrainingObserver
) -> TrainingOutcome:
    saved = _saved_state(request)
    config, roots = _config_and_data(request, saved)
    if config.batch_size % group.size:
        raise ConfigError(
            f"batch size {config.batch_size} cannot be shared by {group.size} processes evenly"
        )
    group.agree("the epoch to go on from", None if saved is None else saved.epoch)
    if saved is not None and saved.processes != group.size:
        raise CheckpointError(
            f"{request.out / CHECKPOINT}: the run was started with {saved.processes} processes, "
            f"not {group.size}; another number would give other weights"
        )
    find_model(config.model)
    check_image_size(config.model, config.start_image_size or config.image_size)
    if saved is None and request.init is not None:
        # A name mistyped or a damaged file is told before all photos are decoded.
        read_state_dict(request.init)
    observer.status(f"reading {' and '.join(map(str, roots))}")
    everything = read_labelled(roots, ClassTable(config.class_map, config.synonyms))
    # Before the long work: whoever trains must know what the app will watch.
    observer.status(describe_targets(resolve_targets(config.target_classes, everything.classes)))
    teachers = _teachers(request, saved, everything.classes, config)
    data = prepare_folder(
        everything,
        config,
        splits_file=request.out / SPLITS if saved is not None else None,
        skip_unreadable=request.skip_unreadable if saved is None else saved.skip_unreadable,
        decoded=observer.decoded,
    )
    tell(data.folder, observer)
    group.agree("the photos", data.provenance.sha256)
    if saved is not None and saved.data_sha256 != data.provenance.sha256:
        raise CheckpointError(
            f"{request.out / CHECKPOINT}: the photos in {data.folder.place} are not "
            "those the run began with; name those with --data"
        )
    model = new_network(config, data, len(data.folder.classes))
    learnt: list[SplitRow] = []
    if saved is None:
        earlier = check_init(request.init, data, request.allow_seen) if request.init else None
        taught = [check_teacher(t.source, t.path, data, request.allow_seen) for t in teachers]
        learnt = [row for one in (earlier, *taught) if one is not None for row in one.rows]
        state = _first_state(request, group, config, data, model, observer, earlier)
        state.teachers = _described(teachers, taught)
        _announce(teachers, config, observer)
    else:
        state = saved
    loop = TrainingLoop(
        config,
        group,
        model,
        len(data.folder.classes),
        Photos(data.pixels, data.labels),
        data.indices(Split.TRAIN),
        data.indices(Split.VALIDATION),
        frozen=frozenset(state.frozen),
        bf16=state.bf16,
        objective=_distillation(config, group, data, teachers),
    )
    _LOG.info("bfloat16 autocast: %s, device: %s", state.bf16, group.device)
    restore(loop, state, request.out / CHECKPOINT)
    if group.is_main and saved is None:
        write_splits(request.out / SPLITS, data.folder, data.splits)
        if learnt:
            write_split_rows(request.out / SEEN, tuple(dict.fromkeys(learnt)))
        snapshot(loop, state)
        save_state(request.out / CHECKPOINT, state)
    run_epochs(loop, state, request.out, observer)
    reports: dict[str, EvaluationReport] = {}
    if group.is_main:
        observer.status("evaluating the best epoch")
        reports = write_outcome(request.out, config, data, state, model, group)
    group.wait()
    return TrainingOutcome(
        request.out,
        state.epoch,
        state.best_epoch,
        reports,
        data.skipped,
        group.is_main,
        data.folder.passed_over,
        data.folder.remarks,
    )


def _saved_state(request: TrainingRequest) -> TrainingState | None:
    check_output(request.out, *request.roots, request.init, *map(given_path, request.teachers))
    saved = open_run_folder(request.out, request.resume)
    if request.resume and saved is None and (request.config is None or not request.roots):
        raise CheckpointError(
            f"{request.out / CHECKPOINT}: no checkpoint to resume from; start with --data and "
            "--model"
        )
    return saved


def open_run_folder(out: Path, resume: bool) -> TrainingState | None:
    """Make sure that a run may be written into ``out``, and read what it left there.

    Returns:
        None for a new run, and for one that was killed before its first checkpoint: nothing was
        learnt, so it begins anew.

    Raises:
        ConfigError: a file, a folder with other things in it, or a run without ``resume``.
        CheckpointError: a damaged checkpoint.
    """
    checkpoint = out / CHECKPOINT
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; give --out a folder")
    if resume:
        for stale in out.glob(f".{checkpoint.stem}-*{checkpoint.suffix}"):
            # Left by a kill in mid-write.
            stale.unlink(missing_ok=True)
        if checkpoint.exists():
            return load_state(checkpoint)
    if checkpoint.exists() or (out / CONFIG).exists():
        raise ConfigError(f"{out} already holds a run; go on with --resume or give another --out")
    strangers = _strangers(out)
    if strangers:
        raise ConfigError(f"{out} is not empty (it holds {strangers[0]}); give --out a new folder")
    return None


def _strangers(out: Path) -> list[str]:
    """Names in a folder that a run killed before its first checkpoint does not leave."""
    names = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
    return [name for name in names if name not in (SPLITS, SEEN) and not name.startswith(".")]


def _config_and_data(
    request: TrainingRequest, saved: TrainingState | None
) -> tuple[TrainingConfig, tuple[Path, ...]]:
    if saved is None:
        if request.config is None or not request.roots:
            raise ConfigError("a new run needs --data and --model")
        return request.config, request.roots
    try:
        config = parse_config(saved.config)
    except ConfigError as error:
        raise CheckpointError(f"{request.out / CHECKPOINT}: {error}") from error
    if request.config is not None:
        if config.target_classes is None and request.config.target_classes is not None:
            # It touches no weight, so a run that named none may still do so.
            config = config.model_copy(update={"target_classes": request.config.target_classes})
            saved.config = config.model_dump()
        given = request.config.model_dump()
        names = [
            name
            for name, value in config.model_dump().items()
            if given.get(name) != value and (request.changed is None or name in request.changed)
        ]
        if names:
            raise CheckpointError(
                f"{request.out / CHECKPOINT}: the run was started with another "
                f"{', '.join(names)}; resume without these flags, or train into another --out"
            )
    if request.init is not None and (
        saved.initialisation is None or saved.initialisation["file"] != request.init.name
    ):
        raise CheckpointError(
            f"{request.out / CHECKPOINT}: the run was not started from {request.init}; resume "
            "without --init, or train into another --out"
        )
    roots = request.roots or tuple(map(Path, saved.data.split("\0")))
    gone = [root for root in roots if not root.is_dir()]
    if gone and not request.roots:
        raise CheckpointError(
            f"{gone[0]}: the photos that the run began with are no longer there; say where they "
            "are with --data"
        )
    return config, roots


def new_network(config: TrainingConfig, data: PreparedData, classes: int) -> nn.Module:
    """A network with its first weights: a function of the seed and of the training part alone.

    Raises:
        ConfigError: the network cannot start as ``config.initialisation`` says.
    """
    torch.manual_seed(config.seed)
    network = create_model(config.model, classes)
    if config.initialisation != "default":
        sample = data.training_sample(_SAMPLE, config.seed)
        images = PreprocessSpec(image_size=config.image_size).to_input(sample)
        start(network, config.initialisation, torch.from_numpy(images))
    return network


def _teachers(
    request: TrainingRequest,
    saved: TrainingState | None,
    classes: tuple[str, ...],
    config: TrainingConfig,
) -> list[Teacher]:
    """The teachers asked for, or those that the run began with.

    Raises:
        CheckpointError: others than the run began with, or they changed.
        HierAttnError: see :func:`load_answering_teachers`.
    """
    began = [] if saved is None else saved.teachers
    sources = request.teachers or tuple(teacher["path"] for teacher in began)
    teachers = load_answering_teachers(sources, classes, config)
    if saved is not None:
        hashes = [teacher["record"]["weights_sha256"] for teacher in began]
        if [teacher.record.weights_sha256 for teacher in teachers] != hashes:
            names = ", ".join(teacher["record"]["name"] for teacher in began) or "no teacher"
            raise CheckpointError(
                f"{request.out / CHECKPOINT}: the run was started with {names} as its teachers; "
                "resume with the same weights in the same order, or train into another --out"
            )
    return teachers


def _described(teachers: list[Teacher], taught: list[Earlier]) -> list[dict[str, Any]]:
    described = []
    for teacher, one in zip(teachers, taught, strict=True):
        record = teacher.record.model_copy(update={"seen": one.leaked})
        path = os.path.realpath(teacher.path)
        described.append({"path": path, "record": record.model_dump(mode="json")})
    return described


def _announce(teachers: list[Teacher], config: TrainingConfig, observer: TrainingObserver) -> None:
    for teacher in teachers:
        observer.status(f"taught by {teacher.source} ({teacher.record.model})")
        if teacher.config is not None and (
            prior_power(teacher.config.training) != prior_power(config)
        ):
            observer.status(
                f"{teacher.source} learnt with another sampling_power and logit_adjustment: its "
                "answers favour other classes than this run's labels do"
            )


def _distillation(
    config: TrainingConfig, group: ProcessGroup, data: PreparedData, teachers: list[Teacher]
) -> Distillation | None:
    if not teachers:
        return None
    classes = len(data.folder.classes)
    counts = np.bincount(data.labels[data.indices(Split.TRAIN)], minlength=classes)
    shares = class_shares(counts, config.sampling_power)
    return Distillation(config, group, classes, shares, [one.network for one in teachers])


def tell(folder: DataFolder, observer: TrainingObserver) -> None:
    """Say what was done to the photos and classes of a data folder, and what was passed over."""
    for line in folder.remarks:
        observer.status(line)
    for line in summarise(folder.passed_over):
        observer.status(f"passed over: {line}")


def _first_state(
    request: TrainingRequest,
    group: ProcessGroup,
    config: TrainingConfig,
    data: PreparedData,
    model: nn.Module,
    observer: TrainingObserver,
    earlier: Earlier | None,
) -> TrainingState:
    calibration = request.calibration
    if calibration is not None:
        if len(data.indices(Split.VALIDATION)):
            raise ConfigError(
                "the operating point is fitted on this run's own validation part; with "
                "--calibrate-from, set --validation-fraction 0"
            )
        if calibration.report.classes != list(data.folder.classes):
            raise ConfigError(
                f"--calibrate-from was made for classes {', '.join(calibration.report.classes)}, "
                f"the data has {', '.join(data.folder.classes)}"
            )
        pooled = calibration.operating_point.target_classes
        if pooled != resolve_targets(config.target_classes, data.folder.classes):
            raise ConfigError(
                f"--calibrate-from watches {' + '.join(pooled) or 'no class'}; give the same with "
                f"--target-class {' --target-class '.join(pooled) or NO_TARGET}"
            )
    initialisation, frozen = None, []
    if request.init is not None:
        report = initialise(model, config.model, request.init)
        initialisation = describe_initialisation(report, request.init)
        if earlier is not None:
            initialisation["seen"] = earlier.leaked
            if earlier.without_labels is not None:
                initialisation["seen_without_labels"] = earlier.without_labels
                shown = " and ".join(
                    f"{count} of {len(data.indices(Split(part)))} {part} photos"
                    for part, count in earlier.without_labels.items()
                )
                observer.status(f"{request.init} saw {shown} of this run, without their labels")
        frozen = sorted(report.transferred_parameters) if config.freeze_epochs else []
        observer.status(
            f"from {request.init} ({report.source_kind}): {len(report.taken)} tensors taken, "
            f"{len(report.untouched)} begin anew"
        )
    return TrainingState(
        config=config.model_dump(),
        data=stored_roots(data.folder.roots),
        data_sha256=data.provenance.sha256,
        skip_unreadable=request.skip_unreadable,
        calibration=calibration.model_dump(mode="json") if calibration is not None else None,
        processes=group.size,
        bf16=config.precision == "bf16" or (config.precision == "auto" and bf16_pays(group.device)),
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
