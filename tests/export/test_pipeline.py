import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from export import load_artefact
from export.checks.golden.selftest import golden_inputs, read_selftest
from export.errors import ExportError
from export.pipeline import export, export_run
from export.request import ExportRequest
from export.schema.manifest import read_manifest
from export.schema.metadata import Precision
from hierattn.data.records import DataFolder
from hierattn.errors import DataError, UnknownNameError
from hierattn.runs import load_run


def test_every_file_is_there_and_recorded(exported: Path) -> None:
    manifest = read_manifest(exported)
    assert [record.precision for record in manifest.artefacts] == list(Precision)
    for record in manifest.artefacts:
        path = exported / record.path
        assert record.bytes == path.stat().st_size
        assert record.parity is not None
        assert record.quality is not None
        assert record.operators
    names = {path.name for path in exported.iterdir()}
    listed = {record.path for record in manifest.artefacts} | set(manifest.files)
    assert names == listed | {"manifest.json", "export.log"}


def test_files_answer_golden_images_as_the_selftest_says(exported: Path) -> None:
    selftest = read_selftest(exported / "selftest")
    images = golden_inputs(exported / "selftest", selftest)
    for record in read_manifest(exported).artefacts[:2]:
        answers = load_artefact(exported / record.path)(images)
        scale = np.abs(selftest.logits()).max()
        bound = selftest.tolerances[record.precision].max_relative
        assert np.abs(answers - selftest.logits()).max() / scale <= bound


def test_parity_is_that_of_the_untouched_network(exported: Path, finished: Path) -> None:
    selftest = read_selftest(exported / "selftest")
    images = golden_inputs(exported / "selftest", selftest)
    with torch.no_grad():
        logits = load_run(finished).load_model()(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(selftest.logits(), logits, rtol=1e-4, atol=1e-5)


def test_calibration_photos_are_not_judged(exported: Path, painted: DataFolder) -> None:
    data = read_manifest(exported).data
    assert data is not None
    assert data.calibration > 0
    assert data.calibration + data.judged <= len(painted.records)
    answers = json.loads((exported / "parity.json").read_text())
    assert len(answers["photos"]) == data.judged


@pytest.mark.slow
def test_a_second_export_has_the_same_bytes(exported: Path, finished: Path, tmp_path: Path) -> None:
    again = export_run(finished, tmp_path / "again", formats=["onnx"], precisions=["fp32", "fp16"])
    first = {record.path: record.sha256 for record in read_manifest(exported).artefacts}
    for record in again.artefacts:
        assert record.sha256 == first[record.path]


@pytest.mark.slow
def test_int8_without_photos_is_a_failed_row_and_the_others_land(
    finished: Path, tmp_path: Path
) -> None:
    manifest = export_run(finished, tmp_path / "out", ["onnx"], ["fp32", "int8"])
    status = {record.precision: record.gate for record in manifest.artefacts}
    assert status[Precision.FP32].status == "passed"
    assert status[Precision.INT8].status == "failed"
    assert "--data" in status[Precision.INT8].reasons[0]
    assert not manifest.passed
    assert not list((tmp_path / "out").glob("*int8*"))


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("formats", ("onx",), "did you mean 'onnx'"),
        ("precisions", ("fp23",), "did you mean 'fp32'"),
        ("graph", "deplay", "did you mean 'deploy'"),
    ],
)
def test_unknown_names_are_refused_before_anything_is_made(
    finished: Path, tmp_path: Path, field: str, value: object, hint: str
) -> None:
    request = ExportRequest(str(finished), tmp_path / "out", **{field: value})
    with pytest.raises(UnknownNameError, match=hint):
        export(request)
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_in_it_is_left_alone(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("keep")
    with pytest.raises(DataError, match="not an empty folder"):
        export_run(finished, tmp_path / "out", ["onnx"], ["fp32"])
    assert (tmp_path / "out" / "mine").read_text() == "keep"


def test_photos_of_other_classes_are_refused(finished: Path, painted: DataFolder, tmp_path) -> None:
    data = tmp_path / "data"
    shutil.copytree(painted.root, data)
    first = next(path for path in sorted(data.iterdir()) if path.is_dir())
    (data / "manifest.csv").unlink()
    first.rename(data / "unheard_of")
    with pytest.raises(DataError, match="unheard_of"):
        export_run(finished, tmp_path / "out", ["onnx"], ["fp32"], data)


def test_too_few_photos_are_refused(finished: Path, painted: DataFolder, tmp_path: Path) -> None:
    for label in painted.classes:
        record = next(record for record in painted.records if record.label == label)
        (tmp_path / "data" / label).mkdir(parents=True)
        shutil.copy(record.path, tmp_path / "data" / label)
    with pytest.raises(ExportError, match="at least"):
        export_run(finished, tmp_path / "out", ["onnx"], ["fp32"], tmp_path / "data")


@pytest.mark.slow
def test_random_weights_can_be_exported_to_be_timed(tmp_path: Path) -> None:
    request = ExportRequest(
        "shufflenet_v2_x1_0", tmp_path / "out", ("onnx",), ("fp32",), untrained_size=64
    )
    manifest = export(request).manifest
    assert manifest.passed
    assert "Random weights" in manifest.intended_use


def test_a_kill_leaves_no_folder(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "hierattn.cli", "export", str(finished), "--out", str(out)],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".out.hierattn-*/export.log")) and time.monotonic() < deadline:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(timeout=600) == 1
    assert not out.exists()
    assert not list(tmp_path.glob(".out*"))
