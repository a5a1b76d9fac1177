"""Evaluation of a run, or any predictor, on a data folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hierattn.common.files import write_json
from hierattn.data.groups import group_keys
from hierattn.data.joined.class_table import ClassTable
from hierattn.data.joined.read import as_roots, read_labelled
from hierattn.data.pixels.decode import decode_folder
from hierattn.data.readers.listing import one_form
from hierattn.data.readers.tables import name_some
from hierattn.data.records import DataFolder, PassedOver
from hierattn.data.seen import NEW, SeenPhotos, recognise
from hierattn.data.split_file import SplitRow
from hierattn.data.splits import Split
from hierattn.errors import DataError, UnknownNameError
from hierattn.inference import Predictor, TorchPredictor, predict_logits
from hierattn.lineage import unknown_origin, without_labels
from hierattn.metrics import predictions as prediction_files
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.predictions import Predictions
from hierattn.metrics.report import EvaluationReport, evaluate_predictions
from hierattn.preprocessing import PreprocessSpec
from hierattn.run_files import METRICS, PREDICTIONS, SPLITS
from hierattn.runs import load_run, refuse_run_folder, seen_rows

_AS_IS = ClassTable()
SPLIT_CHOICES = ("auto", "all", *(split.value for split in Split))


@dataclass(frozen=True)
class Evaluation:
    """A report with the predictions behind it.

    Attributes:
        chosen: which photos were judged, in words.
        skipped: a line for each unreadable photo left out.
        passed_over: what else lies in the data folder, and why it was not read.
        remarks: what was done to classes and photos; see :class:`ChosenPhotos`.
    """

    report: EvaluationReport
    predictions: Predictions
    operating_point: OperatingPoint
    chosen: str
    skipped: tuple[str, ...]
    passed_over: tuple[PassedOver, ...] = ()
    remarks: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The JSON document of ``hierattn evaluate``."""
        return {
            "judged": self.chosen,
            "warning": self.report.caveat,
            "remarks": list(self.remarks),
            "skipped": list(self.skipped),
            "passed_over": [entry.model_dump() for entry in self.passed_over],
            "report": self.report.model_dump(mode="json"),
        }


def evaluate_predictor(
    predictor: Predictor,
    spec: PreprocessSpec,
    classes: Sequence[str],
    folder: DataFolder,
    *,
    skip_unreadable: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Predictions, tuple[str, ...]]:
    """Let any predictor answer every photo of a folder; the judge of runs and exported files.

    Returns:
        The predictions, and a line for each photo left out.

    Raises:
        DataError: unreadable photos, or classes that the model does not know.
    """
    folder = _named_as(folder, classes)
    unknown = sorted(set(folder.classes) - set(classes))
    if unknown:
        raise DataError(
            f"{folder.place} has classes the model does not know: {', '.join(unknown)} "
            f"(the model's: {', '.join(classes)}); say which is which with --map-class FROM=TO, "
            "or leave one out with --map-class FROM="
        )
    cache = decode_folder(folder, spec, skip_unreadable=skip_unreadable)
    logits = predict_logits(predictor, cache.pixels, spec, progress=progress)
    groups = group_keys(cache.folder)
    return (
        Predictions.from_records(cache.folder.records, logits, classes, groups=groups),
        cache.skipped,
    )


def _named_as(folder: DataFolder, classes: Sequence[str]) -> DataFolder:
    """The folder with its classes written as the model writes them: accents have two forms."""
    own = {one_form(name): name for name in classes}
    return replace(
        folder,
        classes=tuple(own.get(name, name) for name in folder.classes),
        records=tuple(
            replace(record, label=own.get(record.label, record.label)) for record in folder.records
        ),
    )


def evaluate_run(
    name: str,
    data: Path | Sequence[Path],
    *,
    table: ClassTable = _AS_IS,
    split: str = "auto",
    replicates: int = 1000,
    skip_unreadable: bool = False,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Judge a run folder or shipped checkpoint on a data folder.

    Args:
        name: run folder or shipped name.
        data: the data folder, or several.
        table: what the data calls the model's classes.
        split: ``auto`` leaves out photos that the run learnt from, or chose and calibrated by,
            wherever that leaves some; ``all`` takes every photo; else one split by name.
        replicates: of the bootstrap.
        skip_unreadable: leave unreadable photos out.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        progress: called with (done, all).

    Raises:
        UnknownNameError: the run or the split.
        DataError: no photo of that split.
    """
    if split not in SPLIT_CHOICES:
        raise UnknownNameError("split", split, SPLIT_CHOICES)
    from hierattn.training.distributed import choose_device

    run = load_run(name)
    table = replace(table, remembered=run.config.training.class_map)
    folder = read_labelled(as_roots(data), table, run.config.classes)
    chosen = choose_photos(folder, run.path / SPLITS, split)
    if not (run.path / SPLITS).is_file():
        unknown = f"the run has no {SPLITS}: not known whether it learnt from these photos"
        chosen = replace(chosen, warning=unknown)
    if chosen.warning is None and chosen.of_test_part:
        # What is known to be learnt from was left out.
        unknown_start = unknown_origin(run.config.initialisation, run.config.teachers)
        chosen = replace(chosen, warning=unknown_start)
    features = [line for line in [without_labels(run.config)] if line and chosen.of_new]
    predictions, skipped = evaluate_predictor(
        TorchPredictor(run.load_model(), choose_device(device)),
        run.config.preprocessing,
        run.config.classes,
        chosen.folder,
        skip_unreadable=skip_unreadable,
        progress=progress,
    )
    point = run.config.operating_point
    report = evaluate_predictions(predictions, point, replicates=replicates, caveat=chosen.warning)
    return Evaluation(
        report,
        predictions,
        point,
        chosen.words,
        skipped,
        chosen.folder.passed_over,
        (*folder.remarks, *chosen.remarks, *features),
    )


def write_evaluation(out: Path, evaluation: Evaluation) -> None:
    """Write metrics.json, predictions.csv and the figures into a folder that is no run's.

    Raises:
        ConfigError: ``out`` holds a run, whose own files these would replace.
    """
    from hierattn.metrics.figures import draw_report

    refuse_run_folder(out)
    write_json(out / METRICS, evaluation.document())
    prediction_files.write_csv(out / PREDICTIONS, evaluation.predictions)
    draw_report(out, evaluation.report, evaluation.predictions, evaluation.operating_point)


@dataclass(frozen=True)
class ChosenPhotos:
    """The photos to judge.

    Attributes:
        words: which they are.
        warning: why the figures flatter the model, or None.
        remarks: what was left out and why, and what was taken as new though it bears a known name.
        of_test_part: whether the run's own test photos are among them.
        of_new: whether photos are that none of the run's parts holds.
    """

    folder: DataFolder
    words: str
    warning: str | None
    remarks: tuple[str, ...]
    of_test_part: bool = False
    of_new: bool = False


def choose_photos(folder: DataFolder, splits: Path, split: str) -> ChosenPhotos:
    """The photos to judge, and whether the run has seen them.

    Args:
        splits: the run's ``splits.csv``, which may not exist.
        split: see :func:`evaluate_run`.

    Raises:
        DataError: no photo of that split.
    """
    seen = recognise(folder, seen_rows(splits.parent))
    of = seen.parts
    if split == "all":
        kept = np.ones(len(of), bool)
    elif split == "auto":
        kept = (of == NEW) | (of == Split.TEST)
        if not kept.any():
            kept = np.ones(len(of), bool)
    else:
        kept = of == split
    if not kept.any():
        raise DataError(
            f"{folder.place}: the run's splits.csv puts none of its photos in '{split}'"
        )
    parts = [f"{(of[kept] == part).sum()} {part}" for part in np.unique(of[kept])]
    learnt = int(np.isin(of[kept], [Split.TRAIN, Split.VALIDATION]).sum())
    warning = None
    if learnt:
        warning = (
            f"the run was trained or calibrated on {learnt} of these {int(kept.sum())} photos, or "
            "on others of the same patient or lesion; the figures say little about new ones"
        )
    records = tuple(record for record, keep in zip(folder.records, kept, strict=True) if keep)
    return ChosenPhotos(
        replace(folder, records=records),
        f"{int(kept.sum())} images ({', '.join(parts)})",
        warning,
        _remarks(seen, kept),
        bool((of[kept] == Split.TEST).any()),
        bool((of[kept] == NEW).any()),
    )


def _remarks(seen: SeenPhotos, kept: np.ndarray) -> tuple[str, ...]:
    lines = [f"left out: {line}" for line in seen.describe(~kept)]
    unseen = int(((seen.parts == NEW) & ~kept).sum())
    if unseen:
        lines.append(f"left out: {unseen} that the run has not seen")
    if seen.namesakes:
        names = name_some(list(dict.fromkeys(seen.namesakes)), "name")
        lines.append(
            f"taken as new: {len(seen.namesakes)} under {names} of a patient or lesion that the "
            "run knows from another source; give both one 'source' if they are the same"
        )
    return tuple(lines)


def split_parts(folder: DataFolder, rows: Sequence[SplitRow]) -> np.ndarray:
    """The part that each photo, or another of its group, played in a run; "new" if none did."""
    return recognise(folder, rows).parts
