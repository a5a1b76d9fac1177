from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from export.errors import ExportError, RuntimeUnavailableError, WorkerError, WorkerTimeoutError
from export.formats.tflite.abilities import TFLITE_RUNTIME
from export.formats.tflite.engine import Engine
from export.formats.tflite.format import TfliteFormat
from export.runtime import client
from export.runtime.own_environment import ensure_runtime, run_in_own_environment
from export.runtime.worker import answer
from export.schema.metadata import Precision
from tests.export.formats.tflite.tiny import CLASSES, images, tiny_source


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that counts as whole, whose Python is this one: tflite-runtime is not in it."""
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").symlink_to(sys.executable)
    (home / "complete.txt").write_text("\n".join(TFLITE_RUNTIME.requirements) + "\n")
    return home


def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let this script answer in place of the real worker."""
    script = tmp_path / "worker.py"
    script.write_text(text)
    monkeypatch.setattr(client, "SCRIPT", script)


def test_no_network_is_a_reason(tmp_path: Path) -> None:
    lacking = replace(TFLITE_RUNTIME, requirements=("./no-such-package",))
    with pytest.raises(RuntimeUnavailableError, match="pip failed") as caught:
        run_in_own_environment(tmp_path / "x.tflite", images(1), lacking, tmp_path / "home")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [], "nothing half made stays"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("import os; os.kill(os.getpid(), 11)", r"crashed \(SIGSEGV\)"),
        ("import sys; sys.exit('boom\\nlast words')", "last words"),
        ("raise ValueError('too new')", "ValueError: too new"),
        ("pass", "ended with exit code 0"),
    ],
)
def test_a_runtime_that_fails_is_a_reason(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, complaint: str
) -> None:
    worker(tmp_path, monkeypatch, text)
    with pytest.raises(WorkerError, match=complaint):
        run_in_own_environment(tmp_path / "x.tflite", images(1), TFLITE_RUNTIME, stand_in)


def test_a_runtime_that_hangs_is_stopped(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker(tmp_path, monkeypatch, "import time; time.sleep(60)")
    with pytest.raises(WorkerTimeoutError, match="gave no answer within 1 s"):
        run_in_own_environment(tmp_path / "x.tflite", images(1), TFLITE_RUNTIME, stand_in, 1)


def test_the_engine_gets_images_channels_last(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interpreter:
        def __init__(self, model_path: str, num_threads: int) -> None:
            assert (model_path, num_threads) == ("x.tflite", 2)
            self.fed = np.zeros((1, 4, 4, 3), np.float32)

        def allocate_tensors(self) -> None: ...

        def invoke(self) -> None: ...

        def get_input_details(self) -> list[dict[str, Any]]:
            return [{"index": 0, "shape": np.array([1, 4, 4, 3])}]

        get_output_details = get_input_details

        def set_tensor(self, index: int, image: np.ndarray) -> None:
            self.fed = image

        def get_tensor(self, index: int) -> np.ndarray:
            return self.fed

    module = SimpleNamespace(Interpreter=Interpreter)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", module)
    batch = images(2)
    engine = Engine("x.tflite", 2, 1)
    engine.load()
    np.testing.assert_array_equal(answer(engine, batch), batch.transpose(0, 2, 3, 1))


@pytest.mark.slow
def test_the_runtime_of_2023_agrees_with_the_present_one(tmp_path: Path) -> None:
    try:
        ensure_runtime(TFLITE_RUNTIME)
    except ExportError as error:
        pytest.skip(f"tflite-runtime cannot be installed here: {error}")
    source, batch, writer = tiny_source(), images(3, seed=2), TfliteFormat()
    converted = writer.convert(source, tmp_path)
    for precision in Precision:
        path = tmp_path / f"tiny-{precision}.tflite"
        writer.write(converted, source, precision, path)
        expected = writer.load(path, threads=1)(batch)
        logits = run_in_own_environment(path, batch, TFLITE_RUNTIME)
        assert logits.shape == (3, len(CLASSES))
        tolerance = 0.05 if precision is Precision.INT8 else 1e-5
        np.testing.assert_allclose(logits, expected, atol=tolerance * abs(expected).max())
    mangled = tmp_path / "mangled.tflite"
    mangled.write_bytes(b"not a model")
    with pytest.raises(WorkerError, match="ValueError"):
        run_in_own_environment(mangled, batch, TFLITE_RUNTIME)
