"""``hierattn predict`` and ``hierattn runs``."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierattn.cli.commands.predict import show_answers
from hierattn.data.records import DataFolder
from hierattn.data.split_file import read_split_rows
from hierattn.data.splits import Split
from hierattn.evaluation import predict
from hierattn.evaluation.predict import Classifier, answer_photos
from hierattn.evaluation.saliency import points
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.preprocessing import PreprocessSpec
from hierattn.shipped import SHIPPED
from tests.conftest import Answer
from tests.data.helpers import write_photo

Cli = Callable[..., Answer]


def test_without_a_readable_photo_no_table_is_shown(
    cli: Cli, finished: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"x")
    answer = cli("predict", finished, tmp_path)
    assert answer.code == 1 and "bad.jpg: not an image" in answer.out
    assert "no photo could be read" in answer.out and "probabilities" not in answer.out


def test_photos_and_a_folder_are_answered(
    cli: Cli, finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for place, record in enumerate(painted.records[:2]):
        (mixed / f"{place}{record.path.suffix}").write_bytes(record.path.read_bytes())
    (mixed / "bad.jpg").write_bytes(b"")
    (mixed / "notes.txt").write_text("no photo")
    (mixed / "loop").symlink_to(mixed)
    table, maps = tmp_path / "answers.csv", tmp_path / "maps"
    photo = painted.records[3].path
    answer = cli("predict", finished, photo, mixed, "--json", "--csv", table, "--saliency", maps)
    assert answer.code == 1 and "predicting: 4 of 4 in" in answer.err
    document = json.loads(answer.out)
    assert Path(document["photos"][0]["file"]).name == photo.name
    assert len(document["photos"]) == 3 and len(document["passed_over"]) == 1
    assert len(document["unreadable"]) == 1 and "bad.jpg" in document["unreadable"][0]
    for row in document["photos"]:
        assert sum(row["probabilities"].values()) == pytest.approx(1)
        assert row["answer"] == max(row["probabilities"], key=row["probabilities"].__getitem__)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["answer"] for row in rows] == [row["answer"] for row in document["photos"]]
    # Its operating point was fitted on too few photos to call an answer sure.
    assert document["calibrated"] is False and "not fitted" in document["fitted_on"]
    assert document["certainty_needed"] is None and document["photos"][0]["sure"] is None
    assert {(row["sure"], row["certainty_needed"]) for row in rows} == {("", "")}
    assert len(list(maps.glob("*.png"))) == 3


def test_the_table_names_the_photo_and_says_what_it_is_not(
    cli: Cli, finished: Path, painted: DataFolder
) -> None:
    answer = cli("predict", finished, painted.records[0].path)
    assert answer.code == 0 and painted.records[0].path.name in answer.out
    assert "no diagnosis" in answer.out


def _classifier(**point: Any) -> Classifier:
    classes = ("a", "b", "c", "d")
    spec = PreprocessSpec(image_size=8)
    return Classifier(
        lambda photos: np.zeros((len(photos), 4), np.float32),
        spec,
        classes,
        OperatingPoint(**point),
    )


def test_several_target_classes_flag_together(
    painted: DataFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    classifier = _classifier(
        target_classes=("a", "b"), melanoma_threshold=0.5, fitted_on="photos of a test"
    )
    (answer,) = answer_photos(classifier, [painted.records[0].path])
    assert isinstance(answer, predict.Answer)
    assert answer.target == pytest.approx(0.5) and answer.flagged is True
    show_answers(classifier, [answer])
    assert "a + b flag" in capsys.readouterr().out


def test_no_flag_is_shown_on_the_wrong_side_of_its_threshold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Both would read 0.025 with three digits."""
    classifier = _classifier(
        target_classes=("a",), melanoma_threshold=0.0254, fitted_on="photos of a test"
    )
    rest = dict.fromkeys("bcd", 0.325)
    for target in (0.0254, 0.0252):
        answer = predict.Answer(
            Path("photo.jpg"), {"a": target, **rest}, True, target, target >= 0.0254
        )
        show_answers(classifier, [answer])
    shown = capsys.readouterr().out
    assert "FLAGGED: 0.025\n" in shown.replace(" \n", "\n") and "below: 0.0252" in shown
    assert "at least 0.025, " in shown and "at least 0.0254, " in shown


def test_not_sure_is_told_with_the_certainty_it_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    """Both would read 0.375 with three digits."""
    classifier = _classifier(abstain_threshold=0.3747, fitted_on="photos of a test")
    answers = [
        predict.Answer(
            Path("photo.jpg"), {"a": best, "b": 1 - 2 * best, "c": best - 0.1, "d": 0.1},
            sure=best >= 0.3747, target=None, flagged=None,
        )
        for best in (0.3748, 0.3746)
    ]  # fmt: skip
    show_answers(classifier, answers)
    shown = " ".join(capsys.readouterr().out.split())
    assert "a: 0.3748" in shown and "a: 0.3746" in shown and "may answer, 0.3747." in shown


def test_a_fitted_point_s_certainty_stands_in_json_and_csv(
    painted: DataFolder, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = _classifier(abstain_threshold=0.3, fitted_on="photos of a test")
    monkeypatch.setattr("hierattn.cli.commands.predict.load_classifier", lambda _: classifier)
    table = tmp_path / "answers.csv"
    document = json.loads(
        cli("predict", "a run", painted.records[0].path, "--json", "--csv", table).out
    )
    assert document["calibrated"] is True and document["certainty_needed"] == 0.3
    assert document["photos"][0]["sure"] is False
    (row,) = csv.DictReader(table.open(newline=""))
    assert (row["sure"], row["certainty_needed"]) == ("false", "0.3")


def test_photos_that_the_run_learnt_from_are_counted(
    cli: Cli, finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    split = {row.file: row.split for row in read_split_rows(finished / "splits.csv")}
    learnt = next(r.path for r in painted.records if split[r.file] == Split.TRAIN)
    held = next(r.path for r in painted.records if split[r.file] == Split.TEST)
    copy = tmp_path / f"renamed{learnt.suffix}"
    copy.write_bytes(learnt.read_bytes())
    new = write_photo(tmp_path / "new.png", 7)
    told = cli("predict", finished, copy, held, new)
    assert "NOTE the run was trained or calibrated on 1 of the 3 asked" in told.out
    assert json.loads(cli("predict", finished, copy, "--json").out)["learnt_from"] == 1
    assert "NOTE" not in cli("predict", finished, held, new).out


def test_an_exported_file_knows_what_its_run_learnt_from_where_that_is_beside_it(
    cli: Cli, finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    shutil.copytree(finished, tmp_path / finished.name)
    export = ("export", tmp_path / finished.name, "--format", "onnx", "--precision", "fp32")
    assert cli(*export, "--out", tmp_path / "made").code == 0
    (file,) = (tmp_path / "made").glob("*.onnx")
    split = {row.file: row.split for row in read_split_rows(finished / "splits.csv")}
    learnt = next(r.path for r in painted.records if split[r.file] == Split.TRAIN)
    told = cli("predict", file, learnt, "--json")
    assert json.loads(told.out)["learnt_from"] == 1
    table = tmp_path / finished.name / "splits.csv"
    table.write_text(table.read_text().splitlines()[0] + "\nnonsense\n")
    damaged = cli("predict", file, learnt, "--json")
    assert damaged.code == 0 and json.loads(damaged.out)["learnt_from"] is None
    assert (
        "NOTE whether the run learnt from these photos is not known"
        in cli("predict", file, learnt).out
    )
    shutil.rmtree(tmp_path / finished.name)
    assert json.loads(cli("predict", file, learnt, "--json").out)["learnt_from"] is None


@pytest.mark.parametrize(
    ("fitted_on", "words"),
    [("not fitted: 3 images", "are not calibrated"), ("photos of a test", "are calibrated")],
)
def test_what_was_not_fitted_is_not_called_calibrated(
    fitted_on: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    probabilities = dict.fromkeys("abcd", 0.25)
    answer = predict.Answer(Path("photo.jpg"), probabilities, sure=True, target=None, flagged=None)
    show_answers(_classifier(fitted_on=fitted_on), [answer])
    assert words in " ".join(capsys.readouterr().out.split())


def test_names_that_a_map_cannot_write_are_told_beside_it(
    painted: DataFolder,
    tmp_path: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    classifier = replace(_classifier(), classes=("黑色素瘤", "b", "c", "شامة"))
    monkeypatch.setattr("hierattn.cli.commands.predict.load_classifier", lambda _: classifier)
    photo, maps = painted.records[0].path, tmp_path / "maps"
    answer = cli("predict", "a run", photo, "--saliency", maps)
    assert answer.code == 0
    assert "In the maps class 1 is 黑色素瘤; class 4 is شامة.\n" in answer.out
    assert f"Written: {maps}\n" in answer.out
    classifier = replace(classifier, classes=("a", "b", "c", "d"))
    assert "In the maps" not in cli("predict", "a run", photo, "--saliency", tmp_path / "two").out


@pytest.mark.parametrize(
    ("share", "words"), [(0.025, "2.5"), (-0.075, "-7.5"), (0.1, "10"), (0.0, "0"), (2e-4, "0.02")]
)
def test_the_scale_of_a_map_is_not_rounded(share: float, words: str) -> None:
    assert points(share) == words


def test_what_is_not_there_is_one_line(cli: Cli, finished: Path, tmp_path: Path) -> None:
    answer = cli("predict", finished, tmp_path / "none.jpg")
    assert answer.code == 1 and "no such photo or folder" in answer.err
    assert len(answer.err.strip().splitlines()) == 1


def test_runs_are_listed_with_their_figures(cli: Cli, finished: Path, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    for name in ("done", "stopped", "other"):
        (shelf / name).mkdir(parents=True)
    for name in ("config.json", "metrics.json", "history.csv"):
        (shelf / "done" / name).write_bytes((finished / name).read_bytes())
    for name in ("done", "stopped"):
        (shelf / name / "last.ckpt").write_bytes(b"")
    (shelf / "other" / "config.json").write_text('{"somebody": "else"}')
    (shelf / "loop").symlink_to(shelf)
    rows = json.loads(cli("runs", shelf, "--json").out)["runs"]
    assert [(Path(row["path"]).name, row["status"]) for row in rows] == [
        ("done", "finished"),
        ("stopped", "unfinished"),
    ]
    report = next(iter(json.loads((finished / "metrics.json").read_text()).values()))
    assert rows[0]["balanced_accuracy"] == report["balanced_accuracy"]
    shown = cli("runs", shelf)
    assert shown.code == 0 and "done" in shown.out and "unfinished" in shown.out
    assert None not in [row["changed"] for row in rows]
    metrics = json.loads((finished / "metrics.json").read_text())
    for report in metrics.values():
        report["caveat"] = None
        report["confusion"] = [[sum(row), *[0] * (len(row) - 1)] for row in report["confusion"]]
    (shelf / "done/metrics.json").write_text(json.dumps(metrics))
    told = json.loads(cli("runs", shelf, "--json").out)["runs"][0]["caveat"]
    assert told.startswith("one answer to every image: ")
    assert cli("runs", tmp_path / "none").code == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("balanced_accuracy", True),
        ("balanced_accuracy", "0.9"),
        ("interval", {"value": 0.5, "low": 0.9, "high": 0.1}),
        ("confusion", [[1, 2], [3]]),
        ("confusion", [[-1] * 4] * 4),
        ("confusion", "abcd"),
        ("epochs", 10**30),
        ("epochs", 2.7),
        ("fold", "9/3"),
        ("metrics", "[]"),
        ("metrics", '{"test": 0}'),
        ("metrics", "nonsense"),
    ],
)
def test_a_record_that_nothing_can_have_is_called_damaged(
    cli: Cli, finished: Path, tmp_path: Path, field: str, value: object
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    config = json.loads((finished / "config.json").read_text())
    metrics = json.loads((finished / "metrics.json").read_text())
    report = next(iter(metrics.values()))
    if field in ("epochs", "fold"):
        config["training"][field] = value
    elif field == "interval":
        report["intervals"]["balanced_accuracy"] = value
    else:
        report[field] = value
    told = value if field == "metrics" else json.dumps(metrics)
    (run / "config.json").write_text(json.dumps(config))
    (run / "metrics.json").write_text(str(told))
    (row,) = json.loads(cli("runs", tmp_path, "--json").out)["runs"]
    assert row["status"] == "damaged"


def test_weights_that_came_with_a_clone_have_no_date(cli: Cli) -> None:
    """Their files have that of the clone."""
    rows = json.loads(cli("runs", SHIPPED, "--json").out)["runs"]
    assert len(rows) == 3 and {row["changed"] for row in rows} == {None}
    assert f"{date.today():%Y}-" not in cli("runs", SHIPPED).out
