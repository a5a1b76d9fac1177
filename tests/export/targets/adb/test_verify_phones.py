"""``verify --device`` against a stand-in for adb."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from export.errors import ExportError, ManifestError
from export.progress import Progress
from export.schema.manifest import Gate
from export.targets.adb import adb, phone
from export.targets.adb.adb import AdbMissingError
from export.targets.fleet import parse_devices
from export.targets.task import Timeouts
from export.targets.verify import PhoneCheck, verify_on_phones
from hierattn.errors import UnknownNameError
from tests.conftest import Answer
from tests.conftest import cli as cli
from tests.export.bundle_helpers import FP32, INT8, write_whole_export
from tests.export.targets.adb.stand_ins import selftest, stand_in_adb

QUICK = Timeouts(task=5, poll=0.01)
Ask = Callable[..., list[PhoneCheck]]
PASSED = Gate(status="passed")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_whole_export(tmp_path / "export", gates={FP32: PASSED, INT8: PASSED})


@pytest.fixture
def ask(export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    def run(
        phones: dict[str, dict[str, Any]], device: str = "adb", apk: Path | None = None, **more: Any
    ) -> list[PhoneCheck]:
        bin_ = stand_in_adb(tmp_path / "bin", phones)
        monkeypatch.setenv("PATH", f"{bin_}:/usr/bin:/bin")
        return verify_on_phones(export, device, apk, more.pop("timeouts", QUICK), **more)

    return run


def test_a_phone_that_answers_alike_passes(ask: Ask, export: Path, tmp_path: Path) -> None:
    steps: list[Progress] = []
    phones = {
        "A": {"state": "device", "selftest": selftest(export, FP32, off=1e-7)},
        "B": {"state": "device", "selftest": selftest(export, INT8, off=0.001)},
    }
    first, second = ask(phones, progress=steps.append)
    assert first.passed and first.file == FP32 and first.differing_bytes == 0
    assert first.parity is not None and 0 < first.parity.max_relative <= 1e-5
    assert second.passed and second.file == INT8 and second.allowed == 0.1
    assert {step.part for step in steps} == {"A", "B"}
    assert ("running", 2, 3) in [(step.text, step.done, step.total) for step in steps]
    log = (tmp_path / "bin" / "A.log").read_text()
    assert "am start -W -n org.hierattn.demo/.SelfTestActivity --es token" in log
    assert "rm -f /sdcard/Android/data/org.hierattn.demo/files/selftest-" in log
    assert "force-stop" not in log


def test_the_phones_own_verdict_is_not_trusted(ask: Ask, export: Path) -> None:
    off = selftest(export, FP32, off=0.01)
    missing = selftest(export, FP32)
    missing["images"].pop()
    nan = selftest(export, FP32)
    nan["images"][0]["logits"][0] = None
    pixels = selftest(export, FP32)
    pixels["images"][3]["differing_bytes"] = 7
    doubt = selftest(export, FP32) | {"status": "failed", "reason": "a reason of its own"}
    told = {"off": off, "missing": missing, "nan": nan, "pixels": pixels, "doubt": doubt}
    phones = {name: {"state": "device", "selftest": value} for name, value in told.items()}
    found = {verdict.serial: verdict for verdict in ask(phones)}
    words = {
        "off": "is above 1e-05",
        "missing": "no answer for golden image",
        "nan": "2 logits for",
        "pixels": "7 bytes of",
        "doubt": "a reason of its own",
    }
    for name, expected in words.items():
        assert not found[name].passed and expected in (found[name].reason or ""), name


def test_one_line_for_every_phone_that_cannot_and_the_others_go_on(
    ask: Ask, export: Path, tmp_path: Path
) -> None:
    good = selftest(export, FP32)
    other = selftest(export, FP32)
    other["artefact"] = good["artefact"] | {"sha256": "e" * 64}
    broken = selftest(export, FP32) | {"status": "error", "reason": "onnxruntime: no such file"}
    apk = tmp_path / "app.apk"
    apk.touch()
    phones = {
        "good": {"state": "device", "selftest": good},
        "unauthorised": {"state": "unauthorized"},
        "offline": {"state": "offline"},
        "rights": {"state": "no permissions (missing udev rules?)"},
        "old": {"state": "device", "sdk": "23", "release": "6.0.1"},
        "full": {
            "state": "device",
            "install": "adb: failed to install: Failure [INSTALL_FAILED_INSUFFICIENT_STORAGE]",
        },
        "signature": {
            "state": "device",
            "install": "Failure [INSTALL_FAILED_UPDATE_INCOMPATIBLE: other]",
        },
        "no_activity": {"state": "device", "start": "Error type 3\nError: Activity does not exist"},
        "crash": {"state": "device", "selftest": good, "crash": True},
        "slow": {"state": "device", "selftest": good, "never": True},
        "unplugged": {"state": "device", "selftest": good, "lost_at": 2},
        "damaged": {"state": "device", "selftest": '{"schema": 1, "tok'},
        "earlier": {"state": "device", "selftest": good, "token": "another"},
        "other": {"state": "device", "selftest": other},
        "broken": {"state": "device", "selftest": broken},
    }
    found = {verdict.serial: verdict for verdict in ask(phones, apk=apk, timeouts=Timeouts(4, 0.1))}
    words = {
        "unauthorised": "allow USB debugging",
        "offline": "plug it in again",
        "rights": "udev",
        "old": "Android 6.0.1 (API 23); Android 7.0 (API 24) is needed",
        "full": "too full for the app: make room",
        "signature": "adb uninstall org.hierattn.demo",
        "no_activity": "did not start: Error type 3",
        "crash": "ended without a result",
        "slow": "no result in 4 s",
        "unplugged": "unplugged or gone during",
        "damaged": "cannot be read",
        "earlier": "of another run",
        "other": "holds another model",
        "broken": "onnxruntime: no such file",
    }
    assert found["good"].passed
    assert words.keys() | {"good"} == found.keys()
    for name, expected in words.items():
        reason = found[name].reason or ""
        assert not found[name].passed and expected in reason and "\n" not in reason, (name, reason)
    assert "force-stop" in (tmp_path / "bin" / "slow.log").read_text()


def test_an_app_that_crashed_over_one_file_is_asked_again(ask: Ask, export: Path) -> None:
    reason = "the app ended while this file was tried, a crash or a kill"
    why = {"kind": "ENDED_THE_APP", "english": reason, "values": []}
    refused = {"chosen": False, "reason": reason, "why": why, "p50_ms": None}
    tried = [
        {"file": INT8, "precision": "fp16", **refused},
        {"file": FP32, "precision": "fp32", "chosen": True, "reason": None, "p50_ms": 2.0},
    ]
    answer = selftest(export, FP32) | {"tried": tried}
    once, twice = ask(
        {
            "A": {"state": "device", "selftest": answer, "crashes": [0]},
            "B": {"state": "device", "selftest": answer, "crashes": [0, 1]},
        }
    )
    assert once.passed and once.result is not None
    assert once.result.tried[0].words == f"fp16 not used: {reason}"
    assert not twice.passed and "the app ended" in (twice.reason or "")


def test_an_app_that_is_not_there(ask: Ask, tmp_path: Path) -> None:
    (verdict,) = ask({"A": {"state": "device", "app": False}})
    assert verdict.reason == "the app org.hierattn.demo is not on it: pass it with --apk FILE"
    with pytest.raises(ExportError, match="no such file; build it with 'make apk'"):
        ask({"A": {"state": "device"}}, apk=tmp_path / "nowhere.apk")


def test_a_phone_by_its_serial(ask: Ask, export: Path) -> None:
    phones = {
        "A": {"state": "device", "selftest": selftest(export, FP32)},
        "10.0.0.1:5555": {"state": "device", "selftest": selftest(export, FP32)},
    }
    (verdict,) = ask(phones, "adb:10.0.0.1:5555")
    assert verdict.serial == "10.0.0.1:5555" and verdict.passed
    first, second = ask(phones, "adb:A,adb:C")
    assert first.passed and "adb does not see it" in (second.reason or "")


def test_no_phone_and_no_adb(ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="adb sees no phone"):
        ask({})
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ANDROID_HOME", raising=False)
    monkeypatch.delenv("ANDROID_SDK_ROOT", raising=False)
    with pytest.raises(AdbMissingError, match="no 'adb' here"):
        adb.find_adb()


def test_an_empty_variable_names_no_sdk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tools = tmp_path / "platform-tools"
    tools.mkdir()
    (tools / "adb").touch(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("ANDROID_HOME", "")
    monkeypatch.delenv("ANDROID_SDK_ROOT", raising=False)
    with pytest.raises(AdbMissingError, match="no 'adb' here"):
        adb.find_adb()
    monkeypatch.setenv("ANDROID_SDK_ROOT", str(tmp_path))
    assert adb.find_adb() == tools / "adb"


def test_what_was_never_judged_on_photos_is_numbers_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Callable[..., Answer]
) -> None:
    gate = Gate(status="not run", reasons=["decisions need photos"])
    export = write_whole_export(tmp_path / "unjudged", gates={FP32: PASSED, INT8: gate})
    off = selftest(export, INT8, off=1.0)
    phones = {
        "fp32": {"state": "device", "selftest": selftest(export, FP32)},
        "int8": {"state": "device", "selftest": selftest(export, INT8)},
        "off": {"state": "device", "selftest": off},
    }
    bin_ = stand_in_adb(tmp_path / "bin", phones)
    monkeypatch.setenv("PATH", f"{bin_}:/usr/bin:/bin")
    found = {verdict.serial: verdict for verdict in verify_on_phones(export, "adb", None, QUICK)}
    statuses = {serial: verdict.status for serial, verdict in found.items()}
    assert statuses == {"fp32": "passed", "int8": "numbers only", "off": "failed"}
    answer = cli("verify", export, "--device", "adb:int8", "--json")
    (told,) = json.loads(answer.out)["phones"]
    assert answer.code == 0 and told["status"] == "numbers only"
    answer = cli("verify", export, "--device", "adb:int8")
    assert answer.code == 0 and "numbers only" in answer.out and "passed" not in answer.out


def test_a_cable_that_hangs_is_given_up(
    ask: Ask, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = adb.Adb.shell

    def impatient(self: adb.Adb, command: str, seconds: float = 1.0) -> str:
        return original(self, command, 1.0 if command.startswith("if") else seconds)

    monkeypatch.setattr(phone.Adb, "shell", impatient)
    hung = {"A": {"state": "device", "selftest": selftest(export, FP32), "hang": True}}
    (verdict,) = ask(hung)
    assert "no answer in 1 s; is it still plugged in?" in (verdict.reason or "")


def test_a_damaged_export_asks_nobody(ask: Ask, export: Path) -> None:
    answers = json.loads((export / "parity.json").read_text())
    answers["torch"] = "another"
    (export / "parity.json").write_text(json.dumps(answers))
    with pytest.raises(ManifestError, match="changed since the export"):
        ask({"A": {"state": "device"}})


@pytest.mark.parametrize("text", ["adb:", "adb:-s", "", " , "])
def test_serials_that_are_none(text: str) -> None:
    with pytest.raises(ExportError):
        parse_devices(text)


def test_devices_by_name() -> None:
    assert parse_devices("adb") == {"adb": [None]}
    assert parse_devices("adb:x:5555, adb:y") == {"adb": ["x:5555", "y"]}
    with pytest.raises(UnknownNameError, match="did you mean 'adb'"):
        parse_devices("abd")
