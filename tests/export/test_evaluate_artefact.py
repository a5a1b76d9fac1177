"""An exported file judged on photos: which of them its weights learnt from, by the manifest."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from export.evaluate_artefact import evaluate_artefact
from hierattn.data.records import DataFolder
from hierattn.evaluation.evaluate import Evaluation, evaluate_run

pytestmark = pytest.mark.slow


def judged(file: Path, data: Path, split: str = "auto") -> Evaluation:
    return evaluate_artefact(file, data, split=split, replicates=20)


def fp32(folder: Path) -> Path:
    (file,) = folder.glob("*-fp32.onnx")
    return file


def test_the_photos_of_the_export_are_judged_as_the_run_is(
    exported: Path, finished: Path, painted: DataFolder
) -> None:
    of_file = judged(fp32(exported), painted.root)
    of_run = evaluate_run(str(finished), painted.root, replicates=20)
    assert of_file.predictions.files == of_run.predictions.files
    assert of_file.report.caveat is None
    left_out = len(painted.records) - len(of_run.predictions)
    assert of_file.remarks == (
        f"left out: {left_out} that the export was not judged on, as learnt from or set apart",
    )


def test_all_photos_are_counted_by_the_manifest(exported: Path, painted: DataFolder) -> None:
    evaluation = judged(fp32(exported), painted.root, "all")
    assert len(evaluation.predictions) == len(painted.records)
    learnt, _, count = (
        (evaluation.report.caveat or "")
        .removeprefix("its weights learnt from ")
        .partition(" of these ")
    )
    assert count == f"{len(painted.records)} photos" and 0 < int(learnt) < len(painted.records)


def test_the_run_is_asked_where_it_is_at_hand(
    exported: Path,
    finished: Path,
    painted: DataFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Other photos than the export's, so that its own record does not tell.
    some = tmp_path / "some"
    for record in painted.records[::2]:
        target = some / record.label / f"copied-{record.path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(record.path, target)
    assert (
        judged(fp32(exported), some).report.caveat
        == "not known whether its weights learnt from them"
    )
    monkeypatch.chdir(finished.parent)
    evaluation = judged(fp32(exported), some)
    assert evaluation.report.caveat is None and " test), by onnxruntime" in evaluation.chosen
    assert evaluation.remarks
    everything = judged(fp32(exported), some, "all")
    assert "the run was trained or calibrated on" in (everything.report.caveat or "")


def test_a_file_without_its_manifest_tells_that_nobody_knows(
    exported: Path, painted: DataFolder, tmp_path: Path
) -> None:
    alone = tmp_path / "alone" / "model.onnx"
    alone.parent.mkdir()
    shutil.copy(fp32(exported), alone)
    told = judged(alone, painted.root).report.caveat or ""
    assert told.startswith("not known whether its weights") and "it has no manifest.json" in told
    shutil.copy(exported / "manifest.json", alone.parent)
    assert "does not list model.onnx" in (judged(alone, painted.root).report.caveat or "")


def test_a_changed_reference_is_not_believed(folder: Path, painted: DataFolder) -> None:
    (folder / "parity.json").write_text((folder / "parity.json").read_text() + " ")
    told = judged(fp32(folder), painted.root).report.caveat or ""
    assert "parity.json: changed since the export" in told
