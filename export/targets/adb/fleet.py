"""Running a task on several phones at once, each in a thread; one that fails stops no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from export.errors import ExportError
from export.progress import Observer, Progress, unobserved
from export.targets.adb.adb import Adb, ListedDevice, find_adb, list_phones
from export.targets.adb.errors import DeviceError
from export.targets.adb.phone import Phone, ReportProgress, Timeouts
from hierattn.errors import HierAttnError, UnknownNameError

ADB = "adb"
Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class DeviceResult(Generic[Outcome]):
    """Result of one phone: the outcome of its task, or one line with the reason for none."""

    serial: str
    outcome: Outcome | None
    reason: str | None


def parse_devices(text: str) -> list[str | None]:
    """Serials of ``adb[:SERIAL]``, separated by commas; None for all phones.

    Raises:
        UnknownNameError: something else than adb.
        ExportError: a serial that is empty, or could be read as an option.
    """
    serials: list[str | None] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        kind, colon, serial = part.partition(":")
        if kind != ADB:
            raise UnknownNameError("device", part, (ADB, f"{ADB}:SERIAL"))
        if colon and (not serial or serial.startswith("-") or not serial.isprintable()):
            raise ExportError(f"--device {part}: give a serial as 'adb devices' lists it")
        serials.append(serial if colon else None)
    if not serials:
        raise ExportError("--device: give adb or adb:SERIAL")
    return serials


def choose_phones(adb: Path, wanted: Sequence[str | None]) -> list[ListedDevice]:
    """The phones to use: those named, connected or not; or all that are connected.

    Raises:
        ExportError: there is none at all.
    """
    by_serial = {phone.serial: phone for phone in list_phones(adb)}
    chosen: dict[str, ListedDevice] = {}
    for serial in wanted:
        if serial is None:
            chosen |= by_serial
        else:
            chosen[serial] = by_serial.get(serial, ListedDevice(serial, "absent"))
    if not chosen:
        raise ExportError(
            "adb sees no phone: plug one in, turn USB debugging on and allow this computer; "
            "'adb devices' must list it"
        )
    return list(chosen.values())


def run_on_phones(
    text: str,
    apk: Path | None,
    work: Callable[[Phone, ReportProgress], Outcome],
    timeouts: Timeouts | None = None,
    progress: Observer = unobserved,
) -> list[DeviceResult[Outcome]]:
    """Run a function on every phone, after installing the app or finding it installed.

    Args:
        text: as given to ``--device``, see :func:`parse_devices`.
        apk: the app; None where it is installed already.
        work: called with every phone that is ready; runs in a thread.
        timeouts: of the tasks; None for the defaults.
        progress: called from one thread at a time; the part is the phone's serial.

    Raises:
        ExportError: no adb, no phone at all, or no such APK.
    """
    wanted = parse_devices(text)
    if apk is not None and not apk.is_file():
        raise ExportError(f"--apk {apk}: no such file; build it with 'make apk'")
    program = find_adb()
    phones = choose_phones(program, wanted)
    stop, lock = threading.Event(), threading.Lock()

    def run(listed: ListedDevice) -> DeviceResult[Outcome]:
        def report(text: str, done: int | None, total: int | None) -> None:
            with lock:
                progress(Progress(listed.serial, text, done, total))

        try:
            if listed.state == "absent":
                raise DeviceError("adb does not see it: plug it in; 'adb devices' must list it")
            if listed.problem is not None:
                raise DeviceError(listed.problem)
            phone = Phone(Adb(program, listed.serial), timeouts or Timeouts(), stop)
            phone.check()
            if apk is not None:
                report("installing the app", None, None)
                phone.install(apk)
            phone.check_app()
            return DeviceResult(listed.serial, work(phone, report), None)
        except HierAttnError as error:
            return DeviceResult(listed.serial, None, str(error))

    with ThreadPoolExecutor(max_workers=len(phones)) as pool:
        try:
            return list(pool.map(run, phones))
        except KeyboardInterrupt:
            stop.set()
            raise
