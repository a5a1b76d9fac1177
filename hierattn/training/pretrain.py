"""Pretraining without labels: a network learns to predict a teacher's features."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save

from hierattn.common.files import file_sha256, write_bytes
from hierattn.data.joined.read import read_unlabelled
from hierattn.data.split_file import write_split_rows, write_splits
from hierattn.data.splits import Split
from hierattn.errors import CheckpointError, ConfigError
from hierattn.metrics.figures import draw_curves
from hierattn.models.pretrained.initialise import classifier_prefix
from hierattn.models.pretrained.wrappers import describe_prefixes
from hierattn.models.registry import check_image_size, create_model, find_model
from hierattn.outputs import check_output
from hierattn.run_files import CHECKPOINT, SEEN, SPLITS, WEIGHTS
from hierattn.runs import FeatureRunConfig, tool_versions
from hierattn.training.data import PreparedData, prepare_folder
from hierattn.training.distributed import ProcessGroup, process_group
from hierattn.training.epochs import deterministic, restore, run_epochs, snapshot
from hierattn.training.leaks import learnt_rows
from hierattn.training.loop import TrainingLoop
from hierattn.training.memory import keep_freed_memory
from hierattn.training.objective import TrainingPhotos
from hierattn.training.progress import SilentObserver, TrainingObserver, report_folder
from hierattn.training.recipe.config import TrainingConfig
from hierattn.training.run.checkpoint import TrainingState, save_state
from hierattn.training.run.first_state import new_network
from hierattn.training.run.run_folder import (
    lock_run,
    open_run_folder,
    write_config,
    write_started,
)
from hierattn.training.teaching.features import (
    FeatureDistillation,
    FeaturePredictor,
    feature_channels,
)
from hierattn.training.teaching.teachers import Teacher, load_teacher

_LOG = logging.getLogger(__name__)
_NETWORK = "network."
"""Where a :class:`FeaturePredictor` keeps the network among its heads."""
_CLASSES = 8
"""Of a classifier that nothing is asked of, and that is not kept."""


@dataclass(frozen=True)
class PretrainingRequest:
    """What learns from whom, on which photos, into which folder.

    Attributes:
        config: the recipe; ``features`` is the one to start from.
        data: data folders; their classes are not looked at.
        teacher: a run folder, a shipped checkpoint's name or a weight file.
        out: the run folder.
        resume: go on with the run in ``out``.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    config: TrainingConfig
    data: tuple[Path, ...]
    teacher: str
    out: Path
    resume: bool = False
    device: str = "auto"


@dataclass(frozen=True)
class PretrainingOutcome:
    """A finished pretraining; losses are of the last epoch, 1 for a network that knows nothing."""

    out: Path
    epochs: int
    loss: float
    validation_loss: float | None
    is_main: bool


def pretrain(
    request: PretrainingRequest, observer: TrainingObserver | None = None
) -> PretrainingOutcome:
    """Run a pretraining to its end, or raise with ``last.ckpt`` as it was after the last epoch.

    Raises:
        HierAttnError: bad data, teacher, configuration or checkpoint, or a full disk.
        KeyboardInterrupt: Ctrl-C or SIGTERM; it can be resumed.
    """
    keep_freed_memory()
    check_output(request.out, *request.data)
    with process_group(request.device) as group, deterministic(), lock_run(request.out, group):
        watch = observer if observer is not None and group.is_main else SilentObserver()
        return _pretrain(request, group, watch)


def _pretrain(
    request: PretrainingRequest, group: ProcessGroup, observer: TrainingObserver
) -> PretrainingOutcome:
    config, out = request.config, request.out
    find_model(config.model)
    check_image_size(config.model, config.start_image_size or config.image_size)
    if config.batch_size % group.size:
        raise ConfigError(
            f"batch size {config.batch_size} cannot be shared by {group.size} processes evenly"
        )
    saved = open_run_folder(out, request.resume)
    group.agree("the epoch to go on from", None if saved is None else saved.epoch)
    teacher = load_teacher(request.teacher)
    observer.status(
        f"taught by {teacher.source} ({teacher.record.model}){describe_prefixes(teacher.unwrapped)}"
    )
    teacher.network.to(group.device)
    folder = read_unlabelled(request.data)
    report_folder(folder, observer)
    data = prepare_folder(
        folder,
        config,
        splits_file=out / SPLITS if saved is not None else None,
        decoded=observer.decoded,
    )
    group.agree("the photos", data.provenance.sha256)
    state = saved or TrainingState.before_training(
        config,
        data.provenance,
        request.data,
        group,
        initialisation={"teacher": teacher.record.model_dump(mode="json")},
    )
    _check_same(state, config, data, teacher, group, out / CHECKPOINT)
    predictor = FeaturePredictor(
        new_network(config, data, _CLASSES),
        config.model,
        feature_channels(teacher.network, teacher.record.model, config.feature_maps),
    )
    loop = TrainingLoop(
        config,
        group,
        predictor,
        len(data.folder.classes),
        TrainingPhotos(data.pixels, data.labels),
        data.indices(Split.TRAIN),
        data.indices(Split.VALIDATION),
        bf16=state.bf16,
        objective=FeatureDistillation(
            teacher.network, teacher.record.model, config.image_size, config.feature_maps
        ),
    )
    restore(loop, state, out / CHECKPOINT)
    if group.is_main and saved is None:
        write_splits(out / SPLITS, data.folder, data.splits)
        write_started(out, config, data.provenance.name)
        if teacher.config is not None:
            write_split_rows(out / SEEN, learnt_rows(teacher.path))
        snapshot(loop, state)
        save_state(out / CHECKPOINT, state)
    run_epochs(loop, state, out, observer)
    if group.is_main:
        _write_outcome(out, config, data, state, teacher, group)
    group.wait()
    last = state.history[-1]
    return PretrainingOutcome(
        out, state.epoch, last["train_loss"], last["validation_loss"], group.is_main
    )


def _check_same(
    state: TrainingState,
    config: TrainingConfig,
    data: PreparedData,
    teacher: Teacher,
    group: ProcessGroup,
    checkpoint: Path,
) -> None:
    """Refuse to go on with another recipe, other photos, another teacher or more processes."""
    given = config.model_dump()
    # A field that an older run does not have had its default.
    started = TrainingConfig.model_construct().model_dump() | state.config
    other = [name for name, value in started.items() if given.get(name) != value]
    if state.data_sha256 != data.provenance.sha256:
        other.append("photos (--data)")
    if state.initialisation is None or (
        state.initialisation["teacher"]["weights_sha256"] != teacher.record.weights_sha256
    ):
        other.append("teacher")
    if state.processes != group.size:
        other.append("number of processes")
    if other:
        raise CheckpointError(
            f"{checkpoint}: the run began otherwise: {', '.join(other)}; resume with the "
            "same arguments, or pretrain into another --out"
        )


def _write_outcome(
    out: Path,
    config: TrainingConfig,
    data: PreparedData,
    state: TrainingState,
    teacher: Teacher,
    group: ProcessGroup,
) -> None:
    """Write the network without its heads and its unused classifier; ``config.json`` last."""
    prefix = classifier_prefix(create_model(config.model))
    weights = {
        name.removeprefix(_NETWORK): value.contiguous()
        for name, value in state.best.items()
        if name.startswith(_NETWORK) and not name.startswith(_NETWORK + prefix)
    }
    write_bytes(out / WEIGHTS, save(weights))
    draw_curves(state.history, out / "curves.png")
    record = FeatureRunConfig(
        model=config.model,
        image_size=config.image_size,
        data=data.provenance,
        teacher=teacher.record,
        training=config,
        processes=group.size,
        weights_sha256=file_sha256(out / WEIGHTS),
        tools=tool_versions(),
    )
    write_config(out, record)
