"""Evaluates the accuracy of every file in the runtime of its row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata

import numpy as np

from benchmarks.accuracy.eval_photos import EvalPhotos
from benchmarks.accuracy.gallery import FileAnswers
from benchmarks.accuracy.logits_cache import LogitsCache
from benchmarks.cases import Case
from benchmarks.results import Row
from benchmarks.runtimes.registry import TORCH, find_runtime
from export.errors import WorkerError
from export.progress import Observer, Progress, unobserved
from export.runtime.client import Worker, WorkerConfig
from export.schema.manifest import PARITY
from export.schema.parity import read_parity_record
from hierattn.common.temporary import temporary_folder
from hierattn.data.readers.tables import name_some
from hierattn.inference import predict_logits
from hierattn.metrics.bootstrap import Interval
from hierattn.metrics.classification import confusion_matrix, only_answer
from hierattn.metrics.report import EvaluationReport, evaluate_predictions

BATCH = 16
"""Photos that travel to a worker at a time; it answers them one by one."""

_COMPARED = (
    "top1",
    "balanced_accuracy",
    "melanoma_sensitivity",
    "melanoma_at_threshold",
    "macro_auc",
    "ece",
)


@dataclass(frozen=True)
class Accuracy:
    """The accuracy columns of one file; names as in :class:`benchmarks.results.Row`."""

    top1: float
    balanced_accuracy: float
    balanced_accuracy_interval: Interval | None
    melanoma_sensitivity: float | None
    melanoma_at_threshold: float | None
    macro_auc: float | None
    ece: float
    sensitivity: dict[str, float | None]
    reliability: list[tuple[float, float, int]]

    def changes(self, torch: Accuracy) -> dict[str, float | None]:
        """This file's figures less torch's."""
        pairs = {name: (getattr(self, name), getattr(torch, name)) for name in _COMPARED}
        for name, value in self.sensitivity.items():
            pairs[f"sensitivity:{name}"] = value, torch.sensitivity[name]
        return {
            name: None if own is None or other is None else own - other
            for name, (own, other) in pairs.items()
        }


def accuracy_of(report: EvaluationReport) -> Accuracy:
    """The columns of an evaluation report."""
    sensitivity = {name: scores.sensitivity for name, scores in report.per_class.items()}
    at_threshold = None if isinstance(report.melanoma, str) else report.melanoma.sensitivity
    return Accuracy(
        top1=report.top1,
        balanced_accuracy=report.balanced_accuracy,
        balanced_accuracy_interval=report.intervals.balanced_accuracy,
        melanoma_sensitivity=_of_targets(report),
        melanoma_at_threshold=at_threshold,
        macro_auc=report.macro.auc,
        ece=report.calibration.after.ece,
        sensitivity=sensitivity,
        reliability=[
            (part.confidence, part.accuracy, part.count)
            for part in report.calibration.after.bins
            if part.confidence is not None and part.accuracy is not None
        ],
    )


def _of_targets(report: EvaluationReport) -> float | None:
    """The share of the target classes' photos that are given their own class."""
    scores = [report.per_class[name] for name in report.operating_point.target_classes]
    images = sum(score.support for score in scores)
    found = sum((score.sensitivity or 0.0) * score.support for score in scores)
    return found / images if images else None


def evaluate_cases(
    cases: Sequence[Case],
    photos: EvalPhotos,
    cache: LogitsCache,
    progress: Observer = unobserved,
    checkpoint: Callable[[], None] | None = None,
) -> list[FileAnswers]:
    """Fill the accuracy columns of every row that can be run, and of torch's.

    A file is asked once a runtime, not once a thread count. A file that fails becomes a failed
    row; a worker's crash takes nothing else with it.

    Returns:
        What each file answered.
    """
    groups: dict[tuple[str, str, str], list[Case]] = {}
    for case in cases:
        row = case.row
        if case.config is not None or row.runtime == TORCH:
            groups.setdefault((row.export, row.name, row.runtime), []).append(case)
    references: dict[str, Accuracy] = {}
    answers: list[FileAnswers] = []
    # Torch's rows first: the others are compared with them.
    ordered = sorted(groups.values(), key=lambda group: group[0].row.runtime != TORCH)
    for number, group in enumerate(ordered):
        first = group[0]
        progress(Progress("", f"judging {first.row.name}", number, len(ordered)))
        try:
            answered = _answers(first, photos, cache, progress)
        except WorkerError as error:
            for case in group:
                case.fail(f"{case.row.runtime}: {error}")
            continue
        if answered is None:
            continue
        answers.append(answered)
        report = evaluate_predictions(answered.predictions, answered.operating_point)
        found = accuracy_of(report)
        if first.row.runtime == TORCH:
            references[first.row.export] = found
        torch = references.get(first.row.export)
        for case in group:
            case.row = _with_accuracy(case.row, found, torch)
        if checkpoint is not None:
            checkpoint()
    progress(Progress("", "judged", len(ordered), len(ordered), over=True))
    return answers


def constant_answers(answers: Sequence[FileAnswers]) -> list[str]:
    """A line for each class that files give to every photo, although several classes occur."""
    files: dict[str, list[str]] = {}
    for answer in answers:
        told = answer.predictions
        confusion = confusion_matrix(told.labels, told.logits.argmax(axis=1), len(told.classes))
        if (only := only_answer(confusion, told.classes)) is not None:
            files.setdefault(only, []).append(f"{answer.export}: {answer.name} ({answer.runtime})")
    return [
        f"{name} is the answer to every photo, and nothing is told apart, in "
        f"{name_some(where, 'row')}"
        for name, where in files.items()
    ]


def _with_accuracy(row: Row, found: Accuracy, torch: Accuracy | None) -> Row:
    columns = asdict(found) | {"balanced_accuracy_interval": found.balanced_accuracy_interval}
    changes = found.changes(torch) if torch is not None and row.runtime != TORCH else {}
    return row.model_copy(update=columns | {"change_vs_torch": changes})


def _answers(
    case: Case, photos: EvalPhotos, cache: LogitsCache, progress: Observer
) -> FileAnswers | None:
    manifest = case.export.manifest
    logits = _recorded(case, photos) if case.row.runtime == TORCH else None
    if logits is None and case.config is not None:
        logits = _asked(case, case.config, photos, cache, progress)
    if logits is None:
        return None
    predictions = photos.predictions(logits, manifest.classes)
    row = case.row
    return FileAnswers(row.export, row.name, row.runtime, predictions, manifest.operating_point)


def _recorded(case: Case, photos: EvalPhotos) -> np.ndarray | None:
    """Torch's logits as the export recorded them, where it asked the very same photos."""
    judged = case.export.manifest.data
    if judged is None or judged.sha256 != photos.whole_sha256:
        return None
    record = read_parity_record(case.export.folder / PARITY)
    answers = {answer.file: answer.logits for answer in record.photos}
    files = [photo.file for photo in photos.folder.records]
    if any(file not in answers for file in files):
        return None
    return np.array([answers[file] for file in files], dtype=np.float64)


def _asked(
    case: Case, config: WorkerConfig, photos: EvalPhotos, cache: LogitsCache, progress: Observer
) -> np.ndarray:
    spec = case.export.manifest.preprocessing
    name = config.runtime.name
    runtime = f"{name} {find_runtime(name).version}"
    # Whatever else decides an answer: how photos become pixels, and for torch the network's code.
    asked = f"{photos.record.sha256} {spec.model_dump_json()} pillow {metadata.version('pillow')}"
    code = f"{runtime}, hierattn {metadata.version('hierattn-mobile')}"
    key = case.row.sha256 or "", asked, code
    shape = len(photos.folder.records), len(case.export.manifest.classes)
    cached = cache.read(*key)
    if cached is not None and cached.shape == shape:
        return cached
    pixels = photos.pixels(spec)
    words = f"judging {case.row.name}, {name}"
    with Worker(config) as worker, temporary_folder("judge") as folder:
        worker.wait_until_ready()
        worker.load()
        logits = predict_logits(
            lambda images: worker.answer(images, folder),
            pixels,
            spec,
            batch_size=BATCH,
            progress=lambda done, total: progress(Progress("", words, done, total)),
        )
    if logits.shape != shape:
        raise WorkerError(f"answers {list(logits.shape)} instead of {list(shape)}")
    if not np.isfinite(logits).all():
        raise WorkerError("answers NaN or infinity")
    cache.write(*key, logits)
    return logits
