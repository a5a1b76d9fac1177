from pathlib import Path

import pytest

from benchmarks import accuracy
from benchmarks.accuracy import accuracy_of, judge_all
from benchmarks.exports import read_exports
from benchmarks.logits_cache import LogitsCache
from benchmarks.photos import Photos, choose
from benchmarks.subjects import Subject, make_subjects
from benchmarks.workers import Order
from export.formats.onnx.session import open_session
from hierattn.evaluation import predict_logits
from hierattn.metrics.report import evaluate_predictions
from tests.benchmarks.helpers import CLASSES, write_export
from tests.data.helpers import write_class_folders


@pytest.fixture
def judged(tmp_path: Path) -> tuple[list[Subject], Photos]:
    folder = write_export(tmp_path / "export", scale=30.0)
    data = write_class_folders(tmp_path / "photos", dict.fromkeys(CLASSES, 5))
    exports = read_exports([folder], [], tmp_path)
    return make_subjects(exports, [1, 2], ["onnxruntime"]), choose(data, exports, {})


def test_a_file_is_judged_by_the_code_that_judges_runs(
    judged: tuple[list[Subject], Photos], tmp_path: Path
) -> None:
    subjects, photos = judged
    judge_all(subjects, photos, LogitsCache(tmp_path / "cache"))
    manifest = subjects[0].export.manifest
    path = subjects[0].export.folder / subjects[0].row.name
    session = open_session(path, path.read_bytes(), 1)
    logits = predict_logits(
        lambda images: session.run(None, {"input": images})[0],
        photos.pixels(manifest.preprocessing),
        manifest.preprocessing,
    )
    predictions = photos.predictions(logits, manifest.classes)
    expected = accuracy_of(evaluate_predictions(predictions, manifest.operating_point))
    for subject in subjects:
        row = subject.row
        assert row.balanced_accuracy == pytest.approx(expected.balanced_accuracy)
        assert row.balanced_accuracy_interval == expected.balanced_accuracy_interval
        assert row.melanoma_sensitivity == row.sensitivity["mel"]
        assert row.ece == pytest.approx(expected.ece)
        assert sum(count for _, _, count in row.reliability) == 15
        assert row.change_vs_torch == {}


def test_a_file_that_answered_once_is_not_asked_again(
    judged: tuple[list[Subject], Photos], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects, photos = judged
    asked: list[Order] = []
    worker = accuracy.Worker

    def counting(order: Order) -> accuracy.Worker:
        asked.append(order)
        return worker(order)

    monkeypatch.setattr(accuracy, "Worker", counting)
    cache = LogitsCache(tmp_path / "cache")
    judge_all(subjects, photos, cache)
    first = subjects[0].row
    assert len(asked) == 1
    judge_all(subjects, photos, cache)
    assert len(asked) == 1 and subjects[0].row == first
    (entry,) = (tmp_path / "cache").iterdir()
    entry.write_bytes(b"damaged")
    judge_all(subjects, photos, cache)
    assert len(asked) == 2 and subjects[0].row == first


def test_a_file_that_fails_is_a_failed_row_and_the_others_go_on(
    judged: tuple[list[Subject], Photos], tmp_path: Path
) -> None:
    subjects, photos = judged
    good, bad = subjects
    bad.row = bad.row.model_copy(update={"name": "bad.onnx", "sha256": "b" * 64})
    bad.order = Order("onnxruntime", str(tmp_path / "nowhere.onnx"), 1)
    saved: list[str] = []
    judge_all(
        subjects, photos, LogitsCache(tmp_path / "c"), checkpoint=lambda: saved.append("once")
    )
    assert bad.row.status == "failed" and "nowhere.onnx" in (bad.row.reason or "")
    assert bad.order is None
    assert good.row.top1 is not None and saved == ["once"]


def test_changes_against_torch() -> None:
    from dataclasses import replace

    from benchmarks.accuracy import Accuracy

    torch = Accuracy(0.5, 0.5, None, 0.75, None, 0.8, 0.1, {"mel": 0.75, "nv": None}, [])
    file = replace(torch, balanced_accuracy=0.25, sensitivity={"mel": 0.5, "nv": None})
    changes = file.changes(torch)
    assert changes["balanced_accuracy"] == -0.25 and changes["top1"] == 0.0
    assert changes["sensitivity:mel"] == -0.25
    assert changes["sensitivity:nv"] is None and changes["melanoma_at_threshold"] is None
