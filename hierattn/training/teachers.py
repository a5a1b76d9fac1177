"""A trained network that teaches another, with the record of what it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from hierattn.common.files import file_sha256
from hierattn.errors import CheckpointError
from hierattn.models.registry import create_model
from hierattn.models.weights import classifier_prefix, identify, initialise, read_state_dict
from hierattn.runs import TeacherRecord, load_run, weights_licences


@dataclass(frozen=True)
class Teacher:
    """A network in evaluation mode and its record; ``path`` is where it was read from."""

    network: nn.Module
    record: TeacherRecord
    path: Path


def load_teacher(source: str | Path) -> Teacher:
    """Read a run folder, a shipped checkpoint by its name, or a weight file of a known network.

    Raises:
        UnknownNameError: neither a file, a folder nor a shipped name.
        CheckpointError: not a finished run, or not the weights of a registered network.
    """
    path = Path(source)
    if path.is_file():
        return _from_file(path)
    run = load_run(source)
    record = TeacherRecord(
        name=run.path.name,
        model=run.config.model,
        weights_sha256=run.config.weights_sha256,
        data=run.config.data,
        licences=weights_licences(run.config),
    )
    return Teacher(run.load_model(), record, run.path)


def _from_file(path: Path) -> Teacher:
    state = read_state_dict(path)
    name = identify(state)
    if name is None:
        raise CheckpointError(f"{path}: the weights of no network in 'hierattn models'")
    with_classes = [value for key, value in state.items() if value.ndim == 1]
    network = create_model(name, len(with_classes[-1]))
    report = initialise(network, name, path)
    lacking = [part for part in report.untouched if part.startswith(classifier_prefix(network))]
    if lacking:
        raise CheckpointError(f"{path}: lacks {lacking[0]}; give a whole checkpoint of {name}")
    record = TeacherRecord(
        name=path.name, model=name, weights_sha256=file_sha256(path), data=None, licences=[]
    )
    return Teacher(network.eval(), record, path)
