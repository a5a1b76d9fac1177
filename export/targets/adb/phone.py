"""One phone: checks, installation of the app, and running a task in it up to its result."""

from __future__ import annotations

import re
import secrets
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from export.errors import AppEndedError, DeviceError
from export.targets.adb.adb import Adb
from export.targets.results import Result, parse_result
from export.targets.task import ReportProgress, Task, Timeouts

PACKAGE = "org.hierattn.demo"
FILES = f"/sdcard/Android/data/{PACKAGE}/files"
MINIMUM_SDK = 24
INSTALL_SECONDS, START_SECONDS, PULL_SECONDS = 300, 60, 60
LARGEST_RESULT = 64 * 2**20

_INSTALL_FAILURES = {
    "INSUFFICIENT_STORAGE": "too full for the app: make room on it",
    "NO_MATCHING_ABIS": "the APK has no code for its processor: build it for its ABI",
    "OLDER_SDK": f"too old for the app: Android 7.0 (API {MINIMUM_SDK}) is needed",
    "UPDATE_INCOMPATIBLE": (
        f"an app of another signature is there: adb uninstall {PACKAGE}, then run again"
    ),
    "VERSION_DOWNGRADE": f"a newer app is there: adb uninstall {PACKAGE}, then run again",
    "USER_RESTRICTED": "installing is not allowed: allow 'Install via USB' in developer options",
    "ABORTED": "installing was refused on the phone's screen: allow it there",
}


@dataclass(frozen=True)
class Phone:
    """One phone and its timeouts; setting ``stop`` interrupts a running task."""

    adb: Adb
    timeouts: Timeouts = field(default_factory=Timeouts)
    stop: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Check that its Android is new enough.

        Raises:
            DeviceError: it is not, or the phone is gone.
        """
        level = self.adb.shell("getprop ro.build.version.sdk").strip()
        if not level.isdecimal():
            raise DeviceError(f"does not tell its Android version (getprop says {level[:40]!r})")
        if int(level) < MINIMUM_SDK:
            release = self.adb.shell("getprop ro.build.version.release").strip() or "?"
            raise DeviceError(
                f"too old: Android {release} (API {level}); "
                f"Android 7.0 (API {MINIMUM_SDK}) is needed"
            )

    def install(self, apk: Path) -> None:
        """Install or replace the app.

        Raises:
            DeviceError: refused, with the mend; or the phone is gone.
        """
        words = ["install", "-r", "-t", str(apk)]
        done = self.adb.run(words, "'install'", INSTALL_SECONDS)
        output = f"{done.stdout}\n{done.stderr}"
        if done.returncode == 0 and re.search(r"^Success", output, re.MULTILINE):
            return
        code = re.search(r"INSTALL_(?:FAILED|PARSE_FAILED)_([A-Z_]+)", output)
        if code is not None:
            words_of = _INSTALL_FAILURES.get(code[1], f"the app cannot be installed ({code[0]})")
            raise DeviceError(words_of)
        if "not enough space" in output.lower() or "no space left" in output.lower():
            raise DeviceError(_INSTALL_FAILURES["INSUFFICIENT_STORAGE"])
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        raise DeviceError(f"the app cannot be installed: {(lines or ['nothing said'])[-1][:200]}")

    def check_app(self) -> None:
        """Check that the app is installed.

        Raises:
            DeviceError: it is not.
        """
        done = self.adb.run(["shell", f"pm path {PACKAGE}"], "'pm path'")
        if not done.stdout.strip().startswith("package:"):
            raise DeviceError(f"the app {PACKAGE} is not on it: pass it with --apk FILE")

    def run(self, task: Task, kind: type[Result], report: ReportProgress) -> Result:
        """Start a task in the app and wait for its result.

        Raises:
            AppEndedError: it crashed; the phone is there.
            DeviceError: it did not start, took too long, or wrote something else.
        """
        token = secrets.token_hex(8)
        result = f"{FILES}/{task.kind}-{token}.json"
        progress = f"{FILES}/progress-{token}.json"
        try:
            self._start(task, token)
            self._wait(result, progress, report)
            report("fetching the result", None, None)
            content = self._pull(result)
        except BaseException:
            # Leave no task running on the phone.
            with suppress(DeviceError):
                self.adb.shell(f"am force-stop {PACKAGE}", 5)
            raise
        finally:
            with suppress(DeviceError):
                self.adb.shell(f"rm -f {result} {progress}", 5)
        return parse_result(kind, content, token)

    def _start(self, task: Task, token: str) -> None:
        extras = "".join(f" --ei {name} {value}" for name, value in task.extras.items())
        command = f"am start -W -n {PACKAGE}/{task.activity}{extras} --es token {token}"
        output = self.adb.shell(command, START_SECONDS)
        wrong = re.search(r"^\s*(Error.*|.*Exception.*|Status: timeout)", output, re.MULTILINE)
        if wrong is not None:
            reason = wrong[1].strip()[:200]
            raise DeviceError(
                f"{task.activity} did not start: {reason}; is the app of this version?"
            )

    def _wait(self, result: str, progress: str, report: ReportProgress) -> None:
        query = (
            f"if [ -f {result} ]; then echo result; "
            f"elif pidof {PACKAGE} >/dev/null; then echo alive; else echo gone; fi; "
            f"cat {progress} 2>/dev/null; true"
        )
        until, absences = time.monotonic() + self.timeouts.task, 0
        report("waiting for the app", None, None)
        while time.monotonic() < until:
            state, _, rest = self.adb.shell(query).partition("\n")
            if state.strip() == "result":
                return
            # Twice, since the app may have ended between its result and the query.
            absences = absences + 1 if state.strip() == "gone" else 0
            if absences == 2:
                raise AppEndedError(
                    "the app ended without a result (a crash?): 'adb logcat -b crash' says why"
                )
            counted = re.search(r'"done"\s*:\s*(\d+)\s*,\s*"total"\s*:\s*(\d+)', rest)
            if counted is not None:
                report("running", int(counted[1]), int(counted[2]))
            if self.stop.wait(self.timeouts.poll):
                raise DeviceError("interrupted")
        raise DeviceError(
            f"no result in {self.timeouts.task:.0f} s: unlock the phone and keep its screen on, or "
            "give it more time with --device-timeout"
        )

    def _pull(self, remote: str) -> bytes:
        with tempfile.TemporaryDirectory(prefix="hierattn-adb-") as folder:
            local = Path(folder) / "result.json"
            self.adb.call(["pull", remote, str(local)], "'pull'", PULL_SECONDS)
            if not local.is_file() or local.stat().st_size > LARGEST_RESULT:
                raise DeviceError("the app's result could not be fetched, or is far too large")
            return local.read_bytes()
