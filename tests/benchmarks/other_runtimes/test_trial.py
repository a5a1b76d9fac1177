"""One file of one matrix product, so that nothing is converted; its runtime is in this Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.other_runtimes.registry import OtherRuntime, choose_runtimes
from benchmarks.other_runtimes.results import Row
from benchmarks.other_runtimes.trial import TrialFile, TrialInputs, try_runtime
from export.formats.onnx.abilities import ONNXRUNTIME
from export.formats.onnx.engine import Engine
from export.runtime.worker import answer
from export.schema.metadata import Precision
from tests.benchmarks.helpers import SIZE, record_of, write_onnx

HERE = OtherRuntime("onnxruntime", ".onnx", ONNXRUNTIME.engine)
ENGINE = """
import runpy
_Real = runpy.run_path({engine!r})["Engine"]
class Engine(_Real):
    def run(self, images):
        {act}
"""


@pytest.fixture
def file(tmp_path: Path) -> TrialFile:
    path = write_onnx(tmp_path / "m-fp32.onnx")
    return TrialFile(path, record_of(path), np.zeros((3, 3)))


@pytest.fixture
def inputs(tmp_path: Path, file: TrialFile) -> TrialInputs:
    pixels = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)
    photos = tuple(tmp_path / f"{number}.png" for number in range(3))
    for photo, image in zip(photos, pixels, strict=True):
        Image.fromarray(image).save(photo)
    images = pixels.transpose(0, 3, 1, 2).astype(np.float32) / 255
    engine = Engine(str(file.path), 1, 1)
    engine.load()
    return TrialInputs(images, answer(engine, images), photos)


def row_of(runtime: OtherRuntime, file: TrialFile, inputs: TrialInputs, place: Path) -> Row:
    (row,) = try_runtime(runtime, [replace(file, own=inputs.torch)], inputs, place)
    return row


def acting(tmp_path: Path, act: str) -> OtherRuntime:
    script = tmp_path / "engine.py"
    script.write_text(ENGINE.format(engine=ONNXRUNTIME.engine, act=act))
    return replace(HERE, engine=str(script))


def test_a_runtime_that_answers_alike_agrees(
    file: TrialFile, inputs: TrialInputs, tmp_path: Path
) -> None:
    row = row_of(HERE, file, inputs, tmp_path)
    assert (row.status, row.reason, row.known) == ("agrees", None, False)
    assert row.own is not None and row.torch is not None
    assert row.own.top1_agreement == 1 and row.torch.max_abs < 1e-6 and row.torch.images == 3


def test_one_that_prepares_photos_itself_gets_them_from_disk(
    file: TrialFile, inputs: TrialInputs, tmp_path: Path
) -> None:
    whole = replace(HERE, whole_photos=True)
    # What is resized already is not asked: the answers come from the files.
    blank = replace(inputs, images=np.zeros_like(inputs.images))
    assert row_of(whole, file, blank, tmp_path).status == "agrees"
    row = row_of(whole, file, replace(inputs, photos=None), tmp_path)
    assert (row.status, row.reason) == ("not run", "needs photos; pass --data")


def test_one_that_answers_otherwise_departs(
    file: TrialFile, inputs: TrialInputs, tmp_path: Path
) -> None:
    runtime = acting(tmp_path, "return -super().run(images)")
    row = row_of(runtime, file, inputs, tmp_path)
    assert row.status == "departs" and row.unexplained and "above 1e-05" in (row.reason or "")
    assert row.own is not None and row.own.top1_agreement < 1


def test_int8_is_held_against_the_files_own_answers(
    file: TrialFile, inputs: TrialInputs, tmp_path: Path
) -> None:
    record = file.record.model_copy(update={"precision": Precision.INT8})
    row = row_of(HERE, replace(file, record=record), replace(inputs, torch=-inputs.torch), tmp_path)
    assert row.status == "departs", "own is torch here"
    (row,) = try_runtime(
        HERE,
        [replace(file, record=record, own=inputs.torch)],
        replace(inputs, torch=-inputs.torch),
        tmp_path,
    )
    assert row.status == "agrees"


def test_what_fails_is_named_and_excused_where_it_is_known(
    file: TrialFile, inputs: TrialInputs, tmp_path: Path
) -> None:
    runtime = acting(tmp_path, "raise ValueError('no such operator')")
    row = row_of(runtime, file, inputs, tmp_path)
    assert (row.status, row.reason) == ("fails", "ValueError: no such operator")
    assert row.unexplained and row.own is None and row.version
    known = replace(runtime, known={"fp32": "it has no MatMul"})
    row = row_of(known, file, inputs, tmp_path)
    assert row.reason == "it has no MatMul (ValueError: no such operator)"
    assert row.known and not row.unexplained


def test_without_its_environment_a_runtime_is_not_run(
    file: TrialFile, inputs: TrialInputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (web,) = choose_runtimes("onnxruntime-web")
    monkeypatch.setenv("PATH", str(tmp_path))
    row = row_of(web, file, inputs, tmp_path)
    assert row.status == "not run" and "no 'node' in PATH" in (row.reason or "")
    assert row.version == web.pinned and not row.unexplained


def test_files_of_other_formats_are_not_asked(
    file: TrialFile, inputs: TrialInputs, tmp_path: Path
) -> None:
    assert try_runtime(replace(HERE, suffix=".tflite"), [file], inputs, tmp_path) == []
