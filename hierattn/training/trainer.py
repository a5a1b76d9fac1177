"""A training run from request to run folder: start or resume, epochs, checkpoints, results."""

from __future__ import annotations

import logging
from dataclasses import replace

from hierattn.data.joined.class_table import ClassTable
from hierattn.data.joined.read import read_labelled
from hierattn.data.split_file import SplitRow, write_split_rows, write_splits
from hierattn.data.splits import Split
from hierattn.errors import CheckpointError, ConfigError
from hierattn.metrics.report import EvaluationReport
from hierattn.metrics.target_classes import describe_targets, resolve_targets
from hierattn.models.pretrained.initialise import initialise
from hierattn.models.registry import check_image_size, create_model, find_model
from hierattn.outputs import check_output, given_path
from hierattn.run_files import CHECKPOINT, SEEN, SPLITS
from hierattn.runs import weights_path
from hierattn.training.data import prepare_folder
from hierattn.training.distributed import ProcessGroup, process_group
from hierattn.training.epochs import deterministic, restore, run_epochs, snapshot
from hierattn.training.leaks import check_init, check_teacher
from hierattn.training.loop import TrainingLoop
from hierattn.training.memory import keep_freed_memory
from hierattn.training.objective import TrainingPhotos
from hierattn.training.progress import SilentObserver, TrainingObserver, report_folder
from hierattn.training.run.checkpoint import (
    save_state,
)
from hierattn.training.run.first_state import check_calibration, first_state, new_network
from hierattn.training.run.request import TrainingOutcome, TrainingRequest
from hierattn.training.run.results import write_outcome
from hierattn.training.run.run_folder import (
    config_and_data,
    lock_run,
    saved_state,
    write_started,
)
from hierattn.training.teaching.run_teachers import (
    announce_teachers,
    load_run_teachers,
    make_distillation,
    teacher_records,
)

_LOG = logging.getLogger(__name__)


def train(request: TrainingRequest, observer: TrainingObserver | None = None) -> TrainingOutcome:
    """Run a training to its end, or raise with ``last.ckpt`` as it was after the last epoch.

    Raises:
        HierAttnError: bad data, configuration or checkpoint, a full disk, a loss that is not
            finite.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the run can be resumed.
    """
    keep_freed_memory()
    if request.init is not None:
        request = replace(request, init=weights_path(request.init))
    check_output(request.out, *request.roots, request.init, *map(given_path, request.teachers))
    with process_group(request.device) as group, deterministic(), lock_run(request.out, group):
        watch = observer if observer is not None and group.is_main else SilentObserver()
        return _train(request, group, watch)


def _train(
    request: TrainingRequest, group: ProcessGroup, observer: TrainingObserver
) -> TrainingOutcome:
    saved = saved_state(request)
    config, roots = config_and_data(request, saved)
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
        # A name mistyped, a damaged file or another network's is told before photos are decoded.
        initialise(create_model(config.model), config.model, request.init)
    observer.status(f"reading {' and '.join(map(str, roots))}")
    everything = read_labelled(roots, ClassTable(config.class_map, config.synonyms))
    # Before the long work: whoever trains must know what the app will watch.
    observer.status(describe_targets(resolve_targets(config.target_classes, everything.classes)))
    if saved is None and request.calibration is not None:
        check_calibration(request.calibration, config, everything)
    teachers = load_run_teachers(
        request.teachers, saved, request.out / CHECKPOINT, everything.classes, config
    )
    data = prepare_folder(
        everything,
        config,
        splits_file=request.out / SPLITS if saved is not None else None,
        skip_unreadable=request.skip_unreadable if saved is None else saved.skip_unreadable,
        decoded=observer.decoded,
    )
    report_folder(data.folder, observer)
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
        records = teacher_records(teachers, taught)
        state = first_state(request, group, config, data, model, observer, earlier, records)
        announce_teachers(teachers, config, observer)
    else:
        state = saved
    loop = TrainingLoop(
        config,
        group,
        model,
        len(data.folder.classes),
        TrainingPhotos(data.pixels, data.labels),
        data.indices(Split.TRAIN),
        data.indices(Split.VALIDATION),
        frozen=frozenset(state.frozen),
        bf16=state.bf16,
        objective=make_distillation(config, group, data, teachers),
    )
    _LOG.info("bfloat16 autocast: %s, device: %s", state.bf16, group.device)
    restore(loop, state, request.out / CHECKPOINT)
    if group.is_main and saved is None:
        write_splits(request.out / SPLITS, data.folder, data.splits)
        write_started(request.out, config, data.provenance.name)
        if learnt:
            write_split_rows(request.out / SEEN, tuple(dict.fromkeys(learnt)))
        snapshot(loop, state)
        save_state(request.out / CHECKPOINT, state)
    run_epochs(loop, state, request.out, observer)
    reports: dict[str, EvaluationReport] = {}
    if group.is_main:
        observer.status("evaluating")
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
