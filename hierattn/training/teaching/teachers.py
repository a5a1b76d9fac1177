"""Teacher networks, with the record of the photos and weights they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from hierattn.common.files import file_sha256
from hierattn.data.readers.listing import one_form
from hierattn.errors import CheckpointError, ConfigError
from hierattn.lineage import teacher_record
from hierattn.models.pretrained.initialise import classifier_prefix, identify, initialise
from hierattn.models.pretrained.weights import read_state_dict
from hierattn.models.registry import check_image_size, create_model
from hierattn.preprocessing import PreprocessSpec
from hierattn.runs import RunConfig, TeacherRecord, load_run
from hierattn.training.recipe.config import TrainingConfig


@dataclass(frozen=True)
class Teacher:
    """A network in evaluation mode and its record.

    Attributes:
        source: the name it was asked for by.
        path: the file or run folder it was read from.
        config: of its run; None for a weight file.
        unwrapped: the prefixes taken off a weight file's names.
    """

    network: nn.Module
    record: TeacherRecord
    source: str
    path: Path
    config: RunConfig | None
    unwrapped: tuple[str, ...] = ()


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
    return Teacher(run.load_model(), teacher_record(run), str(source), run.path, run.config)


def load_answering_teachers(
    sources: Sequence[str], classes: Sequence[str], config: TrainingConfig
) -> list[Teacher]:
    """Read teachers whose answers a run can learn.

    Args:
        sources: run folders or names of shipped checkpoints.
        classes: of the run, in order.
        config: of the run.

    Raises:
        UnknownNameError: neither a folder nor a shipped name.
        CheckpointError: not a finished run.
        ConfigError: a weight file; other classes or another order; another input size or
            preprocessing; one teacher twice.
    """
    teachers: list[Teacher] = []
    for source in sources:
        if Path(source).is_file():
            raise ConfigError(
                f"--teacher {source}: a file does not say its classes; give a run folder or a "
                "shipped checkpoint ('hierattn pretrain' learns a weight file's features)"
            )
        teacher = load_teacher(source)
        reason = _mismatch(teacher, classes, config)
        if reason is not None:
            raise ConfigError(f"--teacher {source}: {reason}")
        of_weights = [other.record.weights_sha256 for other in teachers]
        if teacher.record.weights_sha256 in of_weights:
            raise ConfigError(f"--teacher {source}: given twice; name each teacher once")
        check_image_size(teacher.record.model, config.start_image_size or config.image_size)
        teachers.append(teacher)
    return teachers


def prior_power(config: TrainingConfig) -> float:
    """Power of the class counts that a run's logits carry as their prior: 0 for equal classes.

    An epoch shows classes by counts ** (1 - sampling_power); logit adjustment takes its share of
    the log of that out of the logits (Menon et al., arXiv 2007.07314).
    """
    return (1 - config.sampling_power) * (1 - config.logit_adjustment)


def _mismatch(teacher: Teacher, classes: Sequence[str], config: TrainingConfig) -> str | None:
    if teacher.config is None:
        return "does not say its classes"
    theirs = [one_form(name) for name in teacher.config.classes]
    own = [one_form(name) for name in classes]
    lacking = [f"'{name}'" for name in own if name not in theirs]
    unknown = [f"'{name}'" for name in theirs if name not in own]
    if lacking or unknown:
        parts = [f"it lacks {', '.join(lacking)}"] * bool(lacking)
        parts += [f"it has {', '.join(unknown)} besides"] * bool(unknown)
        return f"answers in other classes than the data's: {' and '.join(parts)}; map the classes"
    if theirs != own:
        place = next(index for index in range(len(own)) if theirs[index] != own[index])
        return (
            f"has the same classes in another order: its class {place} is '{theirs[place]}', the "
            f"data's '{own[place]}'; train the teacher anew on a folder with these classes"
        )
    spec = PreprocessSpec(image_size=config.image_size).model_dump()
    other = teacher.config.preprocessing.model_dump()
    differing = [
        f"{name.replace('_', ' ')} {other[name]}, this run {spec[name]}"
        for name in spec
        if other[name] != spec[name]
    ]
    if differing:
        return f"takes other pictures: {'; '.join(differing)}; train both with one --image-size"
    return None


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
    return Teacher(network.eval(), record, str(path), path, None, report.unwrapped)
