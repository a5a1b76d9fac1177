"""The adb driver against a real adbd on loopback; the app is played by stand-in scripts."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.plan import Plan
from benchmarks.run import BenchmarkRequest, run_benchmark
from export.targets.task import Timeouts
from export.targets.verify import verify_on_phones
from tests.conftest import Answer
from tests.conftest import cli as cli
from tests.export.bundle_helpers import FP32, write_whole_export
from tests.export.targets.adb.adbd import FILES, ROOT, Daemon, daemons, missing, write_installer
from tests.export.targets.adb.stand_ins import benchmark, selftest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=missing() or ""),
]
RUNS = 5


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_whole_export(tmp_path / "export")


@pytest.fixture
def phones(export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Daemon]]:
    installer = write_installer(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{installer}:{os.environ['PATH']}")
    with daemons(["one", "two"]) as started:
        for daemon in started:
            daemon.prepare("selftest", selftest(export, FP32, model=daemon.home.name))
            daemon.prepare("benchmark", benchmark(export, FP32, RUNS, model=daemon.home.name))
        yield started


def cut_when_running(daemon: Daemon) -> threading.Thread:
    """Kill adbd once the task in the app tells progress."""

    def watch() -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until and not list((ROOT / FILES).glob("progress-*")):
            time.sleep(0.05)
        time.sleep(0.7)
        daemon.kill()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def left_behind() -> list[str]:
    return sorted(path.name for path in (ROOT / FILES).iterdir())


def test_verify_and_benchmark_side_by_side(
    phones: list[Daemon], export: Path, tmp_path: Path
) -> None:
    apk = tmp_path / "stand_in.apk"
    apk.write_bytes(b"not an app" * 1000)
    for daemon in phones:
        (daemon.home / "app").unlink()
    found = verify_on_phones(export, "adb", apk, Timeouts(60, 0.2))
    assert [verdict.passed for verdict in found] == [True, True], found
    assert {verdict.serial for verdict in found} == {daemon.serial for daemon in phones}
    # The whole APK went through the wire.
    assert [int((daemon.home / "app").read_text()) for daemon in phones] == [10000, 10000]
    request = BenchmarkRequest(
        (export,),
        tmp_path / "report",
        device="adb",
        threads=(1, 2),
        plan=Plan(runs=RUNS, launches=1),
        timeouts=Timeouts(60, 0.2),
    )
    outcome = run_benchmark(request)
    assert outcome.unmeasured == []
    rows = [(row.device, row.threads, row.p50_ms) for row in outcome.results.rows]
    assert len(rows) == 4 and {row[2] for row in rows} == {3.0}
    assert left_behind() == []


def test_phones_that_cannot(phones: list[Daemon], export: Path, tmp_path: Path) -> None:
    apk = tmp_path / "stand_in.apk"
    apk.write_bytes(b"not an app")
    (phones[0].home / "full").touch()
    (phones[1].home / "sdk").write_text("21\n")
    serials = f"adb:{phones[0].serial},adb:{phones[1].serial}"
    full, old = verify_on_phones(export, serials, apk, Timeouts(60, 0.2))
    assert full.reason == "too full for the app: make room on it"
    assert old.reason is not None and old.reason.startswith("too old: Android stand-in (API 21)")


def test_unplugged_in_the_middle_is_a_clear_row_and_exit_1(
    phones: list[Daemon], export: Path, tmp_path: Path, cli: Callable[..., Answer]
) -> None:
    lost, other = phones
    (lost.home / "never").touch()
    watcher = cut_when_running(lost)
    out = tmp_path / "report"
    answer = cli(
        *("benchmark", export, "--device", "adb", "--runs", RUNS, "--threads", "1", "--out", out)
    )
    watcher.join()
    assert answer.code == 1
    rows = {row["device"]: row for row in json.loads((out / "results.json").read_text())["rows"]}
    gone = rows.pop(f"adb:{lost.serial}")
    assert gone["status"] == "failed" and gone["p50_ms"] is None
    assert "unplugged or gone during" in gone["reason"] and "plug it in" in gone["reason"]
    assert "\n" not in gone["reason"] and gone["reason"] in answer.out
    (kept,) = rows.values()
    assert kept["status"] == "measured" and kept["p50_ms"] == 3.0
    assert not (other.home / "stopped").exists()


def test_verify_of_a_phone_that_goes_is_exit_1(
    phones: list[Daemon], export: Path, cli: Callable[..., Answer]
) -> None:
    (phones[0].home / "never").touch()
    watcher = cut_when_running(phones[0])
    answer = cli("verify", export, "--device", f"adb:{phones[0].serial}")
    watcher.join()
    assert answer.code == 1
    assert f"FAILED {phones[0].serial}: unplugged or gone during" in answer.out


def test_an_adbd_that_cannot_install_is_not_called_unplugged(
    phones: list[Daemon], export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real 'adb install' against this adbd, which has no package service."""
    monkeypatch.setenv("PATH", os.environ["PATH"].partition(":")[2])
    apk = tmp_path / "stand_in.apk"
    apk.write_bytes(b"not an app")
    (verdict,) = verify_on_phones(export, f"adb:{phones[0].serial}", apk, Timeouts(60, 0.2))
    assert verdict.reason is not None
    assert verdict.reason.startswith("the app cannot be installed")


def test_a_task_without_end_is_stopped_on_the_phone(phones: list[Daemon], export: Path) -> None:
    (phones[0].home / "never").touch()
    (verdict,) = verify_on_phones(export, f"adb:{phones[0].serial}", None, Timeouts(4, 0.2))
    assert verdict.reason is not None and "no result in 4 s" in verdict.reason
    assert (phones[0].home / "stopped").exists()
