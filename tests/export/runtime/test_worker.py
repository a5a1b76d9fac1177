import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from export.errors import WorkerError, WorkerTimeoutError
from export.formats.onnx.abilities import ONNXRUNTIME
from export.formats.tflite.engine import count_delegated
from export.runtime.client import Worker, WorkerConfig
from export.runtime.process import exit_reason
from tests.benchmarks.helpers import SIZE, write_onnx


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_onnx(tmp_path / "tiny.onnx", layers=1)


@pytest.fixture
def worker(model: Path) -> Iterator[Worker]:
    with Worker(WorkerConfig(ONNXRUNTIME, str(model), 2)) as running:
        yield running


def test_a_worker_tells_load_first_and_steady_runs_apart(worker: Worker) -> None:
    assert worker.wait_until_ready().version == onnxruntime.__version__
    loaded = worker.load()
    assert loaded.ms > 0 and loaded.shape == [1, 3, SIZE, SIZE] and loaded.delegated is None
    first = worker.first()
    assert first.ms > 0 and first.shape == [1, 3]
    warmed = worker.warm(0.0, 5.0)
    assert warmed.runs >= 15 and warmed.runs % 5 == 0
    assert len(worker.run(discard=2, runs=7, most_s=60)) == 7


def test_a_turn_ends_in_time_but_never_without_a_run(worker: Worker) -> None:
    worker.wait_until_ready()
    worker.load()
    assert len(worker.run(discard=0, runs=10_000_000, most_s=0.0)) == 1


def test_sustained_load_gives_a_median_a_second(worker: Worker) -> None:
    worker.wait_until_ready()
    worker.load()
    medians = worker.sustain(1.3)
    assert len(medians) == 2 and min(medians) > 0


def test_photos_are_answered_in_order(worker: Worker, model: Path, tmp_path: Path) -> None:
    images = np.random.default_rng(3).random((5, 3, SIZE, SIZE), np.float32)
    session = onnxruntime.InferenceSession(str(model))
    (expected,) = session.run(None, {"input": images})
    worker.wait_until_ready()
    worker.load()
    found = worker.answer(images, tmp_path)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux only")
def test_peak_memory_is_the_workers_own(worker: Worker) -> None:
    # ru_maxrss of a started process begins with the peak of the one that started it.
    ballast = np.ones(60_000_000)
    with Worker(worker.config) as later:
        later.wait_until_ready()
        assert 20 < later.peak_memory() < 300 < ballast.nbytes / 1e6


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Linux only")
def test_a_worker_that_waits_leaves_the_cores_to_others(worker: Worker) -> None:
    worker.wait_until_ready()
    worker.load()
    worker.run(discard=0, runs=20, most_s=10)
    time.sleep(0.1)
    before = _cpu_seconds(worker)
    time.sleep(0.5)
    assert _cpu_seconds(worker) - before < 0.1


def _cpu_seconds(worker: Worker) -> float:
    fields = Path(f"/proc/{worker._process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_answers_that_are_not_numbers_are_an_error(tmp_path: Path) -> None:
    broken = write_onnx(tmp_path / "nan.onnx", scale=np.nan)
    with Worker(WorkerConfig(ONNXRUNTIME, str(broken), 1)) as worker:
        worker.wait_until_ready()
        worker.load()
        with pytest.raises(WorkerError, match="NaN"):
            worker.first()


def test_a_file_the_runtime_refuses_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    with Worker(WorkerConfig(ONNXRUNTIME, str(tmp_path / "bad.onnx"), 1)) as worker:
        worker.wait_until_ready()
        with pytest.raises(WorkerError, match=r"bad\.onnx") as caught:
            worker.load()
    assert "\n" not in str(caught.value)


def test_a_killed_worker_is_told(worker: Worker) -> None:
    worker.wait_until_ready()
    os.kill(worker._process.pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match="SIGKILL"):
        worker.load()


def test_a_silent_worker_is_given_up(worker: Worker) -> None:
    worker.wait_until_ready()
    worker.load()
    worker.config = replace(worker.config, reply_s=-0.5)
    with pytest.raises(WorkerTimeoutError, match="no answer"):
        worker.sustain(1.0)


def test_an_interpreter_that_is_not_there_is_told() -> None:
    with pytest.raises(WorkerError, match="/nowhere/python: cannot be started"):
        Worker(WorkerConfig(ONNXRUNTIME, "x", 1, python=("/nowhere/python",)))


@pytest.mark.parametrize(
    ("code", "stderr", "expected"),
    [
        (1, b"Traceback ...\n  File x\nValueError: bad\nfurther words", "ValueError: bad"),
        (1, b"I0000 started\na.b.Fail: [X] : no\n", "a.b.Fail: [X] : no"),
        (1, b"plain words\n", "plain words"),
        (7, b"", "ended with exit code 7"),
        (-signal.SIGSEGV, b"noise\nwhatever\n", "crashed (SIGSEGV): whatever"),
        (-signal.SIGSEGV, b"", "crashed (SIGSEGV)"),
    ],
)
def test_last_words(code: int, stderr: bytes, expected: str) -> None:
    assert exit_reason(code, stderr) == expected


def _node(kind: str, inputs: list[int], outputs: list[int]) -> dict[str, object]:
    return {"op_name": kind, "inputs": inputs, "outputs": outputs}


def test_partitions_and_what_they_leave() -> None:
    # 0 -A-> 1 -B-> 2 -C-> 3 -D-> 4, where partitions take A+B and D.
    nodes = [
        _node("A", [0, -1], [1]),
        _node("B", [1], [2]),
        _node("C", [2], [3]),
        _node("D", [3], [4]),
        _node("DELEGATE", [0], [2]),
        _node("DELEGATE", [3], [4]),
    ]
    assert count_delegated(nodes, [4]) == {"partitions": 2, "left": 1}


def test_without_a_delegate_all_is_left() -> None:
    nodes = [_node("A", [0], [1]), _node("B", [1], [2])]
    assert count_delegated(nodes, [2]) == {"partitions": 0, "left": 2}
    assert count_delegated([*nodes, _node("DELEGATE", [0], [2])], [2])["left"] == 0
