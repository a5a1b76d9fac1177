import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.cases import Case, make_cases, parity_of
from benchmarks.exports import read_exports
from benchmarks.plan import Plan
from benchmarks.results import BenchmarkError
from benchmarks.runner import Measurement
from benchmarks.runtimes import registry
from benchmarks.runtimes.registry import Availability, all_runtimes, check_runtimes, find_runtime
from export.errors import ManifestError
from export.formats.onnx.abilities import ABILITIES as ONNX
from export.formats.onnx.abilities import ONNXRUNTIME
from export.runtime.client import Partitions
from export.schema.manifest import Gate, RuntimeCheck
from hierattn.errors import UnknownNameError
from hierattn.runs import load_run
from tests.benchmarks.helpers import record_of, write_export, write_manifest, write_onnx


def _cases(folder: Path, workspace: Path, *runs: str) -> list[Case]:
    exports = read_exports([folder], runs, workspace)
    return make_cases(exports, [1, 2], ["torch", "onnxruntime", "coreml"])


def test_a_row_for_each_file_runtime_and_thread_count(tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export")
    cases = _cases(folder, tmp_path)
    assert [(s.row.name, s.row.runtime, s.row.threads) for s in cases] == [
        ("torch", "torch", 1),
        ("torch", "torch", 2),
        ("hierattn_xs-32-fp32.onnx", "onnxruntime", 1),
        ("hierattn_xs-32-fp32.onnx", "onnxruntime", 2),
    ]
    file = cases[2]
    assert file.config is not None and file.config.threads == 1
    assert file.row.parity_max_abs == 0.25
    assert file.row.size_mb == (folder / file.row.name).stat().st_size / 1e6


def test_torch_without_its_run_says_so_and_is_excused(tmp_path: Path) -> None:
    torch = _cases(write_export(tmp_path / "export"), tmp_path)[0]
    assert torch.config is None and torch.excused
    assert torch.row.status == "not run"
    assert "'somewhere'" in (torch.row.reason or "") and "--run" in (torch.row.reason or "")


def test_the_run_is_found_by_its_weights(tmp_path: Path) -> None:
    shipped = load_run("hierattn_xs.pad_ufes_20")
    folder = write_export(tmp_path / "export")
    records = [record_of(folder / "hierattn_xs-32-fp32.onnx")]
    weights = shipped.config.weights_sha256
    write_manifest(folder, records, run="hierattn_xs.pad_ufes_20", weights=weights)
    assert read_exports([folder], [], tmp_path)[0].run is not None
    copy = tmp_path / "renamed"
    shutil.copytree(shipped.path, copy)
    write_manifest(folder, records, run="forgotten", weights=weights)
    assert read_exports([folder], [], tmp_path)[0].run is None
    found = read_exports([folder], [str(copy)], tmp_path)[0].run
    assert found is not None and found.path == copy


def test_a_run_behind_no_export_is_refused(tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export")
    with pytest.raises(BenchmarkError, match="behind none"):
        _cases(folder, tmp_path, "hierattn_xs.pad_ufes_20")


def test_folders_are_told_apart_by_as_little_as_it_takes(tmp_path: Path) -> None:
    folders = [write_export(tmp_path / "a" / "out"), write_export(tmp_path / "b" / "out")]
    labels = [export.label for export in read_exports(folders, [], tmp_path)]
    assert labels == ["a/out", "b/out"]
    with pytest.raises(BenchmarkError, match="given twice"):
        read_exports([folders[0], tmp_path / "b" / ".." / "a" / "out"], [], tmp_path)


def test_no_export_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"no manifest\.json"):
        read_exports([tmp_path], [], tmp_path)


def test_a_failed_gate_is_measured_and_marked(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "m-fp32.onnx")
    gate = Gate(status="failed", reasons=["flips decisions"])
    write_manifest(tmp_path, [record_of(path, gate=gate)])
    case = _cases(tmp_path, tmp_path)[2]
    assert case.config is not None
    finished = case.finished(_measured(case), Plan(runs=2))
    assert finished.status == "gate failed" and finished.p50_ms == 2.0
    assert "flips decisions" in (finished.reason or "")


def test_a_file_that_was_not_made_is_a_failed_row(tmp_path: Path) -> None:
    gate = Gate(status="failed", reasons=["the converter crashed"])
    write_manifest(tmp_path, [record_of(tmp_path / "m-fp32.onnx", gate=gate)])
    case = _cases(tmp_path, tmp_path)[2]
    assert case.config is None and case.row.status == "failed"
    assert "the converter crashed" in (case.row.reason or "")


def test_an_altered_or_missing_file_is_never_run(tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export")
    path = folder / "hierattn_xs-32-fp32.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    case = _cases(folder, tmp_path)[2]
    assert case.config is None and "sha256 differs" in (case.row.reason or "")
    path.unlink()
    assert "missing" in (_cases(folder, tmp_path)[2].row.reason or "")


@pytest.mark.skipif(sys.platform == "darwin", reason="has Core ML")
def test_core_ml_elsewhere_is_never_a_number(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "m.mlpackage")
    write_manifest(tmp_path, [record_of(path, format="coreml")])
    case = _cases(tmp_path, tmp_path)[2]
    assert case.config is None and case.excused
    assert case.row.status == "not run" and case.row.reason == "needs macOS"
    assert case.row.parity_max_abs is None
    gate = Gate(status="failed", reasons=["melanomas missed"])
    write_manifest(tmp_path, [record_of(path, format="coreml", gate=gate)])
    assert _cases(tmp_path, tmp_path)[2].row.reason == "gate failed; needs macOS"


def test_a_missing_runtime_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.importlib.util, "find_spec", lambda name: None)
    found = find_runtime.__wrapped__("onnxruntime")
    assert found == Availability(
        None, reason="onnxruntime is not installed; pip install 'hierattn-mobile[onnx]'"
    )


def test_a_second_runtime_with_its_own_environment_is_not_taken_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = replace(ONNXRUNTIME, name="older", distribution="older-rt", requirements=("x==1.2",))
    with_older = replace(ONNX, runtimes=(ONNXRUNTIME, older))
    monkeypatch.setattr(registry, "all_abilities", lambda: (with_older,))
    asked = []
    monkeypatch.setattr(registry, "ensure_runtime", lambda one: asked.append(one) or Path("python"))
    assert find_runtime.__wrapped__("older") == Availability(("python", "-I"), "1.2")
    assert asked == [older]

    record = record_of(write_onnx(tmp_path / "hierattn_xs-32-fp32.onnx"))
    assert record.parity is not None
    parity = record.parity.model_copy(update={"max_abs": 0.5})
    check = RuntimeCheck(
        runtime="older-rt 1.2", loads=True, agrees=True, parity=parity, reason=None
    )
    record = record.model_copy(update={"other_runtimes": [check]})
    assert parity_of(record, "older") == 0.5
    assert parity_of(record, "onnxruntime") == record.parity.max_abs != 0.5
    other = check.model_copy(update={"runtime": "tflite-runtime 2.14.0"})
    assert parity_of(record.model_copy(update={"other_runtimes": [other]}), "older") is None


def test_unknown_runtimes_are_refused() -> None:
    assert check_runtimes(all_runtimes()) == all_runtimes()
    with pytest.raises(UnknownNameError, match="did you mean 'onnxruntime'"):
        check_runtimes(("onnxruntim",))


def test_what_is_not_measured_keeps_its_reason(tmp_path: Path) -> None:
    case = _cases(write_export(tmp_path / "export"), tmp_path)[2]
    measured = case.measurement()
    assert measured is not None
    assert case.finished(measured, Plan(runs=3)).status == "not run"
    measured.failure = "crashed (SIGSEGV)"
    failed = case.finished(measured, Plan(runs=3))
    assert failed.status == "failed" and failed.reason == "onnxruntime: crashed (SIGSEGV)"


def test_figures_of_a_row(tmp_path: Path) -> None:
    case = _cases(write_export(tmp_path / "export"), tmp_path)[2]
    measured = _measured(case)
    measured.loads, measured.firsts = [5.0, 7.0, 6.0], [9.0, 1.0, 2.0]
    measured.peaks, measured.warm_ups = [80.0, 90.0], [15, 20]
    measured.delegated = Partitions(partitions=3, left=52)
    measured.settled = False
    row = case.finished(measured, Plan(runs=10, launches=1, slices=1))
    assert (row.load_ms, row.first_ms, row.peak_rss_mb, row.runs) == (6.0, 2.0, 90.0, 2)
    assert row.operators_left == 52 and row.fully_delegated is False
    assert row.reason == (
        "did not get steady in its warm-up; 2 of 10 runs: with 1 thread this row is slow: after "
        "1 s a turn begins no other run"
    )
    waiting = case.finished(measured, Plan(runs=10, launches=2))
    assert (waiting.reason or "").endswith("2 of 10 runs: the others had not had their turn")


def _measured(case: Case) -> Measurement:
    measured = case.measurement()
    assert measured is not None
    measured.turns, measured.loads = [[[1.0, 3.0]]], [1.0]
    measured.firsts, measured.warm_ups = [1.0], [15]
    return measured
