import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.paper import trainings
from benchmarks.paper.study import Study, StudyRecipe
from benchmarks.paper.trainings import chosen_rate, read_history, train_system
from benchmarks.results import BenchmarkError
from hierattn.data.folder import read_data_folder
from hierattn.errors import ConfigError
from hierattn.runs import load_run

from .conftest import TRAINING


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What trainings were asked for, instead of training."""
    requests: list[Any] = []
    for name in ("train", "pretrain"):
        monkeypatch.setattr(trainings, name, lambda request, observer: requests.append(request))
    return requests


def write_history(run: Path, *accuracies: float) -> None:
    run.mkdir(parents=True, exist_ok=True)
    lines = ["epoch,validation_balanced_accuracy", *(f"1,{value}" for value in accuracies)]
    (run / "history.csv").write_text("\n".join(lines))


def test_a_system_starts_with_the_recipe_of_all(study: Study, asked: list[Any]) -> None:
    train_system(study, "mobilenet_v2")
    (request,) = asked
    assert (request.config.model, request.config.image_size) == ("mobilenet_v2", 64)
    assert (request.data, request.resume, request.init) == (study.data, False, None)


def test_a_killed_training_goes_on(
    study: Study, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder,) = study.folds("mobilenet_v2")
    folder.mkdir(parents=True)
    (folder / "last.ckpt").touch()
    checked: list[Path] = []
    monkeypatch.setattr(trainings, "_check_start", lambda out, init: checked.append(out))
    train_system(study, "mobilenet_v2")
    # What it once began with may not be what is asked for now.
    assert asked[0].resume and checked == [folder]


def test_features_rates_and_folds_in_their_order(study: Study, asked: list[Any]) -> None:
    recipe = StudyRecipe(
        folds=("1/3", "2/3"), training={**TRAINING, "validation_fraction": 0},
        rates=(0.001, 0.002), choosing={"epochs": 6, "validation_fraction": 0.2},
        features={"epochs": 2},
    )  # fmt: skip
    whole = replace(study, recipe=recipe, teacher="t.pth", feature_data=study.data)
    for rate, accuracies in ((0.001, (0.9, 0.2, 0.2, 0.2, 0.4, 0.6)), (0.002, (0.45,) * 6)):
        write_history(whole.trial("mnasnet1_0", rate), *accuracies)
    train_system(whole, "mnasnet1_0")
    features, *trials = asked
    assert (features.teacher, features.data, features.config.epochs) == ("t.pth", study.data, 2)
    told = [(t.config.lr, t.config.fold, t.config.validation_fraction) for t in trials]
    # The mean of the last two of six epochs is 0.5 for the first rate.
    assert told == [
        (0.001, "1/3", 0.2), (0.002, "1/3", 0.2), (0.001, "1/3", 0.0), (0.001, "2/3", 0.0),
    ]  # fmt: skip
    assert chosen_rate(whole, "mnasnet1_0") == 0.001
    assert [t.config.epochs for t in trials] == [6, 6, 1, 1]
    assert all(t.init == whole.features("mnasnet1_0") for t in trials)


def test_what_is_finished_is_not_done_again(
    study: Study, finished: Path, asked: list[Any], tmp_path: Path
) -> None:
    (fold,) = study.folds("hierattn_xs")
    shutil.copytree(finished, fold)
    record = json.loads((fold / "config.json").read_text())
    record["training"]["fold"] = "1/3"
    (fold / "config.json").write_text(json.dumps(record))
    with pytest.raises(BenchmarkError, match="another recipe"):
        train_system(study, "hierattn_xs")
    fields = load_run(fold).config.training.model_dump(exclude={"model", "fold"})
    same = replace(study, recipe=StudyRecipe(folds=("1/3",), training=fields))
    train_system(same, "hierattn_xs")
    # Another folder of the same name: the run would stand beside runs of other photos.
    other = tmp_path / "elsewhere" / study.name
    shutil.copytree(study.data[0], other)
    with read_data_folder(other).records[0].path.open("ab") as photo:
        photo.write(b"\0")
    with pytest.raises(BenchmarkError, match="other photos than --data's"):
        train_system(replace(same, data=(other,)), "hierattn_xs")
    assert not asked


@pytest.mark.parametrize("text", [None, "", "epoch,loss\n1,0.5\n", "epoch,train_loss\n1,x\n"])
def test_a_damaged_history_is_told_by_its_file(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(BenchmarkError, match=r"history\.csv: .*remove its folder"):
        read_history(file, "train_loss")


def test_features_of_another_recipe_are_refused(study: Study, asked: list[Any]) -> None:
    recipe = study.recipe.model_copy(update={"features": {"epochs": 2}})
    other = replace(study, recipe=recipe, teacher="t.pth", feature_data=study.data)
    folder = other.features("mnasnet1_0")
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    with pytest.raises(BenchmarkError, match="another recipe"):
        train_system(other, "mnasnet1_0")
    assert not asked


def test_features_of_other_photos_are_refused(
    study: Study, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = study.recipe.model_copy(update={"features": {"epochs": 2}})
    other = replace(study, recipe=recipe, teacher="t.pth", feature_data=study.data)
    folder = other.features("mnasnet1_0")
    folder.mkdir(parents=True)
    (folder / "config.json").touch()
    data = SimpleNamespace(sha256="0" * 64)
    found = SimpleNamespace(training=recipe.feature_config("mnasnet1_0"), data=data)
    monkeypatch.setattr(trainings, "pretraining_behind", lambda out: found)
    with pytest.raises(BenchmarkError, match="other photos than --feature-data's"):
        train_system(other, "mnasnet1_0")
    data.sha256 = other.feature_data_sha256
    train_system(other, "mnasnet1_0")
    assert [request.out for request in asked] == list(other.folds("mnasnet1_0"))


def test_a_study_goes_on_from_the_first_folds_of_another(
    study: Study, asked: list[Any], tmp_path: Path
) -> None:
    later = replace(study, work=tmp_path / "later", earlier=study.work)
    train_system(later, "mobilenet_v2")
    (request,) = asked
    # Labels were learnt there: photos that judge must be new to them.
    assert (request.init, request.allow_seen) == (study.folds("mobilenet_v2")[0], False)
    assert later.initialisation == "fold 1 of work for all"
    features = StudyRecipe(folds=("1/3",), training=TRAINING, features={"epochs": 1})
    with pytest.raises(ConfigError, match="leave out --init-from"):
        replace(later, recipe=features)


def test_a_run_that_began_with_other_weights_is_not_taken(
    study: Study, finished: Path, tmp_path: Path
) -> None:
    (start,), (out,) = study.folds("hierattn_s"), study.folds("hierattn_xs")
    for place in (start, out):
        shutil.copytree(finished, place)
    config = load_run(finished).config.training
    trainings._train(study, config, out, None)
    later = replace(study, earlier=study.work)
    with pytest.raises(BenchmarkError, match="began with other weights; give another --work"):
        trainings._train(later, config, out, None)
