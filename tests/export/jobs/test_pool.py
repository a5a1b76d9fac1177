import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from export.jobs.messages import Event, Failed, Job, sample_indices
from export.jobs.pool import run_jobs
from export.schema.metadata import Description, Precision
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.preprocessing import PreprocessSpec


def make_job(folder: Path, path: Path) -> Job:
    np.save(folder / "pixels.npy", np.zeros((2, 64, 64, 3), np.uint8))
    return Job(
        format="onnx",
        run=None,
        graph="deploy",
        description=Description(
            model="hierattn_xs",
            precision=Precision.FP32,
            classes=["a", "b"],
            image_size=64,
            preprocessing=PreprocessSpec(image_size=64),
            operating_point=OperatingPoint(),
            weights_sha256="",
            licence="",
            intended_use="",
        ),
        files={Precision.FP32: path},
        pixels=folder / "pixels.npy",
        sample=2,
        calibration=None,
        workspace=folder / "work",
    )


def collect(job: Job, log: Path) -> list[Event]:
    events: list[Event] = []
    run_jobs([job], log, lambda _, event: events.append(event))
    return events


def test_a_file_that_is_no_model_is_a_failure_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"not a model")
    failures = [
        e for e in collect(make_job(tmp_path, path), tmp_path / "log") if e.kind == "failed"
    ]
    assert len(failures) == 1
    assert "broken.onnx" in failures[0].reason


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_dies_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    import export.jobs.pool as workers

    class DyingPython:
        executable = str(tmp_path / "python")

    Path(DyingPython.executable).write_text(f"#!/bin/sh\necho noise >&2\nkill -{int(number)} $$\n")
    Path(DyingPython.executable).chmod(0o755)
    monkeypatch.setattr(workers, "sys", DyingPython)
    events = collect(make_job(tmp_path, tmp_path / "x.onnx"), tmp_path / "log")
    assert [event.kind for event in events] == ["failed"]
    assert isinstance(events[0], Failed)
    assert signal.Signals(number).name in events[0].reason
    assert "noise" in (tmp_path / "log").read_text()


def test_jobs_that_take_long_are_begun_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import export.jobs.pool as workers

    monkeypatch.setattr(workers.os, "cpu_count", lambda: 1)
    job = make_job(tmp_path, tmp_path / "x")
    jobs = [job.model_copy(update={"format": name}) for name in ("onnx", "tflite", "coreml")]
    failed: list[str] = []
    run_jobs(jobs, tmp_path / "log", lambda job, _: failed.append(job.format))
    assert list(dict.fromkeys(failed)) == ["coreml", "onnx", "tflite"]


@pytest.mark.parametrize(
    ("words", "free", "told"),
    [
        ("cannot write {}/onnx/model.onnx: No space left on device", 1 << 30, True),
        ("LLVM ERROR: IO failure on output stream", 0, True),
        ("LLVM ERROR: IO failure on output stream", 1 << 30, False),
    ],
)
def test_want_of_room_for_temporary_files_is_told_whatever_a_converter_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, free: int, told: bool
) -> None:
    import export.jobs.pool as workers

    class FailingPython:
        executable = str(tmp_path / "python")

    said = words.format(tmp_path / "work")
    Path(FailingPython.executable).write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    Path(FailingPython.executable).chmod(0o755)
    monkeypatch.setattr(workers, "sys", FailingPython)
    usage = SimpleNamespace(free=free)
    monkeypatch.setattr(workers.shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (failure,) = collect(make_job(tmp_path, tmp_path / "x.onnx"), tmp_path / "log")
    assert isinstance(failure, Failed)
    if told:
        assert failure.reason.startswith(f"{tmp_path}: no room for temporary files (")
    assert ("set TMPDIR" in failure.reason) == told and said in failure.reason


def test_a_sample_is_spread_over_all() -> None:
    assert sample_indices(3, 64) == [0, 1, 2]
    taken = sample_indices(1000, 64)
    assert len(set(taken)) == 64
    assert taken[0] == 0
    assert taken[-1] > 950
