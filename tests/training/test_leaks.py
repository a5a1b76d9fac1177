"""Photos that the weights behind ``--init`` learnt from."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hierattn.data.records import DataFolder
from hierattn.data.split_file import read_split_rows
from hierattn.data.splits import Split
from hierattn.data.synth.dataset import write_synthetic
from hierattn.errors import CheckpointError, ConfigError
from hierattn.evaluation.evaluate import evaluate_run
from hierattn.lineage import caveat_of
from hierattn.run_list import list_runs
from hierattn.runs import TeacherRecord
from hierattn.training.recipe.config import build_config
from hierattn.training.run.request import TrainingRequest
from hierattn.training.trainer import train


def request(data: Path, out: Path, init: Path, seed: int = 0) -> TrainingRequest:
    config = build_config(model="hierattn_xs", image_size=64, epochs=1, batch_size=24, seed=seed)
    return TrainingRequest(config, data, out, init=init)


def test_the_same_photos_with_another_seed_are_refused_or_recorded(
    finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    root = tmp_path / "renamed"
    for record in painted.records:
        target = root / record.label / f"new-{record.path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(record.path, target)
    order = request(root, tmp_path / "run", finished / "model.safetensors", seed=5)
    with pytest.raises(ConfigError, match=r"learnt from \d+ of 1\d test photos and .*--allow-seen"):
        train(order)
    assert not (tmp_path / "run").exists()
    train(replace(order, allow_seen=True))
    recorded = json.loads((tmp_path / "run" / "config.json").read_text())["initialisation"]["seen"]
    earlier = {row.sha256: row.split for row in read_split_rows(finished / "splits.csv")}
    rows = read_split_rows(tmp_path / "run" / "splits.csv")
    pairs = [(row.split, earlier[row.sha256]) for row in rows]
    assert (
        0
        < recorded["test"]
        == sum(now is Split.TEST and before is not Split.TEST for now, before in pairs)
    )
    assert 0 < recorded["validation"] == pairs.count((Split.VALIDATION, Split.TRAIN))
    report = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    assert f"had learnt from at least {recorded['test']} of its test photos" in report["caveat"]
    (listed,) = list_runs(tmp_path / "run")
    assert listed.caveat == report["caveat"]
    # Asked later, what had been learnt from is left out, so that nothing is to be said of the rest.
    later = evaluate_run(str(tmp_path / "run"), root, replicates=5)
    assert later.report.images == report["images"] - recorded["test"]
    assert later.report.caveat is None


def test_the_same_split_leaks_nothing(finished: Path, painted: DataFolder, tmp_path: Path) -> None:
    train(request(painted.root, tmp_path / "run", finished))
    recorded = json.loads((tmp_path / "run" / "config.json").read_text())["initialisation"]
    assert recorded["seen"] == {"test": 0, "validation": 0}
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]["caveat"] is None


def test_figures_that_may_flatter_say_why() -> None:
    teacher = TeacherRecord(
        name="t", model="hierattn_s", weights_sha256="0", data=None, licences=[], seen={"test": 3}
    )
    unknown = teacher.model_copy(update={"seen": None})
    assert caveat_of(None, [], "test") is None
    assert caveat_of({"file": "bare.safetensors"}, [], "test") is None
    assert caveat_of({"seen": {"test": 0, "validation": 2}}, [], "test") is None
    learnt = caveat_of({"seen": {"test": 1}}, [teacher], "test")
    assert learnt is not None and "from at least 3 of its test photos" in learnt
    for wrong in ([1], "abc", {"test": -4}, {"test": 1.5}, {"test": None}):
        with pytest.raises(CheckpointError, match=r"field 'initialisation\.seen'"):
            caveat_of({"seen": wrong}, [], "test")
    for caveat in (caveat_of({"seen": None}, [], "test"), caveat_of(None, [unknown], "test")):
        assert caveat is not None and "nobody can tell" in caveat


def test_what_earlier_runs_learnt_is_known_to_later_ones(
    finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    others = write_synthetic(tmp_path / "others", per_class=8, size=64, seed=9)
    train(request(others.root, tmp_path / "second", finished))
    # The first run's photos were learnt by the second's weights, too.
    evaluation = evaluate_run(str(tmp_path / "second"), painted.root, replicates=5)
    rows = read_split_rows(finished / "splits.csv")
    assert evaluation.report.images == sum(row.split is Split.TEST for row in rows)
    assert "train part (the same content)" in evaluation.remarks[0]
    with pytest.raises(ConfigError, match="--allow-seen"):
        train(request(painted.root, tmp_path / "third", tmp_path / "second", seed=5))


def test_weights_of_no_run_tell_nothing(
    finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    weights = tmp_path / "bare.safetensors"
    shutil.copy(finished / "model.safetensors", weights)
    train(request(painted.root, tmp_path / "run", weights, seed=5))
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert "seen" not in config["initialisation"]
    assert not (tmp_path / "run" / "seen.csv").exists()


def test_a_run_that_lost_its_table_of_photos_is_no_start_unless_allowed(
    finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    bare = Path(shutil.copytree(finished, tmp_path / "bare"))
    (bare / "splits.csv").unlink()
    with pytest.raises(ConfigError, match=r"--init .*: has no splits\.csv, so nobody can tell"):
        train(request(painted.root, tmp_path / "run", bare))
    assert not (tmp_path / "run").exists()
