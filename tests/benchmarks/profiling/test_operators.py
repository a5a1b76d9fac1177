from pathlib import Path

import pytest

from benchmarks.profiling.operators import costliest, profile
from export.errors import WorkerError
from export.formats.coreml.abilities import COREML
from export.formats.onnx.abilities import ONNXRUNTIME
from export.formats.onnx.engine import times_of_events
from export.formats.tflite.profiler import plain_name
from export.runtime.client import WorkerConfig
from tests.benchmarks.helpers import write_onnx


def test_the_costliest_come_first_with_their_share() -> None:
    found = costliest({"Add": 1.0, "Conv": 6.0, "Softmax": 3.0, "Idle": 0.0}, kept=2)
    assert [(one.operator, one.share) for one in found] == [("Conv", 0.6), ("Softmax", 0.3)]
    assert costliest({}) == []


def test_the_first_runs_of_a_profile_do_not_count() -> None:
    def run(start: float, conv: float) -> list[dict[str, object]]:
        node = {"cat": "Node", "name": "a_kernel_time", "args": {"op_name": "Conv"}}
        return [
            {"cat": "Session", "name": "model_run", "ts": start, "dur": conv + 5},
            {**node, "ts": start + 1, "dur": conv / 2},
            {**node, "ts": start + 2, "dur": conv / 2},
            {"cat": "Node", "name": "a_fence_before", "ts": start, "dur": 0, "args": {}},
        ]

    events = [*run(1000, 9000.0), *run(20_000, 2000.0), *run(30_000, 4000.0)]
    assert times_of_events(events, skipped=1) == {"Conv": [2.0, 4.0]}


def test_names_lose_number_and_prefix() -> None:
    assert plain_name("Delegate/Add (ND) #12") == "Add (ND)"


def test_a_file_is_profiled_by_its_runtime(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "m.onnx", layers=2)
    found = profile(WorkerConfig(ONNXRUNTIME, str(path), 1))
    assert any("Conv" in one.operator for one in found)
    assert sum(one.share for one in found) == pytest.approx(1.0)


def test_a_runtime_without_a_profiler_says_so(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="this runtime has no profiler"):
        profile(WorkerConfig(COREML, "x", 1))
