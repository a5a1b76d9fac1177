import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.paper import stages
from benchmarks.paper.stages import Study
from benchmarks.results import BenchmarkError
from hierattn.data.records import DataFolder
from hierattn.runs import load_run

RECIPE = '{"epochs": 1, "image_size": 64, "batch_size": 8, "fold": "1/3"}'


@pytest.fixture
def study(painted: DataFolder, tmp_path: Path) -> Study:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(RECIPE)
    return Study(painted.root, recipe, tmp_path / "work")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What training was asked for, instead of training."""
    requests: list[Any] = []
    monkeypatch.setattr(stages, "train", requests.append)
    return requests


def test_a_system_starts_with_the_recipe_of_all(study: Study, asked: list[Any]) -> None:
    stages.train_system(study, "mobilenet_v2")
    (request,) = asked
    assert (request.config.model, request.config.image_size) == ("mobilenet_v2", 64)
    assert (request.data, request.resume) == (study.data, False)


def test_a_killed_training_goes_on(study: Study, asked: list[Any]) -> None:
    folder = study.run("mobilenet_v2")
    folder.mkdir(parents=True)
    (folder / "last.ckpt").touch()
    stages.train_system(study, "mobilenet_v2")
    assert asked[0].resume


def test_what_is_finished_is_not_done_again(study: Study, finished: Path, asked: list[Any]) -> None:
    shutil.copytree(finished, study.run("hierattn_xs"))
    with pytest.raises(BenchmarkError, match="another recipe"):
        stages.train_system(study, "hierattn_xs")
    recipe = load_run(finished).config.training.model_dump_json(exclude={"model"})
    study.recipe.write_text(recipe)
    stages.train_system(study, "hierattn_xs")
    other = replace(study, data=study.data / "elsewhere")
    with pytest.raises(BenchmarkError, match="not on 'elsewhere'"):
        stages.train_system(other, "hierattn_xs")
    assert not asked


@pytest.mark.slow
@pytest.mark.long
def test_one_system_from_training_to_its_row(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = [system for system in stages.SYSTEMS if system.model == "hierattn_xs"]
    monkeypatch.setattr(stages, "SYSTEMS", one)
    stages.train_system(study, "hierattn_xs")
    stages.export_system(study, "hierattn_xs")
    timed = stages.time_systems(study, "a test", runs=10)
    predictions = stages.keep_held_out(study, "hierattn_xs", tmp_path / "results")
    assert set(predictions.splits) == {"test"}
    assert (tmp_path / "results/hierattn_xs.predictions.csv").is_file()
    row = stages.make_row(study, "hierattn_xs", predictions, timed)
    assert {latency.runtime for latency in row.latencies} == {"torch", "onnxruntime", "litert"}
    assert row.size_mb is not None
    assert row.size_mb > 4
    assert row.top1.low <= row.top1.value <= row.top1.high
    before = (study.report / "results.json").read_bytes()
    stages.time_systems(study, "again", runs=10)
    assert (study.report / "results.json").read_bytes() == before
