"""Lineage of weights: the photos of a run, of earlier runs, and of its teachers.

Whoever ships weights must know every photo they learnt from, and its licence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, NonNegativeInt, TypeAdapter, ValidationError

from hierattn.common.files import file_sha256, regular_file
from hierattn.common.json_text import parse_json
from hierattn.data.provenance import DataProvenance
from hierattn.errors import CheckpointError, first_problem
from hierattn.run_files import CONFIG, WEIGHTS
from hierattn.runs import FeatureRunConfig, Run, RunConfig, TeacherRecord, read_config

if TYPE_CHECKING:
    from hierattn.models.pretrained.initialise import InitialisationReport

_DATA = TypeAdapter(DataProvenance)
_TEACHER = TypeAdapter(TeacherRecord)
_TEACHERS = TypeAdapter(list[TeacherRecord])
_WITHOUT_LABELS = "pretraining, without labels"
_SEEN: TypeAdapter[dict[str, int] | None] = TypeAdapter(
    dict[str, NonNegativeInt] | None, config=ConfigDict(strict=True)
)


@dataclass(frozen=True)
class DataSource:
    """Photos that the weights were trained on, and in which role."""

    role: str
    data: DataProvenance


def data_sources(config: RunConfig) -> list[DataSource]:
    """The photos of this run, of its teachers, and of the runs it began with, each set once.

    Raises:
        CheckpointError: the chain of earlier runs in ``initialisation`` is damaged.
    """
    found: dict[str, DataSource] = {}
    for source in _all_sources(config):
        found.setdefault(source.data.sha256, source)
    return list(found.values())


def without_labels(config: RunConfig) -> str | None:
    """A line on the photos that taught features, but no label; None where there are none.

    Raises:
        CheckpointError: the chain of earlier runs in ``initialisation`` is damaged.
    """
    names = [s.data.name for s in data_sources(config) if s.role == _WITHOUT_LABELS]
    if not names:
        return None
    return (
        "'new': the run learnt no label of them; its features were learnt, without labels, from "
        f"photos of {' and '.join(names)}, which may be among them"
    )


def weights_licences(config: RunConfig) -> list[str]:
    """Licences of every photo behind the weights: see :func:`data_sources`.

    Raises:
        CheckpointError: the chain of earlier runs in ``initialisation`` is damaged.
    """
    found = {licence for source in data_sources(config) for licence in source.data.licences}
    return sorted(found.union(*(teacher.licences for teacher in _all_teachers(config))))


def describe_initialisation(report: InitialisationReport, source: Path) -> dict[str, Any]:
    """What ``--init`` did, as plain values for ``config.json``.

    Where the weights are a run's, that run's data and teachers, and those of the runs before it,
    are named too.
    """
    return {
        "file": source.name,
        "kind": str(report.source_kind),
        "taken": list(report.taken),
        "left_out": list(report.left_out),
        "untouched": list(report.untouched),
        "pretraining": _pretraining(source),
    }


def caveat_of(
    initialisation: dict[str, Any] | None, teachers: Sequence[TeacherRecord], part: str
) -> str | None:
    """Why a run's figures on one of its own parts flatter it, or may; None where nothing says so.

    Only ``--allow-seen`` trains such a run. What was seen without labels is no such reason, and of
    a weight file that is no run's nothing is known at all.

    Args:
        initialisation: of the run's ``config.json``.
        teachers: of its answers.
        part: ``test`` or ``validation``.

    Raises:
        CheckpointError: the record is damaged.
    """
    learnt = learnt_before(initialisation, teachers, part)
    if learnt:
        return (
            f"what this run began with, or its teacher, had learnt from at least {learnt} of its "
            f"{part} photos, or others of the same patient or lesion; the figures say little about "
            "new ones"
        )
    return unknown_origin(initialisation, teachers)


def learnt_before(
    initialisation: dict[str, Any] | None, teachers: Sequence[TeacherRecord], part: str
) -> int | None:
    """Photos of a part that what a run began with, or a teacher, had learnt from, at least.

    None where none is known, but nobody looked at all of them.

    Raises:
        CheckpointError: the record is damaged.
    """
    looked = _looked(initialisation, teachers)
    learnt = max((counts.get(part, 0) for counts in looked if counts), default=0)
    return learnt or (None if None in looked else 0)


def unknown_origin(
    initialisation: dict[str, Any] | None, teachers: Sequence[TeacherRecord]
) -> str | None:
    """Why figures may flatter a run where nobody knows what it began with; None if that is known.

    Raises:
        CheckpointError: the record is damaged.
    """
    if None not in _looked(initialisation, teachers):
        return None
    return (
        "nobody can tell whether what this run began with, or its teacher, had learnt from its "
        "photos; the figures may say little about new ones"
    )


def _looked(
    initialisation: dict[str, Any] | None, teachers: Sequence[TeacherRecord]
) -> list[dict[str, int] | None]:
    """Photos by part that each start and teacher had learnt from; None where nobody knows."""
    looked = [teacher.seen for teacher in teachers]
    if initialisation and "seen" in initialisation:
        try:
            looked.append(_SEEN.validate_python(initialisation["seen"]))
        except ValidationError as error:
            raise CheckpointError(
                f"config.json: field 'initialisation.seen': {first_problem(error)}"
            ) from error
    return looked


def teacher_record(run: Run) -> TeacherRecord:
    """The record of a run as a teacher.

    Raises:
        CheckpointError: its own record of earlier runs is damaged.
    """
    return TeacherRecord(
        name=run.path.name,
        model=run.config.model,
        weights_sha256=run.config.weights_sha256,
        data=run.config.data,
        earlier_data=[source.data for source in data_sources(run.config)[1:]],
        licences=weights_licences(run.config),
    )


def run_behind(source: Path) -> Run | None:
    """The run whose weights ``source`` is, a run folder or its weight file; None if no run's."""
    weights = source / WEIGHTS if source.is_dir() else source
    config = weights.parent / CONFIG
    if not config.is_file():
        return None
    try:
        earlier = read_config(config)
    except CheckpointError:
        # Somebody else's config.json, such as lies beside many downloads.
        return None
    if file_sha256(weights) != earlier.weights_sha256:
        return None
    return Run(weights.parent, earlier)


def pretraining_behind(source: Path) -> FeatureRunConfig | None:
    """The record of the pretraining whose weights ``source`` is; None if no pretraining's."""
    weights = source / WEIGHTS if source.is_dir() else source
    try:
        content = parse_json(regular_file(weights.parent / CONFIG).read_text(encoding="utf-8"))
        record = FeatureRunConfig.model_validate(content)
    except (OSError, ValueError, RecursionError):
        return None
    return record if file_sha256(weights) == record.weights_sha256 else None


def _all_sources(config: RunConfig) -> Iterable[DataSource]:
    yield DataSource("training", config.data)
    yield from _taught(config.teachers)
    for earlier in _chain(config.initialisation):
        role = _WITHOUT_LABELS if "teacher" in earlier else "pretraining"
        yield DataSource(role, _field(_DATA, earlier.get("data"), "data"))
        yield from _taught(_teachers_of(earlier))


def _all_teachers(config: RunConfig) -> Iterable[TeacherRecord]:
    yield from config.teachers
    for earlier in _chain(config.initialisation):
        yield from _teachers_of(earlier)


def _taught(teachers: Iterable[TeacherRecord]) -> Iterable[DataSource]:
    for teacher in teachers:
        known = [teacher.data] if teacher.data is not None else []
        for data in (*known, *teacher.earlier_data):
            yield DataSource("teaching", data)


def _teachers_of(earlier: dict[str, Any]) -> list[TeacherRecord]:
    """The one of a pretraining's features, or those of a run's answers."""
    if "teacher" in earlier:
        return [_field(_TEACHER, earlier["teacher"], "teacher")]
    return _field(_TEACHERS, earlier.get("teachers", []), "teachers")


def _chain(initialisation: Any) -> Iterable[dict[str, Any]]:
    """The runs that the weights began with, the latest first."""
    while isinstance(initialisation, dict):
        earlier = initialisation.get("pretraining")
        if not isinstance(earlier, dict):
            return
        yield earlier
        initialisation = earlier.get("initialisation")


def _field(kind: TypeAdapter[Any], value: Any, name: str) -> Any:
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        raise CheckpointError(
            f"config.json: field 'initialisation.pretraining.{name}': {first_problem(error)}"
        ) from error


def _pretraining(source: Path) -> dict[str, Any] | None:
    features = pretraining_behind(source)
    if features is not None:
        teacher = features.teacher.model_dump(mode="json")
        return {**_described(features), "initialisation": None, "teacher": teacher}
    run = run_behind(source)
    if run is None:
        return None
    return {
        **_described(run.config),
        "initialisation": run.config.initialisation,
        "teachers": [teacher.model_dump(mode="json") for teacher in run.config.teachers],
    }


def _described(earlier: RunConfig | FeatureRunConfig) -> dict[str, Any]:
    return {
        "model": earlier.model,
        "data": earlier.data.model_dump(mode="json"),
        "training": earlier.training.model_dump(mode="json"),
        "weights_sha256": earlier.weights_sha256,
    }
