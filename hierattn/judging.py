"""From a run (or anything that predicts) and a data folder to an evaluation report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hierattn.data.cache import decode_folder
from hierattn.data.folder import read_data_folder
from hierattn.data.records import DataFolder
from hierattn.data.splits import Split, SplitRow, group_keys, read_split_rows
from hierattn.errors import CheckpointError, DataError, UnknownNameError
from hierattn.evaluation import Predictor, TorchPredictor, predict_logits
from hierattn.files import write_json
from hierattn.metrics import predictions as prediction_files
from hierattn.metrics.calibration import OperatingPoint, fit_operating_point
from hierattn.metrics.figures import draw_confusion, draw_reliability, draw_roc
from hierattn.metrics.predictions import Predictions, concatenate
from hierattn.metrics.report import EvaluationReport, evaluate_predictions
from hierattn.preprocessing import PreprocessSpec
from hierattn.runs import load_run

SPLIT_CHOICES = ("auto", "all", *(split.value for split in Split))


@dataclass(frozen=True)
class Judgement:
    """A report with the predictions behind it.

    Attributes:
        chosen: which photos were judged, in words.
        warning: why the figures flatter the model, or None.
        skipped: a line for each unreadable photo left out.
    """

    report: EvaluationReport
    predictions: Predictions
    operating_point: OperatingPoint
    chosen: str
    warning: str | None
    skipped: tuple[str, ...]

    def model_dump(self) -> dict[str, Any]:
        """The JSON document of ``hierattn evaluate``."""
        return {
            "judged": self.chosen,
            "warning": self.warning,
            "skipped": list(self.skipped),
            "report": self.report.model_dump(mode="json"),
        }


def judge_predictor(
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
    unknown = sorted(set(folder.classes) - set(classes))
    if unknown:
        raise DataError(
            f"{folder.root} has classes the model does not know: {', '.join(unknown)} "
            f"(the model's: {', '.join(classes)}); rename or leave out these folders"
        )
    cache = decode_folder(folder, spec, skip_unreadable=skip_unreadable)
    logits = predict_logits(predictor, cache.pixels, spec, progress=progress)
    groups = group_keys(cache.folder)
    return (
        Predictions.from_records(cache.folder.records, logits, classes, groups=groups),
        cache.skipped,
    )


def judge_run(
    name: str,
    data: Path,
    *,
    split: str = "auto",
    replicates: int = 1000,
    skip_unreadable: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Judgement:
    """Judge a run folder or shipped checkpoint on a data folder.

    Args:
        name: run folder or shipped name.
        data: the data folder.
        split: ``auto`` leaves out photos that the run learnt from, or chose and calibrated by,
            wherever that leaves some; ``all`` takes every photo; else one split by name.
        replicates: of the bootstrap.
        skip_unreadable: leave unreadable photos out.
        progress: called with (done, all).

    Raises:
        UnknownNameError: the run or the split.
        DataError: no photo of that split.
    """
    if split not in SPLIT_CHOICES:
        raise UnknownNameError("split", split, SPLIT_CHOICES)
    run = load_run(name)
    folder, chosen, warning = _choose(read_data_folder(data), run.path / "splits.csv", split)
    predictions, skipped = judge_predictor(
        TorchPredictor(run.load_model()),
        run.config.preprocessing,
        run.config.classes,
        folder,
        skip_unreadable=skip_unreadable,
        progress=progress,
    )
    point = run.config.operating_point
    report = evaluate_predictions(predictions, point, replicates=replicates)
    return Judgement(report, predictions, point, chosen, warning, skipped)


def write_judgement(out: Path, judgement: Judgement) -> None:
    """Write metrics.json, predictions.csv and the figures into a folder."""
    write_json(out / "metrics.json", judgement.model_dump())
    prediction_files.write_csv(out / "predictions.csv", judgement.predictions)
    _draw(out, judgement.report, judgement.predictions, judgement.operating_point)


def pool_runs(runs: Sequence[Path], out: Path, *, replicates: int = 1000) -> EvaluationReport:
    """Pool the test predictions of the folds of one cross-validation, and write them to ``out``.

    The operating point for a model trained on all photos is fitted on the pooled predictions, so
    its own figures (calibration after scaling, melanoma at the threshold) are on the photos that
    it was fitted on; top-1, balanced accuracy and AUC are not touched by that.

    Raises:
        CheckpointError: a folder without test predictions, or folds of different recipes.
        DataError: two folds judged the same photo.
    """
    parts, recipes = [], set()
    for path in runs:
        run = load_run(path)
        file = run.path / "predictions.csv"
        if not file.is_file():
            raise CheckpointError(f"{run.path}: has no predictions.csv with held-out photos")
        parts.append(prediction_files.read_csv(file).of_split(Split.TEST))
        recipe = run.config.training.model_copy(update={"fold": None})
        recipes.add((recipe.model_dump_json(), tuple(run.config.classes)))
    if len(recipes) > 1:
        raise CheckpointError("these runs differ in more than their fold; pool one recipe only")
    pooled = concatenate(parts)
    point = fit_operating_point(pooled)
    point = point.model_copy(
        update={
            "fitted_on": f"pooled test photos of {len(runs)} folds ({len(pooled)} photos), "
            "the same that are reported"
        }
    )
    report = evaluate_predictions(pooled, point, replicates=replicates)
    write_json(out / "operating_point.json", point.model_dump(mode="json"))
    write_json(out / "metrics.json", {"test": report.model_dump(mode="json")})
    prediction_files.write_csv(out / "predictions.csv", pooled)
    _draw(out, report, pooled, point)
    return report


def _draw(
    out: Path, report: EvaluationReport, predictions: Predictions, point: OperatingPoint
) -> None:
    draw_confusion(report, out / "confusion.png")
    draw_reliability(predictions, point, out / "reliability.png")
    draw_roc(predictions, out / "roc.png", point)


def _choose(folder: DataFolder, splits: Path, split: str) -> tuple[DataFolder, str, str | None]:
    """The photos to judge, in words, and a warning if the run has seen them."""
    seen: dict[str, SplitRow] = {}
    if splits.is_file():
        names = {record.file: record.label for record in folder.records}
        rows = (row for row in read_split_rows(splits) if names.get(row.file) == row.label)
        seen = {row.file: row for row in rows}
    of = np.array([seen[r.file].split if r.file in seen else "new" for r in folder.records])
    if split == "all":
        kept = np.ones(len(of), bool)
    elif split == "auto":
        kept = (of == "new") | (of == Split.TEST)
        if not kept.any():
            kept = np.ones(len(of), bool)
    else:
        kept = of == split
    if not kept.any():
        raise DataError(f"{folder.root}: the run's splits.csv puts none of its photos in '{split}'")
    parts = [f"{(of[kept] == part).sum()} {part}" for part in np.unique(of[kept])]
    learnt = int(np.isin(of[kept], [Split.TRAIN, Split.VALIDATION]).sum())
    warning = None
    if learnt:
        warning = (
            f"the run was trained or calibrated on {learnt} of these {int(kept.sum())} photos; "
            "the figures say nothing about new ones"
        )
    records = tuple(record for record, keep in zip(folder.records, kept, strict=True) if keep)
    return (
        DataFolder(folder.root, folder.classes, records),
        f"{int(kept.sum())} photos ({', '.join(parts)})",
        warning,
    )
