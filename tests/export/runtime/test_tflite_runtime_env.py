from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from export.errors import ExportError
from export.formats.tflite.format import TfliteFormat
from export.runtime import run_file, tflite_runtime_env
from export.runtime.tflite_runtime_env import default_home, ensure_environment, run_tflite_runtime
from export.schema.metadata import Precision
from tests.export.formats.tflite.tiny import CLASSES, images, tiny_source


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that counts as whole, whose Python is this one: tflite-runtime is not in it."""
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").symlink_to(sys.executable)
    (home / "complete.txt").write_text("")
    return home


def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let this script answer in place of the real worker."""
    script = tmp_path / "worker.py"
    script.write_text(text)
    monkeypatch.setattr(tflite_runtime_env, "_SCRIPT", script)


def test_no_network_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflite_runtime_env, "REQUIREMENTS", ("./no-such-package",))
    result = run_tflite_runtime(tmp_path / "x.tflite", images(1), home=tmp_path / "home")
    assert not result.loads and result.logits is None and result.version is None
    assert result.reason is not None and "pip failed" in result.reason
    assert "\n" not in result.reason
    assert list(tmp_path.iterdir()) == [], "nothing half made stays"


def test_a_home_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written"):
        ensure_environment(tmp_path / "file" / "home")


def test_a_whole_environment_is_used_again(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflite_runtime_env.subprocess, "run", None)
    assert ensure_environment(stand_in) == stand_in / "bin" / "python"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("import os; os.kill(os.getpid(), 11)", "crashed (signal 11)"),
        ("import sys; sys.exit('boom\\nlast words')", "tflite-runtime failed: last words"),
        ("import sys; print('too new', file=sys.stderr); sys.exit(3)", "refuses the file: too new"),
        ("pass", "tflite-runtime failed"),
    ],
)
def test_a_runtime_that_fails_is_a_reason(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, complaint: str
) -> None:
    worker(tmp_path, monkeypatch, text)
    result = run_tflite_runtime(tmp_path / "x.tflite", images(1), home=stand_in)
    assert not result.loads and result.reason is not None and complaint in result.reason


def test_a_runtime_that_hangs_is_stopped(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker(tmp_path, monkeypatch, "import time; time.sleep(60)")
    result = run_tflite_runtime(tmp_path / "x.tflite", images(1), home=stand_in, timeout=2)
    assert result.reason == "tflite-runtime gave no answer in 2 s"


def test_images_and_answers_arrive(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "import json, sys, numpy as n; _, model, images, answer, runtime, threads = sys.argv\n"
        "assert (runtime, threads) == ('tflite-runtime', '1')\n"
        "json.dump({'logits': n.load(images).tolist()}, open(answer, 'w'))"
    )
    worker(tmp_path, monkeypatch, text)
    batch = images(2)
    result = run_tflite_runtime(tmp_path / "x.tflite", batch, home=stand_in)
    assert result.loads and result.version == "2.14.0" and result.logits is not None
    np.testing.assert_array_equal(result.logits, batch)


def test_the_script_gives_the_interpreter_images_channels_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interpreter:
        def __init__(self, model_path: str, num_threads: int) -> None:
            assert (model_path, num_threads) == ("x.tflite", 2)

        def allocate_tensors(self) -> None: ...

        def invoke(self) -> None: ...

        def get_input_details(self) -> list[dict[str, int]]:
            return [{"index": 0}]

        get_output_details = get_input_details

        def set_tensor(self, index: int, image: np.ndarray) -> None:
            self.fed = image

        def get_tensor(self, index: int) -> np.ndarray:
            return self.fed

    module = SimpleNamespace(Interpreter=Interpreter)
    monkeypatch.setitem(sys.modules, "made_up.interpreter", module)
    batch = images(2)
    rows = run_file.run_tflite("x.tflite", batch, 2, "made_up")
    np.testing.assert_array_equal(rows, batch.transpose(0, 2, 3, 1))


@pytest.mark.slow
def test_the_runtime_of_2023_agrees_with_the_present_one(tmp_path: Path) -> None:
    try:
        ensure_environment(default_home())
    except ExportError as error:
        pytest.skip(f"tflite-runtime cannot be installed here: {error}")
    source, batch, writer = tiny_source(), images(3, seed=2), TfliteFormat()
    converted = writer.convert(source, tmp_path)
    for precision in Precision:
        path = tmp_path / f"tiny-{precision}.tflite"
        writer.write(converted, source, precision, path)
        expected = writer.load(path, threads=1)(batch)
        result = run_tflite_runtime(path, batch)
        assert result.loads and result.logits is not None, result.reason
        assert result.version == "2.14.0" and result.logits.shape == (3, len(CLASSES))
        tolerance = 0.05 if precision is Precision.INT8 else 1e-5
        np.testing.assert_allclose(result.logits, expected, atol=tolerance * abs(expected).max())
    mangled = tmp_path / "mangled.tflite"
    mangled.write_bytes(b"not a model")
    refused = run_tflite_runtime(mangled, batch)
    assert not refused.loads and refused.reason is not None and refused.version == "2.14.0"
