"""Phones in the report, with a stand-in for adb and invented times."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.plan import Plan
from benchmarks.results import BenchmarkError, Results, read_results
from benchmarks.run import BenchmarkRequest, run_benchmark
from export.errors import ExportError
from export.schema.manifest import Gate, read_manifest
from export.targets.task import Timeouts
from hierattn.errors import UnknownNameError
from tests.conftest import Answer
from tests.conftest import cli as cli
from tests.export.bundle_helpers import FP32, INT8, relist, write_whole_export
from tests.export.targets.adb.stand_ins import benchmark, selftest, stand_in_adb

RUNS = 5
QUICK = Timeouts(task=5, poll=0.01)
Ask = Callable[..., tuple[Results, list[str]]]
NAME = "Stand-in No Phone (none, Android 14)"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_whole_export(tmp_path / "export")


@pytest.fixture
def ask(export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    def run(phones: dict[str, dict[str, Any]], **more: Any) -> tuple[Results, list[str]]:
        bin_ = stand_in_adb(tmp_path / "bin", phones)
        monkeypatch.setenv("PATH", f"{bin_}:/usr/bin:/bin")
        known: dict[str, Any] = {
            "device": "adb",
            "threads": (1, 2),
            "plan": Plan(runs=RUNS, launches=1),
            "timeouts": QUICK,
        }
        exports = more.pop("exports", (export,))
        request = BenchmarkRequest(exports, tmp_path / "report", **(known | more))
        outcome = run_benchmark(request)
        return outcome.results, outcome.unmeasured

    return run


def test_rows_name_the_phone_its_chip_android_and_warmth(
    ask: Ask, export: Path, tmp_path: Path
) -> None:
    phone = {"state": "device", "benchmark": benchmark(export, FP32, RUNS)}
    results, unmeasured = ask({"A": phone, "B": phone})
    assert unmeasured == []
    assert [(row.device, row.threads) for row in results.rows] == [
        (NAME, 1),
        (NAME, 2),
        (f"{NAME} no. 2", 1),
        (f"{NAME} no. 2", 2),
    ]
    row = results.rows[0]
    assert (row.name, row.format, row.precision, row.runtime) == (
        FP32,
        "onnx",
        "fp32",
        "onnxruntime",
    )
    # Recomputed from the runs: what the phone says of its own percentiles is not taken over.
    assert (row.p50_ms, row.mean_ms, row.load_ms, row.first_ms) == (3.0, 3.0, 5.0, 9.0)
    assert row.status == "measured" and row.runs == RUNS and row.peak_rss_mb == 100.5
    assert row.reason is not None
    assert "thermal state none before, light after, battery 80 %, charging" in row.reason
    first = results.environments[0]
    assert (first.device, first.system, first.cpu, first.cores) == (
        NAME,
        "Android 14 (API 34)",
        "none",
        8,
    )
    assert first.thermal == "none before, light after" and first.features == ["arm64-v8a"]
    assert read_results(tmp_path / "report") == results
    page = (tmp_path / "report" / "report.html").read_text()
    assert "Stand-in No Phone" in page and "Android 14 (API 34)" in page
    assert (tmp_path / "report" / "results.csv").read_text().count("\n") == 5
    assert "--ei runs 5 --ei warmup 20 --ei threads 2" in (tmp_path / "bin" / "A.log").read_text()


def test_both_files_of_a_bundle_are_measured_and_the_faster_is_named(
    ask: Ask, tmp_path: Path
) -> None:
    passed = Gate(status="passed")
    export = write_whole_export(tmp_path / "two", gates={FP32: passed, INT8: passed})
    slow = benchmark(export, FP32, RUNS) | {"files": 2}
    quick = benchmark(export, INT8, RUNS) | {"files": 2, "latencies_ms": [0.5] * RUNS}
    phones = {"A": {"state": "device", "benchmarks": [slow, quick]}}
    results, unmeasured = ask(phones, exports=(export,))
    assert unmeasured == []
    assert [(row.threads, row.name) for row in results.rows] == [
        (1, FP32),
        (1, INT8),
        (2, FP32),
        (2, INT8),
    ]
    told = [line for line in results.remarks if INT8 in line]
    assert len(told) == 2 and ", 1 thread:" in told[0] and "fastest of 2" in told[0]
    log = (tmp_path / "bin" / "A.log").read_text()
    assert log.count("--ei file 0") == log.count("--ei file 1") == 2


def test_a_file_that_crashes_the_app_leaves_the_other_measured(ask: Ask, tmp_path: Path) -> None:
    passed = Gate(status="passed")
    export = write_whole_export(tmp_path / "two", gates={FP32: passed, INT8: passed})
    first, second = (benchmark(export, name, RUNS) | {"files": 2} for name in (FP32, INT8))
    # Of four tasks, two files at each of two thread counts, the first and the last crash.
    phone = {"state": "device", "benchmarks": [first, second], "crashes": [0, 3]}
    results, unmeasured = ask({"A": phone}, exports=(export,))
    assert [(row.threads, row.name, row.status) for row in results.rows] == [
        (1, "unknown", "failed"),
        (1, INT8, "measured"),
        (2, FP32, "measured"),
        (2, "unknown", "failed"),
    ]
    reasons = [row.reason or "" for row in results.rows]
    assert "model file 1 of the app's bundle: the app ended" in reasons[0]
    assert "model file 2 of the app's bundle: the app ended" in reasons[3]
    assert len(unmeasured) == 2
    assert any(f"{INT8} is the one to use" in line for line in results.remarks)


def test_the_only_file_that_crashes_the_app_is_one_row(ask: Ask, export: Path) -> None:
    refused = benchmark(export, FP32, RUNS) | {
        "status": "error",
        "reason": "file: the bundle has 1, counted from 0",
        "files": 1,
    }
    phone = {"state": "device", "benchmarks": [refused, refused], "crashes": [0]}
    results, unmeasured = ask({"A": phone}, threads=(1,))
    (row,) = results.rows
    assert row.status == "failed" and "the app ended" in (row.reason or "")
    assert len(unmeasured) == 1


def test_a_phone_that_fails_is_a_failed_row_and_the_others_go_on(ask: Ask, export: Path) -> None:
    good = benchmark(export, FP32, RUNS)
    short = benchmark(export, FP32, RUNS - 1) | {"runs": RUNS}
    refused = good | {
        "status": "error",
        "reason": "the self-test did not pass, so there is no latency: odd.png",
        "latencies_ms": None,
        "load_ms": None,
        "first_ms": None,
        "selftest": None,
    }
    untested = good | {"selftest": {"status": "failed", "max_relative": 0.5}}
    other = good | {"artefact": good["artefact"] | {"sha256": "e" * 64}}
    results, unmeasured = ask(
        {
            "A": {"state": "device", "benchmark": good},
            "short": {"state": "device", "benchmark": short},
            "refused": {"state": "device", "benchmark": refused},
            "untested": {"state": "device", "benchmark": untested},
            "other": {"state": "device", "benchmark": other},
            "unplugged": {"state": "device", "benchmark": good, "lost_at": 2},
            "locked": {"state": "unauthorized"},
        },
        threads=(1,),
    )
    rows = results.rows
    assert [row.status for row in rows] == ["measured"] + ["failed"] * 6
    assert all(row.p50_ms is None for row in rows[1:]) and len(unmeasured) == 6
    words = (
        "4 of 5 runs",
        "the self-test did not pass",
        "without a passed self-test there is no latency",
        "holds another model",
        "unplugged or gone",
        "allow USB debugging",
    )
    for row, expected in zip(rows[1:], words, strict=True):
        assert row.reason is not None and expected in row.reason
    assert rows[-1].device == "adb:locked"


def test_a_phone_that_did_something_else_than_ordered_has_no_figure(ask: Ask, export: Path) -> None:
    fewer = benchmark(export, FP32, RUNS - 1)
    cold = benchmark(export, FP32, RUNS) | {"warmup": 0}
    results, unmeasured = ask(
        {
            "fewer": {"state": "device", "benchmark": fewer},
            "cold": {"state": "device", "benchmark": cold},
        },
        threads=(1,),
    )
    assert [row.status for row in results.rows] == ["failed", "failed"] and len(unmeasured) == 2
    reasons = [row.reason for row in results.rows]
    assert reasons == [
        "runs: 4 on the phone, 5 ordered",
        "runs to warm up: 0 on the phone, 20 ordered",
    ]


def test_what_was_measured_before_a_phone_was_lost_stays(ask: Ask, export: Path) -> None:
    phone = {"state": "device", "benchmark": benchmark(export, FP32, RUNS), "lost_at": 99}
    results, unmeasured = ask({"A": phone}, threads=(1,))
    assert unmeasured == [] and results.rows[0].status == "measured"


def test_a_gate_that_failed_is_shown(ask: Ask, export: Path) -> None:
    (record,) = read_manifest(export).artefacts
    gate = Gate(status="failed", reasons=["loses melanomas"])
    relist(export, artefacts=[record.model_copy(update={"gate": gate})])
    phone = {"state": "device", "benchmark": benchmark(export, FP32, RUNS)}
    results, _ = ask({"A": phone}, threads=(1,))
    (row,) = results.rows
    assert row.status == "gate failed" and "loses melanomas; thermal" in (row.reason or "")


def test_this_machine_and_a_phone_in_one_table(ask: Ask, export: Path) -> None:
    phone = {"state": "device", "benchmark": benchmark(export, FP32, RUNS)}
    results, unmeasured = ask(
        {"A": phone}, device="host,adb:A", threads=(1,), runtimes=("onnxruntime",)
    )
    assert unmeasured == []
    assert [row.device for row in results.rows] == ["host", NAME]
    assert [one.device for one in results.environments] == ["host", NAME]
    assert results.rows[0].p50_ms


def test_what_cannot_be_asked_of_a_phone(ask: Ask, tmp_path: Path) -> None:
    there = {"A": {"state": "device"}}
    with pytest.raises(BenchmarkError, match="--data: is not done on phones"):
        ask(there, data=tmp_path)
    with pytest.raises(BenchmarkError, match="--apk: is for phones"):
        ask(there, device="host", apk=tmp_path)
    with pytest.raises(UnknownNameError, match="did you mean 'host'"):
        ask(there, device="hots")
    with pytest.raises(ExportError, match="adb sees no phone"):
        ask({}, device="host,adb")
    assert not (tmp_path / "report").exists()


def test_the_commands(
    cli: Callable[..., Answer], export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phones = {
        "A": {
            "state": "device",
            "benchmark": benchmark(export, FP32, RUNS),
            "selftest": selftest(export, FP32),
        },
        "locked": {"state": "unauthorized"},
    }
    bin_ = stand_in_adb(tmp_path / "bin", phones)
    monkeypatch.setenv("PATH", f"{bin_}:/usr/bin:/bin")
    out = tmp_path / "report"
    words = ("--device", "adb:A", "--runs", RUNS, "--threads", "1", "--out", out)
    answer = cli("benchmark", export, *words)
    assert answer.code == 0, answer.err
    said = " ".join(answer.out.split())
    assert NAME in said and "no noise floor is known" in said
    answer = cli("benchmark", export, "--device", "adb", *words[2:])
    assert answer.code == 1 and "adb:locked: failed: not authorised" in answer.out, answer.out
    answer = cli("verify", export, "--device", "adb:A")
    assert answer.code == 0 and "passed" in answer.out and "equal" in answer.out, answer.err
    answer = cli("verify", export, "--device", "adb")
    assert answer.code == 1 and "FAILED locked: not authorised" in answer.out
    answer = cli("verify", export, "--device", "adb", "--explain")
    assert answer.code == 1 and "--device: asks phones alone" in answer.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--run", "run"), "unknown run folder or shipped checkpoint 'run'"),
        (("--device-timeout", "60"), "--device-timeout: is for --device"),
        (("--apk", "app.apk"), "--apk: is for --device"),
    ],
)
def test_an_option_that_would_do_nothing_is_an_error(
    words: tuple[str, str], expected: str, cli: Callable[..., Answer], export: Path
) -> None:
    answer = cli("verify", export, *words)
    assert answer.code == 1 and expected in answer.err, answer.err
