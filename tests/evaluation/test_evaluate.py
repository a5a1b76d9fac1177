"""A run judged on a folder: which photos are taken, and what is said of them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hierattn.data.folder import read_data_folder
from hierattn.data.records import DataFolder
from hierattn.data.seen import recognise
from hierattn.data.split_file import SplitRow, read_split_rows
from hierattn.data.splits import Split
from hierattn.data.synth.dataset import write_synthetic
from hierattn.errors import (
    DataError,
    UnknownNameError,
    UnreadableImagesError,
)
from hierattn.evaluation.evaluate import evaluate_predictor, evaluate_run, write_evaluation
from hierattn.inference import TorchPredictor
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.predictions import read_csv
from hierattn.metrics.report import evaluate_predictions
from hierattn.preprocessing import PreprocessSpec
from tests.data.helpers import write_class_folders


def files_of(run: Path, *splits: Split) -> list[str]:
    return sorted(row.file for row in read_split_rows(run / "splits.csv") if row.split in splits)


def copy_photos(painted: DataFolder, root: Path, keep: Callable[[str], bool], prefix: str) -> Path:
    """Photos of the painted folder without its manifest."""
    for record in painted.records:
        if keep(record.file):
            target = root / record.label / f"{prefix}{record.path.name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(record.path, target)
    return root


def test_auto_judges_the_held_out_photos_alone(finished: Path, painted: DataFolder) -> None:
    seen: list[tuple[int, int]] = []
    evaluation = evaluate_run(
        str(finished), painted.root, replicates=20, progress=lambda *state: seen.append(state)
    )
    assert sorted(evaluation.predictions.files) == files_of(finished, Split.TEST)
    assert evaluation.report.caveat is None and evaluation.skipped == ()
    assert "test" in evaluation.chosen and "train" not in evaluation.chosen
    assert seen[-1] == (evaluation.report.images,) * 2
    # The training wrote the same figures, through the same judge.
    metrics = json.loads((finished / "metrics.json").read_text())["test"]
    assert evaluation.report.confusion == metrics["confusion"]
    assert evaluation.report.macro.auc == metrics["macro"]["auc"]
    assert evaluation.operating_point.model_dump() == metrics["operating_point"]


@pytest.mark.parametrize(
    ("split", "parts", "warned"),
    [
        ("all", tuple(Split), True),
        ("train", (Split.TRAIN,), True),
        ("validation", (Split.VALIDATION,), True),
        ("test", (Split.TEST,), False),
    ],
)
def test_a_split_by_name_and_its_warning(
    finished: Path, painted: DataFolder, split: str, parts: tuple[Split, ...], warned: bool
) -> None:
    evaluation = evaluate_run(str(finished), painted.root, split=split, replicates=5)
    assert sorted(evaluation.predictions.files) == files_of(finished, *parts)
    learnt = len(files_of(finished, *(set(parts) - {Split.TEST})))
    assert (evaluation.report.caveat is not None) == warned
    if evaluation.report.caveat is not None:
        assert f"calibrated on {learnt} of these {evaluation.report.images} photos" in (
            evaluation.report.caveat
        )


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """Other painted pictures, whose files and patients are called as those of ``painted``."""
    root = tmp_path_factory.mktemp("data") / "others"
    return write_synthetic(root, per_class=12, size=64, seed=1)


def test_photos_the_run_never_saw_are_all_judged_whatever_their_names(
    finished: Path, painted: DataFolder, others: DataFolder
) -> None:
    names = {record.file for record in painted.records}
    assert len(names.intersection(record.file for record in others.records)) > 40
    evaluation = evaluate_run(str(finished), others.root, replicates=5)
    assert evaluation.report.images == 72 and evaluation.report.caveat is None
    assert evaluation.chosen == "72 images (72 new)"
    (remark,) = evaluation.remarks
    assert remark.startswith("taken as new: 72 under 33 names (patient:painted_patient_")
    assert remark.endswith("from another source; give both one 'source' if they are the same")
    with pytest.raises(DataError, match=r"none of its photos in 'test'"):
        evaluate_run(str(finished), others.root, split="test")


def test_the_runs_own_photos_are_known_under_any_name(
    finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    root = copy_photos(painted, tmp_path / "renamed", lambda file: True, "new-")
    evaluation = evaluate_run(str(finished), root, replicates=5)
    held = files_of(finished, Split.TEST)
    assert sorted(evaluation.predictions.files) == sorted(f.replace("/", "/new-") for f in held)
    counts = {split: len(files_of(finished, split)) for split in Split}
    assert evaluation.remarks == (
        f"left out: {counts[Split.TRAIN]} in the run's train part (the same content)",
        f"left out: {counts[Split.VALIDATION]} in the run's validation part (the same content)",
    )
    assert evaluation.document()["remarks"] == list(evaluation.remarks)
    everything = evaluate_run(str(finished), root, split="all", replicates=5)
    assert everything.report.images == 72 and everything.report.caveat is not None


def test_other_photos_of_a_learnt_patient_are_known_within_one_source_alone(
    finished: Path, painted: DataFolder, others: DataFolder, tmp_path: Path
) -> None:
    """Other pictures under the manifest of the run's own: new photos of its patients."""
    for source, left in (("hierattn data synth --seed 0", True), ("another clinic", False)):
        root = tmp_path / source
        shutil.copytree(painted.root, root)
        table = root / "manifest.csv"
        table.write_text(table.read_text().replace("hierattn data synth --seed 0", source))
        for place, record in enumerate(painted.records):
            shutil.copy(others.records[place].path, root / record.file)
        evaluation = evaluate_run(str(finished), root, replicates=5)
        assert (evaluation.report.images < 72) == left
        assert ("of the same patient or lesion" in " ".join(evaluation.remarks)) == left
        assert ("taken as new: 72" in " ".join(evaluation.remarks)) != left


def test_names_of_the_isic_archive_are_one_source(tmp_path: Path) -> None:
    folder = read_data_folder(write_class_folders(tmp_path, {"MEL": 2, "NV": 1}))
    ids = ({"lesion_id": "HAM_0000118"}, {"image_id": "ISIC_0024306"}, {"lesion_id": "7"})
    records = tuple(replace(r, source="x", **i) for r, i in zip(folder.records, ids, strict=True))
    rows = [
        SplitRow(f"{number}.jpg", "MEL", group, Split.TRAIN, "0" * 64, "y")
        for number, group in enumerate(("lesion:HAM_0000118", "image:ISIC_0024306", "lesion:7"))
    ]
    seen = recognise(replace(folder, records=records), rows)
    assert seen.parts.tolist() == ["train", "train", "new"] and len(seen.namesakes) == 1


def test_a_run_without_hashes_knows_its_photos_by_name(
    finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(finished, copy)
    rows = [
        ",".join(line.split(",")[:4]) for line in (copy / "splits.csv").read_text().splitlines()
    ]
    (copy / "splits.csv").write_text("\n".join(rows) + "\n")
    evaluation = evaluate_run(str(copy), painted.root, replicates=5)
    assert sorted(evaluation.predictions.files) == files_of(finished, Split.TEST)
    assert "train part (the same name)" in evaluation.remarks[0]


def test_where_every_photo_was_learnt_from_auto_judges_all_and_warns(
    finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    learnt = set(files_of(finished, Split.TRAIN))
    root = copy_photos(painted, tmp_path / "old", learnt.__contains__, "")
    evaluation = evaluate_run(str(finished), root, replicates=5)
    assert evaluation.report.images == len(learnt)
    assert "say little about new ones" in (evaluation.report.caveat or "")


def test_an_unknown_split_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UnknownNameError, match="unknown split 'tests'; did you mean 'test'"):
        evaluate_run("no such run", Path("no such data"), split="tests")


def test_classes_the_model_does_not_know_are_named(
    finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    root = copy_photos(painted, tmp_path / "data", lambda file: True, "")
    (root / painted.classes[0]).rename(root / "wart")
    with pytest.raises(DataError, match="classes the model does not know: wart"):
        evaluate_run(str(finished), root)


def test_accents_in_the_other_form_are_the_models_class(tmp_path: Path) -> None:
    composed, loose = "M\u00e9lanome", "Me\u0301lanome"
    root = write_class_folders(tmp_path, {composed: 2, "nv": 2})
    predictions, _ = evaluate_predictor(
        lambda images: np.zeros((len(images), 2)),
        PreprocessSpec(image_size=16),
        (loose, "nv"),
        read_data_folder(root),
    )
    assert predictions.classes == (loose, "nv")
    assert predictions.labels.tolist() == [0, 0, 1, 1]


def test_fewer_classes_keep_the_models_order(
    finished: Path, painted: DataFolder, others: DataFolder, tmp_path: Path
) -> None:
    kept = painted.classes[-2:]
    root = copy_photos(others, tmp_path / "two", lambda file: file.split("/")[0] in kept, "")
    report = evaluate_run(str(finished), root, replicates=5).report
    assert report.classes == list(painted.classes)
    assert [sum(row) for row in report.confusion] == [0] * 4 + [12, 12]


def test_unreadable_photos_stop_or_are_listed(
    finished: Path, others: DataFolder, tmp_path: Path
) -> None:
    root = copy_photos(others, tmp_path / "data", lambda file: True, "")
    (root / others.classes[0] / "bad.jpg").write_bytes(b"")
    with pytest.raises(UnreadableImagesError, match=r"bad\.jpg: the file is empty"):
        evaluate_run(str(finished), root)
    evaluation = evaluate_run(str(finished), root, replicates=5, skip_unreadable=True)
    assert evaluation.report.images == 72
    assert len(evaluation.skipped) == 1 and "bad.jpg" in evaluation.skipped[0]


def test_a_numpy_function_is_judged_as_its_torch_twin_is(painted: DataFolder) -> None:
    spec = PreprocessSpec(image_size=32)
    torch.manual_seed(0)
    model = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 6))
    weight = model[2].weight.detach().numpy()
    bias = model[2].bias.detach().numpy()

    def twin(images: np.ndarray, /) -> np.ndarray:
        pooled = images.reshape(len(images), 3, 4, 8, 4, 8).mean((3, 5))
        return pooled.reshape(len(images), 48) @ weight.T + bias

    point = OperatingPoint(temperature=0.5, melanoma_class=painted.classes[0])
    reports = []
    for predictor in (TorchPredictor(model), twin):
        predictions, skipped = evaluate_predictor(predictor, spec, painted.classes, painted)
        assert skipped == () and predictions.files == tuple(r.file for r in painted.records)
        reports.append(evaluate_predictions(predictions, point, replicates=20))
    ours, theirs = reports
    assert ours.confusion == theirs.confusion
    assert ours.intervals.balanced_accuracy == theirs.intervals.balanced_accuracy
    assert ours.macro.auc == pytest.approx(theirs.macro.auc, abs=1e-6)
    assert ours.calibration.after.nll == pytest.approx(theirs.calibration.after.nll, abs=1e-5)
    # Photos of one patient are one group, also for the intervals.
    assert ours.groups == len({record.group for record in painted.records}) < 72


def test_a_judgement_is_written_with_figures_and_reads_back(
    finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    evaluation = evaluate_run(str(finished), painted.root, replicates=5)
    write_evaluation(tmp_path / "out", evaluation)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "metrics.json", "predictions.csv", "confusion.png", "reliability.png", "roc.png",
    }  # fmt: skip
    document = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert document == evaluation.document()
    assert set(document) == {
        "judged", "warning", "remarks", "skipped", "passed_over", "report",
    }  # fmt: skip
    back = read_csv(tmp_path / "out" / "predictions.csv")
    assert np.array_equal(back.logits, evaluation.predictions.logits)


def test_another_photo_of_a_learnt_patient_is_not_new(
    finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    """A balanced folder keeps some photos out of training, but not their patients."""
    rows = {row.file: row for row in read_split_rows(finished / "splits.csv")}
    counts = Counter(row.group for row in rows.values() if row.split == "train")
    group = next(name for name, count in counts.items() if count > 1)
    hidden = next(row.file for row in rows.values() if row.group == group)
    copy = tmp_path / "run"
    shutil.copytree(finished, copy)
    lines = (copy / "splits.csv").read_text().splitlines(keepends=True)
    (copy / "splits.csv").write_text("".join(x for x in lines if not x.startswith(hidden)))
    fields = json.loads((copy / "config.json").read_text())
    fields["data"]["images"] -= 1
    (copy / "config.json").write_text(json.dumps(fields))
    evaluation = evaluate_run(str(copy), painted.root, replicates=5)
    assert hidden not in evaluation.predictions.files
    assert len(evaluation.predictions) == sum(row.split == "test" for row in rows.values())


def test_an_unreadable_photo_does_not_blame_a_class_that_was_not_asked_for(
    painted: DataFolder, tmp_path: Path
) -> None:
    root = copy_photos(painted, tmp_path / "data", lambda file: True, "")
    first = painted.classes[0]
    (root / first / "bad.jpg").write_bytes(b"")
    folder = read_data_folder(root)
    part = replace(folder, records=tuple(r for r in folder.records if r.label == first))
    predictions, skipped = evaluate_predictor(
        lambda images: np.zeros((len(images), 6)),
        PreprocessSpec(image_size=16),
        painted.classes,
        part,
        skip_unreadable=True,
    )
    assert len(predictions) == 12 and len(skipped) == 1


def test_a_run_that_lost_its_table_of_photos_is_not_said_to_know_none(
    finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(finished, tmp_path / "run"))
    (copy / "splits.csv").unlink()
    evaluation = evaluate_run(str(copy), painted.root, replicates=5)
    assert "not known whether it learnt" in (evaluation.report.caveat or "")
