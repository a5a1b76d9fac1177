"""The run folder at the start of a training: locking, and the checks of ``--resume``."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from pydantic import BaseModel

from hierattn.common.files import write_json
from hierattn.common.locks import locked_folder
from hierattn.errors import CheckpointError, ConfigError
from hierattn.run_files import CHECKPOINT, CONFIG, SEEN, SPLITS, STARTED
from hierattn.training.distributed import ProcessGroup
from hierattn.training.recipe.config import TrainingConfig, parse_config
from hierattn.training.run.checkpoint import TrainingState, load_state, roots_of
from hierattn.training.run.request import TrainingRequest


def saved_state(request: TrainingRequest) -> TrainingState | None:
    """Make sure that a run may be written, and read the state it goes on from; None for a new one.

    Raises:
        HierAttnError: see :func:`open_run_folder`; nothing to resume.
    """
    saved = open_run_folder(request.out, request.resume)
    if request.resume and saved is None and (request.config is None or not request.roots):
        raise CheckpointError(
            f"{request.out / CHECKPOINT}: no checkpoint to resume from; start with --data and "
            "--model"
        )
    return saved


def lock_run(out: Path, group: ProcessGroup) -> AbstractContextManager[None]:
    """The lock on a run folder, held by the process of a group that writes it."""
    return locked_folder(out) if group.is_main else nullcontext()


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


def write_started(out: Path, config: TrainingConfig, data: str) -> None:
    """Note what a new run learns and from which photos, for ``hierattn runs``."""
    write_json(out / STARTED, {"model": config.model, "data": data, "epochs": config.epochs})


def write_config(out: Path, record: BaseModel) -> None:
    """Write ``config.json``, after everything else: with it a run is finished."""
    write_json(out / CONFIG, record.model_dump(mode="json"))
    (out / STARTED).unlink(missing_ok=True)


def _strangers(out: Path) -> list[str]:
    """Names in a folder that a run killed before its first checkpoint does not leave."""
    names = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
    return [
        name for name in names if name not in (SPLITS, SEEN, STARTED) and not name.startswith(".")
    ]


def config_and_data(
    request: TrainingRequest, saved: TrainingState | None
) -> tuple[TrainingConfig, tuple[Path, ...]]:
    """The recipe and the data folders: those asked for, or those of the run that goes on.

    Raises:
        ConfigError: a new run without either.
        CheckpointError: another recipe or ``init`` than the run began with, or its photos are gone.
    """
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
                f"{request.out / CHECKPOINT}: the run began otherwise: "
                f"{', '.join(names)}; resume without these flags, or train into another --out"
            )
    if request.init is not None and (
        saved.initialisation is None or saved.initialisation["file"] != request.init.name
    ):
        raise CheckpointError(
            f"{request.out / CHECKPOINT}: the run was not started from {request.init}; resume "
            "without --init, or train into another --out"
        )
    roots = request.roots or roots_of(saved)
    gone = [root for root in roots if not root.is_dir()]
    if gone and not request.roots:
        raise CheckpointError(
            f"{gone[0]}: the photos that the run began with are no longer there; say where they "
            "are with --data"
        )
    return config, roots
