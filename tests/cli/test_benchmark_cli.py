import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.report.redraw import redraw_report
from export.schema.manifest import Gate
from export.schema.metadata import Precision
from hierattn.cli.benchmark_tables import latency_tables, legend, rank, remarks, sweep_table
from hierattn.cli.commands import benchmark as benchmark_cli
from tests.benchmarks.helpers import (
    record_of,
    results,
    row,
    write_export,
    write_manifest,
    write_onnx,
)
from tests.benchmarks.report.sample import sample_results
from tests.conftest import Answer

Cli = Callable[..., Answer]
QUICK = ("--threads", "1", "--runtime", "onnxruntime", "--runs", "4", "--launches", "2")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_export(tmp_path / "export")


def test_the_table_its_legend_and_the_next_commands(cli: Cli, export: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    answer = cli("benchmark", export, *QUICK, "--out", out)
    assert answer.code == 0
    for words in ("fp32 onnx", "measured", "noise floor", "rank:", f"look at {out}/report.html"):
        assert words in answer.out
    assert {path.name for path in out.iterdir()} >= {"results.json", "results.csv", "report.html"}
    # A report may be replaced by a newer one, and compared with.
    again = cli("benchmark", export, *QUICK, "--out", out, "--compare", out, "--json")
    document = json.loads(again.out)
    assert document["rows"][0]["status"] == "measured"
    # A machine that others use may well have slowed down: that is found, and told by the exit code.
    assert again.code == (1 if document["comparison"]["findings"] else 0)


def test_a_failed_gate_is_shown_and_a_failed_row_is_exit_1(cli: Cli, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    exported.mkdir()
    good = write_onnx(exported / "m-fp32.onnx")
    gate = Gate(status="failed", reasons=["loses melanomas"])
    write_manifest(exported, [record_of(good, gate=gate)])
    answer = cli("benchmark", exported, *QUICK, "--out", tmp_path / "one")
    assert answer.code == 0 and "gate failed" in answer.out and "loses melanomas" in answer.out
    write_manifest(
        exported, [record_of(good), record_of(exported / "m-fp16.onnx", precision=Precision.FP16)]
    )
    answer = cli("benchmark", exported, *QUICK, "--out", tmp_path / "two")
    assert answer.code == 1 and "was not made" in answer.out and "measured" in answer.out


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A report folder that lacks everything but its results."""
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "results.json").write_text(
        sample_results().model_dump_json(by_alias=True, indent=1), encoding="utf-8"
    )
    return folder


FILES = ["pareto.png", "report.html", "results.csv", "results.json"]


def test_a_report_is_drawn_again(cli: Cli, report: Path, tmp_path: Path) -> None:
    answer = cli("report", report / "results.json", "--out", tmp_path / "again")
    assert answer.code == 0
    assert f"{tmp_path}/again\n      results.json, results.csv, report.html" in answer.out
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == FILES
    # In its own place, and once more over that.
    for _ in range(2):
        here = cli("report", report, "--out", report, "--json")
        assert here.code == 0 and len(json.loads(here.out)["written"]) == 4
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (report / name).read_bytes()


@pytest.mark.parametrize("link", [False, True])
def test_a_report_goes_into_an_empty_folder_that_is_there(
    cli: Cli, report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: bool
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "linked").symlink_to("empty")
    monkeypatch.chdir(tmp_path / "empty")
    assert cli("report", report, "--out", tmp_path / "linked" if link else ".").code == 0
    assert sorted(path.name for path in (tmp_path / "empty").iterdir()) == FILES


def test_a_stopped_report_leaves_no_results_without_their_page(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.report.page.draw_pareto", stop)
    with pytest.raises(KeyboardInterrupt):
        redraw_report(report, tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_report_is_not_drawn_over_something_else(cli: Cli, report: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "results.json").write_text(
        sample_results(date="2026-01-03").model_dump_json(by_alias=True), encoding="utf-8"
    )
    before = (other / "results.json").read_bytes()
    answer = cli("report", report, "--out", other)
    assert answer.code == 1 and answer.err.count("\n") == 1 and "another session" in answer.err
    assert [path.read_bytes() for path in other.iterdir()] == [before]
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    answer = cli("report", report, "--out", tmp_path / "notes")
    assert answer.code == 1 and "something else" in answer.err


@pytest.mark.parametrize("content", [None, "{}", "no json", "[" * 100_000])
def test_results_that_cannot_be_read_are_one_line(
    cli: Cli, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "results.json"
    if content is not None:
        file.write_text(content)
    answer = cli("report", file, "--out", tmp_path / "again")
    assert answer.code == 1 and answer.err.count("\n") == 1 and str(file) in answer.err
    assert not (tmp_path / "again").exists()


def test_a_busy_machine_is_said_first_and_once(
    cli: Cli, export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (99.0, 99.0, 99.0))
    answer = cli("benchmark", export, *QUICK, "--out", tmp_path / "report")
    assert answer.out.startswith("WARNING: the machine was busy")
    assert answer.out.count("machine was busy") == 1
    assert "Busy machine:" in (tmp_path / "report" / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--runs", "0"], "--runs"),
        (["--runs", "many"], "--runs"),
        (["--threads", "0"], "--threads"),
        (["--threads", "one"], "--threads"),
        (["--sustained", "-1"], "--sustained"),
        (["--bogus"], "--bogus"),
    ],
)
def test_wrong_usage_exits_2(
    cli: Cli, export: Path, tmp_path: Path, arguments: list[str], named: str
) -> None:
    answer = cli("benchmark", export, "--out", tmp_path / "r", *arguments)
    assert answer.code == 2 and named in answer.err


def test_bad_input_is_one_line(cli: Cli, export: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    other = tmp_path / "other.json"
    other.write_text('{"schema": 9}')
    for arguments, named in (
        ([tmp_path / "nowhere"], "no such folder"),
        ([tmp_path / "empty"], "manifest.json"),
        ([export, export], "given twice"),
        ([export, "--data", tmp_path / "empty"], "holds no class folder"),
        ([export, "--data", tmp_path / "nowhere"], "no such data folder"),
        ([export, "--compare", other], "field 'schema'"),
        ([export, "--device", "adb:"], "give a serial"),
        ([export, "--runtime", "onnx"], "unknown runtime 'onnx'"),
        ([export, "--run", "nobody"], "nobody"),
        ([export, "--map-class", "a=b"], "--data"),
    ):
        answer = cli("benchmark", *arguments, "--out", tmp_path / "report")
        assert answer.code == 1, arguments
        assert answer.err.startswith("error: ") and answer.err.count("\n") == 1
        assert named in answer.err
    answer = cli("benchmark", export, "--out", export)
    assert answer.code == 1 and "which is read; choose another --out" in answer.err
    answer = cli("benchmark", export, "--out", tmp_path / "empty" / "..")
    assert answer.code == 1 and "something else than a report" in answer.err


LONG = ("--runs", "4000", "--launches", "2000")
"""Minutes of starting processes, and a handful of runs in each."""


def test_an_interrupted_session_says_where_the_rows_are(export: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    arguments = ["benchmark", str(export), "--threads", "1", "--runtime", "onnxruntime"]
    process = subprocess.Popen(
        [sys.executable, "-m", "hierattn.cli", *arguments, *LONG, "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
        # A shell's background jobs, this test perhaps among them, inherit that it is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    end = time.monotonic() + 120
    while not (out / "results.json").exists() and time.monotonic() < end:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 1
    document = json.loads((out / "results.json").read_text())
    assert document["complete"] is False and len(document["rows"]) == 1
    assert document["rows"][0]["p50_ms"]
    assert f"what was finished stands in {out}/results.json" in err
    assert "Traceback" not in err


def test_rows_that_cannot_be_told_apart_may_hold_the_same_places() -> None:
    rows = [row(p50_ms=p50) for p50 in (12.0, 10.0, 10.9, 13.0, 30.0)]
    places = rank(results(*rows, floor=1.1), rows)
    assert [places[id(one)] for one in rows] == ["3-4", "1-2", "1-2", "3-4", "5"]
    assert rank(results(), [row(p50_ms=None, status="failed")]) == {}
    places = rank(results(*rows, noise_floor=None), rows)
    assert set(places.values()) == {"1", "2", "3", "4", "5"}


def test_a_noisy_row_may_hold_any_place_and_moves_no_quiet_one_before_a_faster() -> None:
    rows = [row(p50_ms=10.0), row(p50_ms=13.0), row(p50_ms=15.0, noise_ratio=2.0)]
    places = rank(results(*rows, floor=1.1), rows)
    assert [places[id(one)] for one in rows] == ["1-2", "2-3", "1-3"]


def test_a_file_that_failed_its_gate_is_never_the_best() -> None:
    fast, slow = row(p50_ms=1.0, status="gate failed", reason="melanomas"), row(p50_ms=10.0)
    assert rank(results(), [fast, slow]) == {id(slow): "1"}


def test_the_record_holds_no_path_and_no_serial() -> None:
    words = ["hierattn", "benchmark", "/home/name/run", "--device", "adb:R5CT1", "--out", "here"]
    assert [benchmark_cli._anonymous(word) for word in words[2:]] == [
        "run",
        "--device",
        "adb",
        "--out",
        "here",
    ]
    assert benchmark_cli._anonymous("--device=host,adb:A,adb:B") == "--device=host,adb"
    assert benchmark_cli._anonymous("--out=/home/name/report") == "--out=report"
    assert benchmark_cli._anonymous("onnxruntime,torch") == "onnxruntime,torch"


def test_the_table_fits_120_columns() -> None:
    long = row(
        name="hierattn_xs-256-int8.tflite",
        format="tflite",
        precision="int8",
        runtime="tflite-runtime",
        load_ms=1234.5,
        first_ms=189.8,
        p50_ms=134.91,
        p99_ms=1212.2,
        peak_rss_mb=345.6,
        noise_ratio=17.28,
        operators_left=159,
        balanced_accuracy=0.541,
        melanoma_sensitivity=0.731,
        change_vs_torch={"balanced_accuracy": -0.101, "melanoma_sensitivity": 0.0},
        status="gate failed",
        reason="[bold]why[/bold]",
        sustained={"seconds": 3.0, "window_p50_ms": [1.0], "last_to_first": 1.25},
        profile=[{"operator": "Conv", "milliseconds": 1.0, "share": 0.5}],
    )
    session = results(
        long,
        row(threads=2, profile_note="no profiler"),
        sweep=[
            {
                "model": "hierattn_xs",
                "runtime": "onnxruntime",
                "device": "host",
                "image_size": 256,
                "threads": 1,
                "batch": 4,
                "p50_ms": 40.0,
                "multiply_adds": 500_000_000,
                "gmacs": 50.0,
                "of_matrix_product": 0.5,
            }
        ],
    )
    console = Console(width=120, record=True, highlight=False, markup=False)
    for table in latency_tables(session):
        console.print(table)
    console.print(sweep_table(session))
    text = console.export_text()
    assert "…" not in text
    for cell in ("tflite-runtime", "134.91", "0.541 -10.1", "gate failed", "2 threads", "10.00"):
        assert cell in text
    lines = [*legend(session), *remarks(session)]
    assert any("[bold]why[/bold]" in line for line in lines)
    assert any("1.25 times its first latency" in line for line in lines)
    assert any("Conv 50%" in line for line in lines) and any("no profiler" in x for x in lines)
