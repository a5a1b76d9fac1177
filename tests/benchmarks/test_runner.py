from pathlib import Path

import psutil
import pytest

from benchmarks.matrix_product import gmacs_by_threads, matrix_products
from benchmarks.plan import Plan
from benchmarks.runner import Measurement, measure, sustain
from export.formats.onnx.abilities import ONNXRUNTIME
from export.progress import Progress
from export.runtime.client import Worker, WorkerConfig
from tests.benchmarks.helpers import write_onnx

QUICK = Plan(
    runs=20, launches=2, slices=2, pause_s=0.0, discard=1, warm_least_s=0.0, warm_most_s=1.0
)


def _measurement(path: Path, label: str) -> Measurement:
    return Measurement(WorkerConfig(ONNXRUNTIME, str(path), 1), label)


def test_rows_run_in_turns_and_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_onnx(tmp_path / "m.onnx")
    measurements = [_measurement(path, name) for name in "abc"]
    turns: list[str] = []
    running: list[str] = []
    run = Worker.run

    def watched(worker: Worker, discard: int, runs: int, most_s: float) -> list[float]:
        name = next(one.label for one in measurements if one.config is worker.config)
        assert not running
        running.append(name)
        turns.append(name)
        samples = run(worker, discard, runs, most_s)
        running.pop()
        return samples

    monkeypatch.setattr(Worker, "run", watched)
    measure(measurements, QUICK)
    assert len(turns) == 12
    rounds = [turns[start : start + 3] for start in range(0, 12, 3)]
    assert all(sorted(one) == ["a", "b", "c"] for one in rounds)
    for one in measurements:
        assert one.failure is None and len(one.samples) == 20
        assert [len(launch) for launch in one.turns] == [2, 2]
        assert len(one.loads) == len(one.firsts) == len(one.peaks) == len(one.warm_ups) == 2
        assert len(one.repeats().p50_ms) == 2


def test_a_file_that_fails_takes_nobody_along(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"nonsense")
    good = _measurement(write_onnx(tmp_path / "m.onnx"), "good")
    bad = _measurement(tmp_path / "bad.onnx", "bad")
    absent = Measurement(WorkerConfig(ONNXRUNTIME, "x", 1, python=("/nowhere/python",)), "absent")
    measure([bad, good, absent], QUICK)
    assert good.failure is None and len(good.samples) == 20
    assert bad.failure is not None and "bad.onnx" in bad.failure and not bad.samples
    assert absent.failure is not None and "cannot be started" in absent.failure


def test_an_interruption_keeps_what_was_measured_and_leaves_no_process(tmp_path: Path) -> None:
    one = _measurement(write_onnx(tmp_path / "m.onnx"), "one")

    def interrupt(step: Progress) -> None:
        if "launch 2" in step.text and "turn 1" in step.text:
            raise KeyboardInterrupt

    before = {child.pid for child in psutil.Process().children()}
    with pytest.raises(KeyboardInterrupt):
        measure([one], QUICK, interrupt)
    assert len(one.samples) == 10
    assert {child.pid for child in psutil.Process().children()} <= before


def test_progress_counts_to_its_end(tmp_path: Path) -> None:
    steps: list[Progress] = []
    saved: list[int] = []
    one = _measurement(write_onnx(tmp_path / "m.onnx"), "one")
    measure([one], QUICK, steps.append, lambda: saved.append(len(one.samples)))
    assert steps[-1].done == steps[-1].total == 6
    assert [step.done for step in steps] == sorted(step.done or 0 for step in steps)
    assert saved == [10, 20]


def test_sustained_load_is_kept_a_second_at_a_time(tmp_path: Path) -> None:
    one = _measurement(write_onnx(tmp_path / "m.onnx"), "one")
    sustain([one], 1.2, QUICK)
    assert len(one.sustained) == 2
    gone = Measurement(WorkerConfig(ONNXRUNTIME, str(tmp_path / "gone.onnx"), 1), "gone")
    gone.turns = [[[1.0]]]
    sustain([gone], 1.0, QUICK)
    assert gone.remark.startswith("sustained load: ") and gone.samples == [1.0]


def test_the_matrix_product_is_a_rate() -> None:
    products = matrix_products([1])
    measure(products, Plan(runs=2, launches=1, slices=1, warm_least_s=0, warm_most_s=0.1))
    (rate,) = gmacs_by_threads(products).values()
    assert 0.1 < rate < 10_000
