"""Judging and recording, with a stand-in for the emulator; one real run where it is cached."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from export.checks.integrity import folder_problems, path_bytes, path_sha256
from export.errors import ManifestError, WorkerError, WorkerTimeoutError
from export.runtime.client import ISOLATED
from export.schema.arm64_report import Arm64Record, read_record
from export.schema.manifest import ARM64_PARITY, PARITY, ArtefactRecord, Gate, read_manifest
from export.targets.arm64 import __main__ as command
from export.targets.arm64.packages import (
    REQUIREMENTS,
    EmulatedMachine,
    PackagesUnavailableError,
    default_home,
    ensure_machine,
)
from export.targets.arm64.parity import (
    EmulatedRunner,
    Runner,
    WorkerAnswer,
    check_on_arm64,
    choose_files,
    run_worker,
)
from export.targets.arm64.report import describe_record, write_record
from hierattn.errors import UnknownNameError
from tests.conftest import REPOSITORY
from tests.export.bundle_helpers import (
    FP32,
    INT8,
    TFLITE,
    TFLITE_HALF,
    relist,
    write_whole_export,
)
from tests.export.formats.tflite.products import write_product

PASSED = Gate(status="passed")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_whole_export(tmp_path / "export", gates={FP32: PASSED, INT8: PASSED})


def stand_in(export: Path, off: float = 0.0, machine: str = "aarch64") -> Runner:
    """Not an emulator: answers what the export expects, ``off`` beside it."""
    expected = json.loads((export / PARITY).read_text())["artefacts"]

    def run(cpu: str, record: ArtefactRecord, path: Path, images: np.ndarray) -> WorkerAnswer:
        rows = np.array(list(expected[path.name].values())) + off
        return WorkerAnswer(machine, ["asimd"], "stand-in", rows)

    return run


def failing(error: WorkerError) -> Runner:
    def run(cpu: str, record: ArtefactRecord, path: Path, images: np.ndarray) -> WorkerAnswer:
        raise error

    return run


def check(
    export: Path,
    run: Runner,
    cpus: Sequence[str] = ("cortex-a76",),
    names: Sequence[str] = (),
    packages: str = "numpy 1",
) -> Arm64Record:
    files = choose_files(read_manifest(export), names, every=True)
    found = check_on_arm64(export, files, cpus, run, [packages])
    assert found.unanswered == []
    return write_record(export, found.record)


def test_answers_within_the_tolerance_pass_and_verify_tells_it(export: Path) -> None:
    manifest = read_manifest(export)
    assert describe_record(export, manifest) == ([], [])
    check(export, stand_in(export), ("cortex-a53", "cortex-a76"))
    record = read_record(export)
    assert record is not None and record.passed
    rows = [(row.path, row.cpu, row.reference) for row in record.rows]
    assert rows == [
        (FP32, "cortex-a53", "torch"),
        (FP32, "cortex-a76", "torch"),
        (INT8, "cortex-a53", "export"),
        (INT8, "cortex-a76", "export"),
    ]
    told, failures = describe_record(export, manifest)
    assert len(told) == 4 and not failures
    assert f"{FP32}: ARM64, emulated cortex-a53, stand-in: within" in told[0]
    assert f"{export / ARM64_PARITY}" not in "".join(folder_problems(export, manifest))


def test_answers_off_the_tolerance_fail(export: Path) -> None:
    check(export, stand_in(export, off=0.01))
    told, failures = describe_record(export, read_manifest(export))
    # 0.01 is within what int8 may differ, and far beyond float32's tolerance.
    assert len(told) == 1 and INT8 in told[0]
    assert len(failures) == 1 and "relative difference" in failures[0]
    assert "is above 1e-05" in failures[0]


def test_what_gives_no_answer_is_a_failed_row(export: Path) -> None:
    check(export, failing(WorkerError("crashed (SIGSEGV): qemu: uncaught target signal 11")))
    _, failures = describe_record(export, read_manifest(export))
    assert len(failures) == 2 and "crashed (SIGSEGV): qemu" in failures[0]


def test_another_machine_is_no_arm(export: Path) -> None:
    check(export, stand_in(export, machine="x86_64"))
    _, failures = describe_record(export, read_manifest(export))
    assert "answered on x86_64, not on aarch64" in failures[0]


def test_a_record_of_earlier_files_says_nothing_of_these(export: Path) -> None:
    check(export, stand_in(export, off=1.0))
    text = (export / ARM64_PARITY).read_text()
    for record in read_manifest(export).artefacts:
        text = text.replace(str(record.sha256), "f" * 64)
    (export / ARM64_PARITY).write_text(text)
    told, failures = describe_record(export, read_manifest(export))
    assert not failures and all("of an earlier file" in line for line in told)


def test_another_file_or_processor_does_not_erase_a_failed_row(export: Path) -> None:
    check(export, stand_in(export, off=1.0), names=(FP32,))
    check(export, stand_in(export), names=(INT8,), packages="numpy 2")
    record = check(export, stand_in(export), ("cortex-a53",), (FP32,))
    rows = [(row.path, row.cpu, row.passed) for row in record.rows]
    assert rows == [
        (FP32, "cortex-a76", False),
        (INT8, "cortex-a76", True),
        (FP32, "cortex-a53", True),
    ]
    assert record == read_record(export) and not record.passed
    assert record.packages == ["numpy 1", "numpy 2"]
    # A second run of it replaces the row.
    assert check(export, stand_in(export), names=(FP32,)).passed
    assert len(describe_record(export, read_manifest(export))[0]) == 3


def test_rows_of_earlier_files_are_dropped_and_a_damaged_record_is_replaced(export: Path) -> None:
    check(export, stand_in(export, off=1.0))
    path = export / ARM64_PARITY
    text = path.read_text()
    for name in (FP32, INT8):
        text = text.replace(path_sha256(export / name), "f" * 64)
    path.write_text(text)
    record = check(export, stand_in(export), ("cortex-a53",), (INT8,))
    assert {(row.path, row.cpu) for row in record.rows} == {(INT8, "cortex-a53")}
    path.write_text("{")
    assert check(export, stand_in(export)).passed


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ({"allowed": 10.0}, "judged within 10 of 'torch', not 1e-05 of 'torch'"),
        ({"reference": "export"}, "judged within 1e-05 of 'export'"),
        ({}, "relative difference"),
        ({"parity": None}, "no answer"),
    ],
)
def test_passed_in_the_record_is_not_believed(
    update: dict[str, object], expected: str, export: Path
) -> None:
    check(export, stand_in(export, off=0.01), names=(FP32,))
    record = read_record(export)
    assert record is not None
    said = {"passed": True, "reason": None}
    rows = [row.model_copy(update=said | update) for row in record.rows]
    (export / ARM64_PARITY).unlink()
    write_record(export, record.model_copy(update={"rows": rows}))
    told, failures = describe_record(export, read_manifest(export))
    assert not told and len(failures) == 1 and expected in failures[0]


def test_failed_in_the_record_is_believed(export: Path) -> None:
    record = check(export, stand_in(export), names=(FP32,))
    rows = [row.model_copy(update={"passed": False}) for row in record.rows]
    write_record(export, record.model_copy(update={"rows": rows}))
    _, failures = describe_record(export, read_manifest(export))
    assert failures == [f"{FP32}: ARM64, cortex-a76: failed"]


def test_an_emulator_that_cannot_be_started_is_no_verdict(export: Path, tmp_path: Path) -> None:
    gone = EmulatedRunner(EmulatedMachine(tmp_path / "qemu-aarch64", tmp_path / "root", ()))
    with pytest.raises(PackagesUnavailableError, match="qemu-aarch64: cannot be started"):
        check(export, gone)
    assert read_record(export) is None


def test_a_timeout_is_told_but_is_no_verdict(
    export: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = stand_in(export)

    def slow(cpu: str, record: ArtefactRecord, path: Path, images: np.ndarray) -> WorkerAnswer:
        if path.name == FP32:
            raise WorkerTimeoutError("gave no answer within 1800 s")
        return answer(cpu, record, path, images)

    machine = EmulatedMachine(Path("emulator"), Path("root"), ("numpy 1",))
    monkeypatch.setattr(command, "ensure_machine", lambda home: machine)
    monkeypatch.setattr(command, "EmulatedRunner", lambda machine: slow)
    check(export, stand_in(export, off=1.0), names=(FP32,))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["export.targets.arm64", str(export), *words])
        with pytest.raises(SystemExit) as left:
            command.main()
        return int(left.value.code or 0), *capsys.readouterr()

    code, _, err = run("--file", INT8, "--file", FP32, "--cpu", "cortex-a76")
    assert code == 1 and f"NOT RUN: {FP32}, cortex-a76: gave no answer within 1800 s" in err
    record = read_record(export)
    assert record is not None
    rows = [(row.path, row.passed) for row in record.rows]
    assert rows == [(FP32, False), (INT8, True)]
    (export / ARM64_PARITY).unlink()
    code, out, _ = run("--file", FP32, "--cpu", "cortex-a76", "--json")
    assert code == 3 and json.loads(out)["rows"] == []
    assert read_record(export) is None
    code, _, _ = run("--file", INT8)
    assert code == 0


def test_a_damaged_record_is_a_problem(export: Path) -> None:
    (export / ARM64_PARITY).write_text('{"schema": 1, "packages": []}')
    _, failures = describe_record(export, read_manifest(export))
    assert len(failures) == 1 and "field 'rows'" in failures[0]


def test_a_changed_file_is_not_asked(export: Path) -> None:
    (export / FP32).write_bytes(b"another")
    with pytest.raises(ManifestError, match="sha256 differs"):
        check(export, stand_in(export))


def test_choosing_files(tmp_path: Path) -> None:
    export = write_whole_export(tmp_path / "x", gates={FP32: PASSED, TFLITE: PASSED})
    manifest = read_manifest(export)
    assert [record.path for record in choose_files(manifest, (), False)] == [FP32, TFLITE]
    half = write_whole_export(tmp_path / "y", gates={FP32: PASSED, TFLITE_HALF: PASSED})
    chosen = choose_files(read_manifest(half), (), False)
    assert [record.path for record in chosen] == [FP32, TFLITE_HALF], "computed otherwise there"
    assert [record.path for record in choose_files(manifest, (TFLITE,), False)] == [TFLITE]
    with pytest.raises(UnknownNameError, match="did you mean"):
        choose_files(manifest, ("tiny-32-fp33.onnx",), False)


def test_the_worker_answers_like_the_lab_on_this_machine_and_refuses_rubbish(
    export: Path,
) -> None:
    """The worker itself, run natively: everything but the instruction set."""

    def native(cpu: str, record: ArtefactRecord, path: Path, images: np.ndarray) -> WorkerAnswer:
        return replace(run_worker(ISOLATED, record, path, images), machine="aarch64")

    manifest = read_manifest(export)
    record = check_on_arm64(export, manifest.artefacts[:1], ["native"], native, []).record
    assert record.passed and record.rows[0].parity is not None
    assert record.rows[0].parity.evaluator.startswith("onnxruntime ")
    (export / FP32).write_bytes(b"rubbish")
    broken = manifest.artefacts[0].model_copy(update=_facts(export / FP32))
    relist(export, artefacts=[broken])
    record = check_on_arm64(export, [broken], ["native"], native, []).record
    assert record.rows[0].reason is not None
    assert "INVALID_PROTOBUF" in record.rows[0].reason


def _facts(path: Path) -> dict[str, object]:
    return {"bytes": path_bytes(path), "sha256": path_sha256(path)}


def test_the_runtimes_are_those_of_the_lab() -> None:
    pinned = (REPOSITORY / "constraints.txt").read_text().splitlines()
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    assert {line.split()[0] for line in lines} <= set(pinned)


def test_decisions_are_counted_and_old_reports_are_read(export: Path) -> None:
    row = check(export, stand_in(export), names=(FP32,)).rows[0]
    assert row.images is not None and row.decisions == row.images
    told, _ = describe_record(export, read_manifest(export))
    assert told[0].endswith(f", {row.images} of {row.images} decisions")

    def contrary(cpu: str, record: ArtefactRecord, path: Path, images: np.ndarray) -> WorkerAnswer:
        answer = stand_in(export)(cpu, record, path, images)
        return replace(answer, logits=-answer.logits)

    row = check(export, contrary, names=(FP32,)).rows[0]
    assert not row.passed and row.decisions == 0
    path = export / ARM64_PARITY
    old = json.loads(path.read_text())
    for one in old["rows"]:
        del one["images"], one["decisions"]
    path.write_text(json.dumps(old))
    assert read_record(export).rows[0].decisions is None  # type: ignore[union-attr]


PRODUCT = """
import sys
from ai_edge_litert.interpreter import Interpreter
try:
    Interpreter(model_path=sys.argv[1], num_threads=1).allocate_tensors()
except RuntimeError as error:
    print("refused", error)
"""


@pytest.mark.slow
@pytest.mark.arm64
@pytest.mark.parametrize("left", [False, True])
def test_half_precision_refuses_a_constant_product(left: bool, tmp_path: Path) -> None:
    """Why export refuses such a graph; were LiteRT mended, this would say so."""
    home = default_home()
    if not home.is_dir():
        pytest.skip("no emulated machine in the cache; 'make arm64-parity' fetches it")
    machine = ensure_machine(home)
    for hint in (False, True):
        path = write_product(tmp_path / f"product{hint}.tflite", left=left, hint=hint)
        words = machine.command("cortex-a76", "-c", PRODUCT, path)
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=600)
        assert done.stdout.startswith("refused failed to delegate BATCH_MATMUL") is hint


@pytest.mark.slow
@pytest.mark.arm64
def test_a_real_file_on_the_emulated_processor(export: Path) -> None:
    home = default_home()
    if not home.is_dir():
        pytest.skip("no emulated machine in the cache; 'make arm64-parity' fetches it")
    machine = ensure_machine(home)
    files = read_manifest(export).artefacts[:1]
    run = EmulatedRunner(machine)
    record = check_on_arm64(export, files, ["cortex-a53"], run, machine.packages).record
    assert record.passed, record.rows
    (row,) = record.rows
    assert "asimd" in row.features and "asimddp" not in row.features
