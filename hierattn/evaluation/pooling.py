"""Pooled cross-validation: each photo evaluated by the fold that was not trained on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from hierattn.common.files import regular_file, write_json
from hierattn.common.json_text import DoubleNameError, parse_model
from hierattn.data.split_file import read_split_rows
from hierattn.data.splits import Split
from hierattn.errors import CheckpointError
from hierattn.lineage import learnt_before
from hierattn.metrics import predictions as prediction_files
from hierattn.metrics.calibration import fit_operating_point
from hierattn.metrics.classification import confusion_matrix, only_answer
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.predictions import concatenate
from hierattn.metrics.report import EvaluationReport, evaluate_predictions
from hierattn.outputs import claimed_output
from hierattn.run_files import POOLED, PREDICTIONS, RECIPE, SPLITS
from hierattn.runs import Run, load_run, refuse_run_folder


class PooledFolds(BaseModel):
    """``pooled.json``: what the folds together say of a recipe.

    The operating point is for a model that the same recipe makes from all photos. It is fitted
    on the pooled predictions, so in ``report`` the calibration after scaling, the melanoma
    sensitivity at the threshold and the abstention are on the photos they were fitted on; top-1,
    balanced accuracy and AUC do not depend on it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folds: int = Field(ge=1)
    of_folds: int = Field(ge=1)
    operating_point: OperatingPoint
    report: EvaluationReport


def pool_runs(
    paths: Sequence[Path], out: Path, *, replicates: int = 1000, incomplete: bool = False
) -> PooledFolds:
    """Pool the test predictions of the folds of one cross-validation, and write them to ``out``.

    Beside them stands ``recipe.json``: the training fields of the folds, for a network that is made
    from all photos (``--config``).

    Args:
        paths: run folders, one a fold.
        out: where to write.
        replicates: of the bootstrap.
        incomplete: take some of the folds only; the result says how many.

    Raises:
        CheckpointError: a folder without test predictions, folds that are missing or given twice,
            or runs of different recipes or photos.
        ConfigError: ``out`` holds a run, or lies in one or in a data or export folder.
    """
    refuse_run_folder(out)
    with claimed_output(out, *paths):
        return _pool_runs(paths, out, replicates, incomplete)


def _pool_runs(paths: Sequence[Path], out: Path, replicates: int, incomplete: bool) -> PooledFolds:
    from hierattn.metrics.figures import draw_report

    runs = [load_run(path) for path in paths]
    count = _check_folds(runs, incomplete)
    parts, constant = [], []
    for run in runs:
        file = run.path / PREDICTIONS
        if not file.is_file():
            raise CheckpointError(f"{run.path}: has no {PREDICTIONS} with held-out photos")
        part = prediction_files.read_csv(file).of_split(Split.TEST)
        if not len(part):
            raise CheckpointError(f"{run.path}: its {PREDICTIONS} has no held-out test photos")
        _check_whole(run, len(part))
        parts.append(part)
        answers = part.logits.argmax(axis=1)
        same = only_answer(confusion_matrix(part.labels, answers, len(part.classes)), part.classes)
        if same is not None:
            constant.append(f"{run.path.name} ({same})")
    together = concatenate(parts)
    point = fit_operating_point(together, targets=runs[0].config.operating_point.target_classes)
    if point.is_fitted:
        note = f"the pooled test photos of {len(runs)} of {count} folds ({len(together)} photos)"
        point = point.model_copy(update={"fitted_on": note})
    caveats = []
    if constant:
        caveats.append(f"one answer to every image of the fold: {', '.join(constant)}")
    what = "what they began with, or their teachers, had learnt from test photos of the fold"
    flattered: list[str] = []
    unknown: list[str] = []
    for run in runs:
        config = run.config
        learnt = learnt_before(config.initialisation, config.teachers, Split.TEST.value)
        if learnt != 0:
            (unknown if learnt is None else flattered).append(run.path.name)
    if flattered:
        caveats.append(f"{what}: {', '.join(flattered)}")
    if unknown:
        caveats.append(f"nobody can tell whether {what}: {', '.join(unknown)}")
    caveat = "; ".join(caveats) or None
    report = evaluate_predictions(together, point, replicates=replicates, caveat=caveat)
    pooled = PooledFolds(
        folds=len(runs),
        of_folds=count,
        operating_point=point,
        report=report,
    )
    prediction_files.write_csv(out / PREDICTIONS, together)
    draw_report(out, report, together, point)
    recipe = runs[0].config.training.model_dump(mode="json", exclude={"fold"})
    write_json(out / RECIPE, recipe | {"validation_fraction": 0, "test_fraction": 0})
    # Last: a pool is read by this file.
    write_json(out / POOLED, pooled.model_dump(mode="json"))
    return pooled


def _check_whole(run: Run, found: int) -> None:
    """Refuse predictions of which a part is lost, by the run's own list of photos."""
    splits = run.path / SPLITS
    rows = read_split_rows(splits) if splits.is_file() else ()
    expected = sum(row.split is Split.TEST for row in rows)
    if rows and found != expected:
        raise CheckpointError(
            f"{run.path / PREDICTIONS}: {found} held-out test photos, and the run has {expected}; "
            "copy the whole file again, or evaluate the run anew"
        )


def read_pooled(folder: Path) -> PooledFolds:
    """Read what ``hierattn pool`` wrote.

    Raises:
        CheckpointError: no such file, or not its content.
    """
    path = folder / POOLED
    try:
        return parse_model(PooledFolds, regular_file(path).read_bytes())
    except OSError as error:
        raise CheckpointError(
            f"{path}: {error.strerror}; give a folder that 'hierattn pool' wrote"
        ) from error
    except (ValueError, RecursionError) as error:
        reason = f" ({error})" if isinstance(error, DoubleNameError) else ""
        raise CheckpointError(f"{path}: not a result of 'hierattn pool'{reason}") from error


def _check_folds(runs: Sequence[Run], incomplete: bool) -> int:
    """Refuse runs that are not folds of one cross-validation; return how many it has."""
    recipes = {run.config.training.model_dump_json(exclude={"fold"}) for run in runs}
    if len(recipes) > 1 or len({tuple(run.config.classes) for run in runs}) > 1:
        raise CheckpointError("these runs differ in more than their fold; pool one recipe only")
    if len({run.config.operating_point.target_classes for run in runs}) > 1:
        raise CheckpointError("these runs watch different target classes; pool one recipe only")
    if len({run.config.data.sha256 for run in runs}) > 1:
        raise CheckpointError("these runs were made from different photos; pool one data folder")
    for run in runs:
        if run.config.training.fold is None:
            raise CheckpointError(f"{run.path}: was not trained with --fold")
    numbers = [run.config.training.fold_numbers() for run in runs]
    count = numbers[0][1]
    for fold, times in Counter(numbers).items():
        if times > 1:
            often = "twice" if times == 2 else f"{times} times"
            raise CheckpointError(
                f"{_words(fold)} is given {often}; give each of the {count} folds once"
            )
    strangers = [fold for fold in numbers if fold[1] != count]
    if strangers:
        raise CheckpointError(
            f"{_words(strangers[0])} is no fold of {count}, as {_words(numbers[0])} is; pool one "
            "cross-validation only"
        )
    missing = sorted({(index, count) for index in range(1, count + 1)}.difference(numbers))
    if missing and not incomplete:
        raise CheckpointError(
            f"folds missing: {', '.join(map(_words, missing))}; give them, or add --incomplete"
        )
    return count


def _words(fold: tuple[int, int]) -> str:
    return f"{fold[0]}/{fold[1]}"
