"""The trainings of a study: features, learning rate, folds. Finished ones are skipped."""

from __future__ import annotations

import csv
import statistics
from pathlib import Path

from benchmarks.paper.study import Study
from benchmarks.results import BenchmarkError
from hierattn.common.files import file_sha256
from hierattn.lineage import pretraining_behind
from hierattn.run_files import CHECKPOINT, CONFIG, HISTORY, METRICS, WEIGHTS
from hierattn.runs import load_run
from hierattn.training.pretrain import PretrainingRequest, pretrain
from hierattn.training.progress import TrainingObserver
from hierattn.training.recipe.config import TrainingConfig
from hierattn.training.run.request import TrainingRequest
from hierattn.training.trainer import train


def train_system(study: Study, model: str, observer: TrainingObserver | None = None) -> None:
    """Do all trainings of one system, or go on with them.

    Raises:
        BenchmarkError: the work folder holds a training of another recipe or data set.
        HierAttnError: bad data or teacher.
    """
    if study.recipe.features is not None:
        _learn_features(study, model, observer)
    for rate in study.recipe.rates:
        config = study.recipe.trial_config(model, rate)
        _train(study, config, study.trial(model, rate), observer)
    lr = chosen_rate(study, model)
    for fold, out in zip(study.recipe.folds, study.folds(model), strict=True):
        _train(study, study.recipe.fold_config(model, fold, lr), out, observer)


def chosen_rate(study: Study, model: str) -> float | None:
    """The rate whose trial did best; None where there is nothing to choose."""
    scores = trial_scores(study, model)
    return max(scores, key=lambda rate: scores[rate]) if scores else None


def trial_scores(study: Study, model: str) -> dict[float, float]:
    """Balanced accuracy of each rate's validation part, mean of the last third of the epochs."""
    scores = {}
    for rate in study.recipe.rates:
        told = read_history(study.trial(model, rate) / HISTORY, "validation_balanced_accuracy")
        scores[rate] = statistics.mean(told[-max(1, len(told) // 3) :])
    return scores


def read_history(history: Path, column: str) -> list[float]:
    """A column of a run's ``history.csv``, a value an epoch.

    Raises:
        BenchmarkError: the file is damaged or gone.
    """
    try:
        with history.open(encoding="utf-8", newline="") as file:
            told = [float(row[column]) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise BenchmarkError(
            f"{history}: cannot be read; remove its folder to train again ({error})"
        ) from error
    if not told:
        raise BenchmarkError(f"{history}: no epoch in it; remove its folder to train again")
    return told


def _learn_features(study: Study, model: str, observer: TrainingObserver | None) -> None:
    out, config = study.features(model), study.recipe.feature_config(model)
    assert study.teacher is not None  # a study without one is refused
    if (out / CONFIG).exists():
        found = pretraining_behind(out)
        if found is None or found.training != config:
            raise _of_another_recipe(out)
        if found.data.sha256 != study.feature_data_sha256:
            raise _of_other_photos(out, "--feature-data")
        return
    resume = (out / CHECKPOINT).exists()
    request = PretrainingRequest(config, study.feature_data, study.teacher, out, resume)
    pretrain(request, observer)


def _train(
    study: Study, config: TrainingConfig, out: Path, observer: TrainingObserver | None
) -> None:
    init = study.start(config.model)
    if (out / METRICS).exists():
        found = load_run(out).config
        if found.training != config:
            raise _of_another_recipe(out)
        if (found.data.name, found.data.sha256) != (study.name, study.data_sha256):
            raise _of_other_photos(out, "--data")
        _check_start(out, init)
        return
    resume = (out / CHECKPOINT).exists()
    request = TrainingRequest(
        config,
        study.data,
        out,
        init=None if resume else init,
        resume=resume,
        # Features may have seen these photos, without labels; every system's did.
        allow_seen=study.earlier is None,
    )
    train(request, observer)
    if resume:
        _check_start(out, init)


def _check_start(out: Path, init: Path | None) -> None:
    initialisation = load_run(out).config.initialisation or {}
    began = (initialisation.get("pretraining") or {}).get("weights_sha256")
    if began != (None if init is None else file_sha256(init / WEIGHTS)):
        raise BenchmarkError(f"{out}: began with other weights; give another --work")


def _of_other_photos(out: Path, option: str) -> BenchmarkError:
    return BenchmarkError(f"{out}: learnt from other photos than {option}'s; give another --work")


def _of_another_recipe(out: Path) -> BenchmarkError:
    return BenchmarkError(f"{out}: trained by another recipe; give another --work")
