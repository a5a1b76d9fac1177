"""The folds of one cross-validation, pooled."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierattn.data.records import DataFolder
from hierattn.errors import (
    CheckpointError,
    ConfigError,
)
from hierattn.evaluation.evaluate import evaluate_run, write_evaluation
from hierattn.evaluation.pooling import pool_runs, read_pooled
from hierattn.metrics.predictions import read_csv, write_csv
from hierattn.run_list import list_runs
from hierattn.runs import load_run
from hierattn.training.recipe.config import build_config
from hierattn.training.run.request import TrainingRequest
from hierattn.training.trainer import train


@pytest.fixture(scope="module")
def folds(painted: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The two runs of a two-fold cross-validation, an epoch each; read only."""
    root = tmp_path_factory.mktemp("folds")
    for fold in ("1", "2"):
        config = build_config(
            model="hierattn_xs", image_size=64, epochs=1, batch_size=16, fold=f"{fold}/2"
        )
        train(TrainingRequest(config, painted.root, root / fold))
    return [root / "1", root / "2"]


def other_fold(folds: list[Path], root: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    """The second fold with a changed config."""
    shutil.copytree(folds[1], root)
    fields = json.loads((root / "config.json").read_text())
    edit(fields)
    (root / "config.json").write_text(json.dumps(fields))
    return root


@pytest.mark.slow
def test_pooled_folds_judge_each_photo_once_by_the_run_that_never_saw_it(
    folds: list[Path], painted: DataFolder, tmp_path: Path
) -> None:
    result = pool_runs(folds, tmp_path / "pool", replicates=20)
    report = result.report
    assert report.images == 72
    pooled = read_csv(tmp_path / "pool" / "predictions.csv")
    assert sorted(pooled.files) == [record.file for record in painted.records]
    parts = [json.loads((fold / "metrics.json").read_text())["test"]["confusion"] for fold in folds]
    assert np.array_equal(report.confusion, np.sum(parts, axis=0))
    for fold in folds:
        own = evaluate_run(str(fold), painted.root, replicates=5).predictions
        position = {file: index for index, file in enumerate(pooled.files)}
        assert np.array_equal(own.logits, pooled.logits[[position[file] for file in own.files]])
    assert read_pooled(tmp_path / "pool") == result
    recipe = build_config(file=tmp_path / "pool" / "recipe.json")
    of_a_fold = load_run(folds[0]).config.training
    whole = {"fold": None, "validation_fraction": 0.0, "test_fraction": 0.0}
    assert recipe == of_a_fold.model_copy(update=whole)
    assert "pooled test photos of 2 of 2 folds (72 photos)" in report.operating_point.fitted_on


def test_a_missing_or_repeated_fold_is_refused(folds: list[Path], tmp_path: Path) -> None:
    for given, why in (
        ([folds[0]], "^folds missing: 2/2; give them, or add --incomplete$"),
        ([folds[0], folds[0]], "^1/2 is given twice; give each of the 2 folds once$"),
        ([*folds, folds[1]], "^2/2 is given twice; "),
        ([folds[1]] * 3, "^2/2 is given 3 times; "),
    ):
        with pytest.raises(CheckpointError, match=why):
            pool_runs(given, tmp_path / "pool")
    assert not (tmp_path / "pool").exists()
    some = pool_runs([folds[1]], tmp_path / "pool", replicates=20, incomplete=True)
    assert (some.folds, some.of_folds) == (1, 2)
    (listed,) = list_runs(tmp_path / "pool")
    assert (listed.status, listed.model, listed.pooled) == ("pooled", "hierattn_xs", (1, 2))
    assert listed.balanced_accuracy == some.report.balanced_accuracy and listed.changed
    assert "1 of 2 folds" in some.operating_point.fitted_on
    with pytest.raises(CheckpointError, match="is given twice"):
        pool_runs([folds[1], folds[1]], tmp_path / "pool", incomplete=True)


def test_the_pooled_result_ships_with_a_run_on_all_photos(
    folds: list[Path], painted: DataFolder, tmp_path: Path
) -> None:
    pooled = pool_runs(folds, tmp_path / "pool", replicates=20)
    config = build_config(
        model="hierattn_xs", image_size=64, epochs=1, batch_size=16, test_fraction=0,
        validation_fraction=0,
    )  # fmt: skip
    request = TrainingRequest(config, painted.root, tmp_path / "run", calibration=pooled)
    outcome = train(request)
    assert outcome.reports == {"cross_validation": pooled.report}
    assert load_run(tmp_path / "run").config.operating_point == pooled.operating_point
    own = replace(request, out=tmp_path / "own", config=build_config(epochs=1, image_size=64))
    with pytest.raises(ConfigError, match="--validation-fraction 0"):
        train(own)


def test_results_never_replace_a_runs_own_files(
    folds: list[Path], painted: DataFolder, tmp_path: Path
) -> None:
    before = (folds[0] / "metrics.json").read_bytes()
    evaluation = evaluate_run(str(folds[0]), painted.root, replicates=5)
    for write in (
        lambda: write_evaluation(folds[0], evaluation),
        lambda: pool_runs(folds, folds[0]),
    ):
        with pytest.raises(ConfigError, match="holds a run"):
            write()
    assert (folds[0] / "metrics.json").read_bytes() == before


@pytest.mark.parametrize("content", ["", "{}", "[1]", "\xff"])
def test_what_pool_did_not_write_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(CheckpointError, match=r"pooled\.json: No such file"):
        read_pooled(tmp_path)
    (tmp_path / "pooled.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(CheckpointError, match="not a result of 'hierattn pool'"):
        read_pooled(tmp_path)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda fields: fields["training"].update(fold="2/3"), "^2/3 is no fold of 2, as 1/2 is"),
        (lambda fields: fields["training"].update(lr=0.5), "differ in more than their fold"),
        (lambda fields: fields["classes"].reverse(), "in another order than in metrics"),
        (lambda fields: fields["classes"].append("another"), "differ in more than their fold"),
        (lambda fields: fields["data"].update(sha256="0"), "made from different photos"),
    ],
)
def test_folds_of_another_recipe_or_other_photos_are_refused(
    folds: list[Path], tmp_path: Path, edit: Callable[[dict[str, Any]], object], reason: str
) -> None:
    other = other_fold(folds, tmp_path / "other", edit)
    with pytest.raises(CheckpointError, match=reason):
        pool_runs([folds[0], other], tmp_path / "pool")
    assert not (tmp_path / "pool").exists()


def test_a_run_without_test_photos_cannot_be_pooled(folds: list[Path], tmp_path: Path) -> None:
    other = other_fold(folds, tmp_path / "other", lambda fields: None)
    table = other / "predictions.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(line for line in lines if ",test," not in line))
    with pytest.raises(CheckpointError, match=r"other: .*held-out"):
        pool_runs([folds[0], other], tmp_path / "pool")
    table.unlink()
    with pytest.raises(CheckpointError, match=r"other: has no predictions\.csv"):
        pool_runs([folds[0], other], tmp_path / "pool")


def test_predictions_that_lost_a_part_are_refused(folds: list[Path], tmp_path: Path) -> None:
    cut = Path(shutil.copytree(folds[0], tmp_path / "cut"))
    lines = (cut / "predictions.csv").read_text().splitlines(keepends=True)
    (cut / "predictions.csv").write_text("".join(lines[:5]))
    with pytest.raises(CheckpointError, match=r"predictions\.csv: \d+ held-out test photos, and"):
        pool_runs([cut, folds[1]], tmp_path / "pool", replicates=5)
    assert not (tmp_path / "pool").exists()


def test_folds_that_know_one_answer_each_are_named(folds: list[Path], tmp_path: Path) -> None:
    """Together their answers differ, which looks like telling apart."""
    constant = []
    for place, fold in enumerate(folds):
        copy = Path(shutil.copytree(fold, tmp_path / f"fold-{place}"))
        part = read_csv(copy / "predictions.csv")
        logits = np.zeros_like(part.logits)
        logits[:, place] = 1
        write_csv(copy / "predictions.csv", replace(part, logits=logits))
        constant.append(copy)
    pooled = pool_runs(constant, tmp_path / "pool", replicates=5)
    names = load_run(folds[0]).config.classes
    assert pooled.report.only_answer is None
    caveat = pooled.report.caveat or ""
    assert f"every image of the fold: fold-0 ({names[0]}), fold-1 ({names[1]})" in caveat
    some = read_csv(constant[0] / "predictions.csv")
    write_csv(constant[0] / "predictions.csv", replace(some, logits=np.eye(*some.logits.shape)))
    told = pool_runs(constant, tmp_path / "some", replicates=5).report.caveat or ""
    assert "fold-1" in told and "fold-0" not in told


def test_folds_whose_start_knew_their_photos_are_told_from_those_of_unknown_start(
    folds: list[Path], tmp_path: Path
) -> None:
    copies = []
    for place, seen in enumerate(({"test": 3}, None)):
        copy = Path(shutil.copytree(folds[place], tmp_path / f"fold-{place}"))
        config = json.loads((copy / "config.json").read_text())
        config["initialisation"] = {"seen": seen}
        (copy / "config.json").write_text(json.dumps(config))
        copies.append(copy)
    what = "what they began with, or their teachers, had learnt from test photos of the fold"
    told = pool_runs(copies, tmp_path / "pool", replicates=5).report.caveat or ""
    assert told.endswith(f"{what}: fold-0; nobody can tell whether {what}: fold-1")


@pytest.mark.parametrize("wrong", ["1e999", "NaN", "-1"])
def test_figures_that_are_none_are_refused_in_a_pool_and_called_damaged_in_a_list(
    folds: list[Path], tmp_path: Path, wrong: str
) -> None:
    pool_runs(folds, tmp_path / "pool", replicates=5)
    file = tmp_path / "pool" / "pooled.json"
    whole = file.read_text()
    for field in ("temperature", "folds", "balanced_accuracy"):
        file.write_text(re.sub(rf'"{field}": [^,]*', f'"{field}": {wrong}', whole, count=1))
        if field != "balanced_accuracy":
            with pytest.raises(CheckpointError, match="not a result of 'hierattn pool'"):
                read_pooled(tmp_path / "pool")
        if field == "balanced_accuracy" or (field == "folds" and wrong != "-1"):
            assert [run.status for run in list_runs(tmp_path / "pool")] == ["damaged"]
