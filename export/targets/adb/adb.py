"""Client of ``adb``, the Android debug bridge: lists phones and sends commands to one of them.

Every command has a timeout: with an unplugged phone it may hang forever.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export.errors import DeviceError, ExportError

QUICK_SECONDS = 30
"""Timeout of commands that return at once."""

_LOST = ("not found", "device offline", "no devices")
_CUT = ("closed", "protocol fault", "connection reset", "broken pipe", "connect failed")
"""Messages of adb, in lower case, for a phone that is gone, and for a broken connection."""

_STATES = {
    "unauthorized": "not authorised: unlock it and allow USB debugging for this computer",
    "authorizing": "not authorised yet: unlock it and allow USB debugging for this computer",
    "offline": "offline: plug it in again, or turn USB debugging off and on",
    "no permissions": "no permission for USB here: see 'adb devices' and the udev rules",
    "recovery": "in recovery: start Android on it",
    "sideload": "in sideload: start Android on it",
    "bootloader": "in its boot loader: start Android on it",
    "connecting": "not connected yet: try again",
}


class AdbMissingError(ExportError):
    """No ``adb`` on this machine."""


class DeviceLostError(DeviceError):
    """A phone that was connected, and no longer responds."""


@dataclass(frozen=True)
class ListedDevice:
    """One line of ``adb devices``; ``state`` is ``device`` where the phone is ready."""

    serial: str
    state: str

    @property
    def problem(self) -> str | None:
        """Why it is not ready, and the mend; None where it is."""
        if self.state == "device":
            return None
        for state, words in _STATES.items():
            if self.state.startswith(state):
                return words
        return f"in state '{self.state}': start Android on it and allow USB debugging"


def find_adb() -> Path:
    """Path of adb: on the PATH, or in the Android SDK that the environment names.

    Raises:
        AdbMissingError: in neither.
    """
    found = shutil.which("adb")
    if found:
        return Path(found)
    for name in ("ANDROID_HOME", "ANDROID_SDK_ROOT"):
        sdk = os.environ.get(name)
        inside = Path(sdk, "platform-tools", "adb") if sdk else None
        if inside is not None and inside.is_file():
            return inside
    raise AdbMissingError(
        "no 'adb' here: install Android's platform tools (Debian: apt install adb) and put them on "
        "the PATH"
    )


def list_phones(adb: Path) -> list[ListedDevice]:
    """Every phone that adb knows of, whatever its state.

    Raises:
        AdbMissingError: adb does not work here.
    """
    try:
        done = _run([str(adb), "devices"], QUICK_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AdbMissingError(f"{adb}: does not answer 'adb devices' ({error})") from error
    if done.returncode != 0:
        raise AdbMissingError(f"{adb}: 'adb devices' failed: {_last_line(done)}")
    phones = []
    for line in done.stdout.splitlines():
        serial, tab, state = line.partition("\t")
        if tab and serial.strip():
            phones.append(ListedDevice(serial.strip(), state.strip()))
    return phones


@dataclass(frozen=True)
class Adb:
    """Commands to one phone."""

    program: Path
    serial: str

    def shell(self, command: str, seconds: float = QUICK_SECONDS) -> str:
        """stdout of a shell command on the phone.

        Raises:
            DeviceLostError: the phone is gone.
            DeviceError: the command failed or took too long.
        """
        return self.call(["shell", command], f"'{command.split()[0]}'", seconds)

    def call(self, words: Sequence[str], what: str, seconds: float = QUICK_SECONDS) -> str:
        """stdout of ``adb -s SERIAL WORDS``; ``what`` names it in errors.

        Raises:
            DeviceLostError: the phone is gone.
            DeviceError: it failed or took too long.
        """
        done = self.run(words, what, seconds)
        if done.returncode != 0:
            raise DeviceError(f"{what} failed on the phone: {_last_line(done)}")
        return done.stdout

    def run(
        self, words: Sequence[str], what: str, seconds: float = QUICK_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """As :meth:`call`, but a failed command is returned, too, unless the phone is lost."""
        command = [str(self.program), "-s", self.serial, *words]
        try:
            done = _run(command, seconds)
        except subprocess.TimeoutExpired as error:
            raise DeviceLostError(
                f"{what}: no answer in {seconds:.0f} s; is it still plugged in?"
            ) from error
        except OSError as error:
            raise AdbMissingError(
                f"{self.program}: cannot be started ({error.strerror})"
            ) from error
        if done.returncode != 0 and self._is_lost(done):
            raise DeviceLostError(
                f"unplugged or gone during {what} ({_last_line(done)}); plug it in and run again"
            )
        return done

    def _is_lost(self, done: subprocess.CompletedProcess[str]) -> bool:
        """Whether a command failed because the phone is no longer there."""
        own = [
            line for line in done.stderr.lower().splitlines() if line.startswith(("adb:", "error:"))
        ]
        if any(sign in line for line in own for sign in _LOST):
            return True
        # An interrupted shell prints nothing at all.
        cut = any(sign in line for line in own for sign in _CUT)
        return (cut or not (done.stdout + done.stderr).strip()) and not self._is_connected()

    def _is_connected(self) -> bool:
        """Whether the phone is still connected."""
        try:
            state = _run([str(self.program), "-s", self.serial, "get-state"], QUICK_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return state.returncode == 0 and state.stdout.strip() == "device"


def _run(command: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=seconds,
        check=False,
    )


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in (done.stderr + "\n" + done.stdout).splitlines()]
    lines = [line for line in lines if line]
    return lines[-1][:300] if lines else f"exit code {done.returncode}"
