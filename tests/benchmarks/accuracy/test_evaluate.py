from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import evaluate
from benchmarks.accuracy.eval_photos import EvalPhotos, choose_eval_photos
from benchmarks.accuracy.evaluate import accuracy_of, constant_answers, evaluate_cases
from benchmarks.accuracy.gallery import FileAnswers
from benchmarks.accuracy.logits_cache import LogitsCache
from benchmarks.cases import Case, make_cases
from benchmarks.exports import read_exports
from export.formats.onnx.abilities import ONNXRUNTIME
from export.formats.onnx.engine import Engine
from export.runtime.client import WorkerConfig
from hierattn.inference import predict_logits
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.report import evaluate_predictions
from tests.benchmarks.helpers import CLASSES, write_export
from tests.data.helpers import write_class_folders


@pytest.fixture
def judged(tmp_path: Path) -> tuple[list[Case], EvalPhotos]:
    folder = write_export(tmp_path / "export", scale=30.0)
    data = write_class_folders(tmp_path / "photos", dict.fromkeys(CLASSES, 5))
    exports = read_exports([folder], [], tmp_path)
    return make_cases(exports, [1, 2], ["onnxruntime"]), choose_eval_photos(data, exports)


def test_a_file_is_judged_by_the_code_that_judges_runs(
    judged: tuple[list[Case], EvalPhotos], tmp_path: Path
) -> None:
    cases, photos = judged
    evaluate_cases(cases, photos, LogitsCache(tmp_path / "cache"))
    manifest = cases[0].export.manifest
    path = cases[0].export.folder / cases[0].row.name
    engine = Engine(path.read_bytes(), 1, 1)
    engine.load()
    logits = predict_logits(
        engine.run,
        photos.pixels(manifest.preprocessing),
        manifest.preprocessing,
    )
    predictions = photos.predictions(logits, manifest.classes)
    expected = accuracy_of(evaluate_predictions(predictions, manifest.operating_point))
    for case in cases:
        row = case.row
        assert row.balanced_accuracy == pytest.approx(expected.balanced_accuracy)
        assert row.balanced_accuracy_interval == expected.balanced_accuracy_interval
        assert row.melanoma_sensitivity == row.sensitivity["mel"]
        assert row.ece == pytest.approx(expected.ece)
        assert sum(count for _, _, count in row.reliability) == 15
        assert row.change_vs_torch == {}


def test_a_file_that_answered_once_is_not_asked_again(
    judged: tuple[list[Case], EvalPhotos], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases, photos = judged
    asked: list[WorkerConfig] = []
    worker = evaluate.Worker

    def counting(config: WorkerConfig) -> evaluate.Worker:
        asked.append(config)
        return worker(config)

    monkeypatch.setattr(evaluate, "Worker", counting)
    cache = LogitsCache(tmp_path / "cache")
    evaluate_cases(cases, photos, cache)
    first = cases[0].row
    assert len(asked) == 1
    evaluate_cases(cases, photos, cache)
    assert len(asked) == 1 and cases[0].row == first
    (entry,) = (tmp_path / "cache").iterdir()
    entry.write_bytes(b"damaged")
    evaluate_cases(cases, photos, cache)
    assert len(asked) == 2 and cases[0].row == first


def test_a_file_that_fails_is_a_failed_row_and_the_others_go_on(
    judged: tuple[list[Case], EvalPhotos], tmp_path: Path
) -> None:
    cases, photos = judged
    good, bad = cases
    bad.row = bad.row.model_copy(update={"name": "bad.onnx", "sha256": "b" * 64})
    bad.config = WorkerConfig(ONNXRUNTIME, str(tmp_path / "nowhere.onnx"), 1)
    saved: list[str] = []
    evaluate_cases(
        cases, photos, LogitsCache(tmp_path / "c"), checkpoint=lambda: saved.append("once")
    )
    assert bad.row.status == "failed" and "nowhere.onnx" in (bad.row.reason or "")
    assert bad.config is None
    assert good.row.top1 is not None and saved == ["once"]


def test_changes_against_torch() -> None:
    from dataclasses import replace

    from benchmarks.accuracy.evaluate import Accuracy

    torch = Accuracy(0.5, 0.5, None, 0.75, None, 0.8, 0.1, {"mel": 0.75, "nv": None}, [])
    file = replace(torch, balanced_accuracy=0.25, sensitivity={"mel": 0.5, "nv": None})
    changes = file.changes(torch)
    assert changes["balanced_accuracy"] == -0.25 and changes["top1"] == 0.0
    assert changes["sensitivity:mel"] == -0.25
    assert changes["sensitivity:nv"] is None and changes["melanoma_at_threshold"] is None


def test_files_that_always_say_the_same_are_named(judged: tuple[list[Case], EvalPhotos]) -> None:
    _, photos = judged
    count = len(photos.folder.records)
    said = {
        "same.onnx": [1] * count,
        "too.onnx": [1] * count,
        "varied.onnx": [0, 1, 2] * (count // 3),
    }
    answers = [
        FileAnswers(
            "export", name, "litert", photos.predictions(np.eye(3)[of], CLASSES), OperatingPoint()
        )
        for name, of in said.items()
    ]
    (line,) = constant_answers(answers)
    assert line.startswith(f"{CLASSES[1]} is the answer to every photo")
    assert line.endswith("in 2 rows (export: same.onnx (litert), export: too.onnx (litert))")
