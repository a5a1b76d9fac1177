"""Run folders: what a finished training leaves, and how everything else reads it."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from torch import nn

from hierattn.errors import CheckpointError, HierAttnError, UnknownNameError
from hierattn.metrics.calibration import OperatingPoint
from hierattn.models.registry import create_model
from hierattn.models.weights import InitialisationReport, read_state_dict
from hierattn.preprocessing import PreprocessSpec
from hierattn.training.config import TrainingConfig

SHIPPED = Path(__file__).parent / "checkpoints"
WEIGHTS, CONFIG = "model.safetensors", "config.json"

INTENDED_USE = (
    "Research into the classification of skin-lesion photographs on mobile devices. "
    "Not a medical device: not for diagnosis, triage or reassurance of any person."
)


class DataProvenance(BaseModel):
    """Which photos the weights were made from.

    Attributes:
        name: the data folder's own name, without the path to it.
        sha256: fingerprint over file names, classes and contents.
        counts: photos a class.
        licences: photos a licence, as the manifest gives them.
        sources: where the manifest says they come from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str
    images: int
    groups: int
    counts: dict[str, int]
    licences: dict[str, int]
    sources: list[str]


class RunConfig(BaseModel):
    """``config.json`` of a run folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    model: str
    classes: list[str]
    image_size: int
    preprocessing: PreprocessSpec
    operating_point: OperatingPoint
    intended_use: str = INTENDED_USE
    data: DataProvenance
    initialisation: dict[str, Any] | None
    training: TrainingConfig
    best_epoch: int
    seed: int
    processes: int
    device: str
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
        weights = self.path / WEIGHTS
        state = read_state_dict(weights)
        if file_sha256(weights) != self.config.weights_sha256:
            raise CheckpointError(
                f"{weights}: its sha256 is not the one in {CONFIG}; the file was changed or "
                "belongs to another run"
            )
        model = create_model(self.config.model, len(self.config.classes))
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            raise CheckpointError(
                f"{weights}: not the weights of {self.config.model} with "
                f"{len(self.config.classes)} classes, as {CONFIG} says"
            ) from error
        return model.eval()


def shipped_runs() -> list[str]:
    """Names of the checkpoints inside the package, ``<model>.<data set>``."""
    if not SHIPPED.is_dir():
        return []
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{CONFIG}"))


def load_run(name: str | Path) -> Run:
    """Read a run folder, or a shipped checkpoint by its name.

    Raises:
        UnknownNameError: neither a folder nor a shipped name.
        CheckpointError: a folder that is not a finished run.
    """
    path = Path(name)
    if str(name) in shipped_runs():
        path = SHIPPED / str(name)
    elif not path.exists():
        raise UnknownNameError("run folder or shipped checkpoint", str(name), shipped_runs())
    if not path.is_dir():
        raise CheckpointError(f"{path}: not a run folder (give the folder, not a file in it)")
    if not (path / CONFIG).is_file():
        unfinished = (path / "last.ckpt").exists()
        raise CheckpointError(
            f"{path}: the training has not finished; go on with 'hierattn train --resume "
            f"--out {path}'"
            if unfinished
            else f"{path}: not a run folder, it has no {CONFIG}"
        )
    return Run(path, read_config(path / CONFIG))


def read_config(path: Path) -> RunConfig:
    """Read ``config.json``.

    Raises:
        CheckpointError: unreadable, not JSON, or a field that does not fit; it is named.
    """
    try:
        return RunConfig.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CheckpointError(f"{path}: field '{place}': {first['msg']}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not a readable JSON file ({error})") from error


def describe_initialisation(report: InitialisationReport, source: Path) -> dict[str, Any]:
    """What ``--init`` did, as plain values for ``config.json``.

    Where the weights come from a run folder, that run's data are named too: whoever ships the
    result must know every photo it learnt from.
    """
    described: dict[str, Any] = {
        "file": source.name,
        "kind": str(report.source_kind),
        "taken": list(report.taken),
        "left_out": list(report.left_out),
        "untouched": list(report.untouched),
        "pretraining": None,
    }
    config = (source if source.is_dir() else source.parent) / CONFIG
    if config.is_file():
        earlier = read_config(config)
        described["pretraining"] = {
            "data": earlier.data.model_dump(mode="json"),
            "weights_sha256": earlier.weights_sha256,
        }
    return described


def file_sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file.

    Raises:
        HierAttnError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise HierAttnError(f"{path}: {error.strerror}") from error


def tool_versions() -> dict[str, str]:
    """Versions of Python and of the packages a run depends on."""
    names = ("hierattn-mobile", "torch", "torchvision", "timm", "numpy", "pillow", "scikit-learn")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}
