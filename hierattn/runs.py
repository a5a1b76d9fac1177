"""Reading of run folders: configuration, weights, splits and reports."""

from __future__ import annotations

import os
import platform
from collections import Counter
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hierattn.common.files import file_sha256, regular_file
from hierattn.common.json_text import parse_json
from hierattn.common.shell import quote
from hierattn.data.provenance import DataProvenance
from hierattn.data.split_file import SplitRow, read_split_rows
from hierattn.data.splits import Split
from hierattn.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    UnknownNameError,
    first_problem,
)
from hierattn.model_metadata import ModelMetadata
from hierattn.run_files import CHECKPOINT, CONFIG, METRICS, SEEN, SPLITS, WEIGHTS
from hierattn.shipped import SHIPPED, run_names
from hierattn.training.recipe.config import TrainingConfig

if TYPE_CHECKING:
    from torch import nn

INTENDED_USE = (
    "Research into the classification of skin-lesion photographs on mobile devices. "
    "Not a medical device: not for diagnosis, triage or reassurance of any person."
)


class TeacherRecord(BaseModel):
    """Which weights taught, and what they were made from.

    Attributes:
        name: of the run folder or weight file, without the path to it.
        model: of the registry.
        weights_sha256: of the weight file.
        data: the photos its run learnt from; None for a weight file, which does not say.
        earlier_data: what the runs before it and its own teachers learnt from.
        licences: of all these photos.
        seen: photos of the taught run's parts that it had learnt from; None where nobody looked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    model: str
    weights_sha256: str
    data: DataProvenance | None
    earlier_data: list[DataProvenance] = Field(default_factory=list)
    licences: list[str]
    seen: dict[str, int] | None = None


class RunConfig(ModelMetadata):
    """``config.json`` of a run folder; ``teachers`` are those of its answers, in order."""

    intended_use: str = INTENDED_USE
    data: DataProvenance
    initialisation: dict[str, Any] | None
    teachers: list[TeacherRecord] = Field(default_factory=list)
    training: TrainingConfig
    best_epoch: int
    seed: int
    processes: int
    device: str
    weights_sha256: str
    tools: dict[str, str]


class FeatureRunConfig(BaseModel):
    """``config.json`` of a pretraining: weights to start from, which classify nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    kind: Literal["features"] = "features"
    model: str
    image_size: int
    data: DataProvenance
    teacher: TeacherRecord
    training: TrainingConfig
    processes: int
    weights_sha256: str
    tools: dict[str, str]


@dataclass(frozen=True)
class Run:
    """A run folder that was read and found whole."""

    path: Path
    config: RunConfig

    def load_model(self) -> nn.Module:
        """The network with its weights, in evaluation mode, on the CPU.

        Raises:
            CheckpointError: the weights are missing, damaged, or not those of ``config.json``.
        """
        from hierattn.models.pretrained.weights import read_state_dict
        from hierattn.models.registry import create_model
        from hierattn.models.tensors import load_tensors

        weights = self.path / WEIGHTS
        state = read_state_dict(weights)
        if file_sha256(weights) != self.config.weights_sha256:
            raise CheckpointError(
                f"{weights}: its sha256 is not the one in {CONFIG}; the file was changed or "
                "belongs to another run"
            )
        model = create_model(self.config.model, len(self.config.classes))
        try:
            load_tensors(model, state)
        except RuntimeError as error:
            raise CheckpointError(
                f"{weights}: not the weights of {self.config.model} with "
                f"{len(self.config.classes)} classes, as {CONFIG} says"
            ) from error
        return model.eval()


def shipped_runs() -> list[str]:
    """Names of the checkpoints inside the package, ``<model>.<data set>``."""
    return run_names(SHIPPED)


def weights_path(name: Path) -> Path:
    """Where weights to start from lie: a shipped checkpoint's folder by its name, else ``name``."""
    return SHIPPED / name if str(name) in shipped_runs() else name


def load_run(name: str | Path) -> Run:
    """Read a run folder, or a shipped checkpoint by its name.

    Raises:
        UnknownNameError: neither a folder nor a shipped name.
        CheckpointError: a folder that is not a finished run.
    """
    path = weights_path(Path(name))
    if not path.exists():
        beside = path.parent.glob(f"*/{CONFIG}") if path.parent.is_dir() else ()
        known = [*shipped_runs(), *(str(config.parent) for config in beside)]
        raise UnknownNameError("run folder or shipped checkpoint", str(name), known)
    if not path.is_dir():
        raise CheckpointError(f"{path}: not a run folder (give the folder, not a file in it)")
    if not (path / CONFIG).is_file():
        unfinished = (path / CHECKPOINT).exists()
        raise CheckpointError(
            f"{path}: the training has not finished; go on with: hierattn train --resume "
            f"--out {quote(path)}"
            if unfinished
            else f"{path}: not a run folder, it has no {CONFIG}"
        )
    config = read_config(path / CONFIG)
    _check_class_order(path, config.classes)
    return Run(path, config)


def _check_class_order(run: Path, classes: list[str]) -> None:
    """Refuse names in another order than the run was judged with: answers would change places."""
    if not (run / METRICS).is_file():
        return
    try:
        reports = parse_json(regular_file(run / METRICS).read_text(encoding="utf-8"))
        judged = [list(report["classes"]) for report in reports.values()]
    except (OSError, ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{run / METRICS}: damaged, so that the order of the classes cannot be checked; copy "
            "it again, or remove it"
        ) from error
    for known in judged:
        if known != classes and sorted(known, key=str) == sorted(classes):
            raise CheckpointError(
                f"{run / CONFIG}: field 'classes': in another order than in {METRICS}, so that "
                f"answers would get each other's names; take the order of {METRICS}"
            )


def refuse_run_folder(out: Path) -> None:
    """Make sure that writing results into ``out`` replaces nothing of a run.

    Raises:
        ConfigError: ``out`` holds a run, or is a file.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; give a folder")
    if (out / CONFIG).exists() or (out / CHECKPOINT).exists():
        raise ConfigError(f"{out} holds a run, whose files would be replaced; give another folder")


def read_config(path: Path) -> RunConfig:
    """Read ``config.json``.

    Raises:
        CheckpointError: unreadable, not JSON, or a field that does not fit; it is named.
    """
    try:
        content = parse_json(regular_file(path).read_text(encoding="utf-8"))
        if isinstance(content, dict) and content.get("kind") == "features":
            raise CheckpointError(
                f"{path.parent}: a pretraining, which classifies nothing; start from it with "
                "'hierattn train --init'"
            )
        return RunConfig.model_validate(content)
    except ValidationError as error:
        raise CheckpointError(f"{path}: {first_problem(error)}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not a readable JSON file ({error})") from error


def seen_rows(run: Path) -> tuple[SplitRow, ...]:
    """The photos of a run's three parts, and those that came to it by others' weights.

    Raises:
        DataError: one of the tables is malformed, or a part of it is lost.
    """
    rows = _rows_if_there(run / SPLITS)
    expected = _photo_count(run)
    if rows and expected is not None and len(rows) < expected:
        raise DataError(
            f"{run / SPLITS}: {len(rows)} of the run's {expected} photos, the others are lost; "
            "copy the whole file again"
        )
    counts = Counter(row.split for row in rows)
    for part, judged in _judged_counts(run).items():
        if rows and counts[part] != judged:
            raise DataError(
                f"{run / SPLITS}: {counts[part]} photos in its {part} part, where {METRICS} was "
                f"made of {judged}; the file was changed since, copy it again"
            )
    return rows + earlier_rows(run)


def _judged_counts(run: Path) -> dict[Split, int]:
    """Of how many photos of its parts a run's figures were made, as far as it says."""
    try:
        reports = parse_json(regular_file(run / METRICS).read_text(encoding="utf-8"))
        # Whatever was kept apart is judged, so that a part without figures is empty.
        held_out = (Split.VALIDATION, Split.TEST)
        return {part: reports[part]["images"] if part in reports else 0 for part in held_out}
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return {}  # load_run says what is wrong with it


def _photo_count(run: Path) -> int | None:
    """Of how many photos a finished run was made; None where its configuration does not say."""
    try:
        return read_config(run / CONFIG).data.images
    except CheckpointError:
        return None


def earlier_rows(run: Path) -> tuple[SplitRow, ...]:
    """The photos whose labels the runs before a run, and its teachers, learnt from.

    Raises:
        DataError: the table is malformed.
    """
    return _rows_if_there(run / SEEN, one_folder=False)


def _rows_if_there(path: Path, *, one_folder: bool = True) -> tuple[SplitRow, ...]:
    """A table of photos; none without it. What is no file must not pass for nothing seen."""
    return read_split_rows(path, one_folder=one_folder) if os.path.lexists(path) else ()


def tool_versions() -> dict[str, str]:
    """Versions of Python and of the packages a run depends on."""
    names = ("hierattn-mobile", "torch", "torchvision", "timm", "numpy", "pillow", "scikit-learn")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}
