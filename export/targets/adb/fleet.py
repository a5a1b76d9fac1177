"""Several phones side by side: each in a thread of its own; one that fails stops no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from export.errors import ExportError
from export.progress import Observer, Progress, unobserved
from export.targets.adb.adb import Adb, Listed, find_adb, list_phones
from export.targets.adb.errors import DeviceError
from export.targets.adb.phone import Patience, Phone, Told
from hierattn.errors import HierAttnError, UnknownNameError

ADB = "adb"
Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Asked(Generic[Outcome]):
    """One phone: its outcome, or one line that says why there is none."""

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


def choose_phones(adb: Path, wanted: Sequence[str | None]) -> list[Listed]:
    """The phones to ask: those named, whether they are there or not; or all there are.

    Raises:
        ExportError: there is none at all.
    """
    there = list_phones(adb)
    by_serial = {phone.serial: phone for phone in there}
    chosen: dict[str, Listed] = {}
    for serial in wanted:
        if serial is None:
            chosen |= by_serial
        else:
            chosen[serial] = by_serial.get(serial, Listed(serial, "absent"))
    if not chosen:
        raise ExportError(
            "adb sees no phone: plug one in, turn USB debugging on and allow this computer; "
            "'adb devices' must list it"
        )
    return list(chosen.values())


def ask_phones(
    text: str,
    apk: Path | None,
    work: Callable[[Phone, Told], Outcome],
    patience: Patience | None = None,
    progress: Observer = unobserved,
) -> list[Asked[Outcome]]:
    """Let every phone do some work, after the app was installed on it or found there.

    Args:
        text: as given to ``--device``, see :func:`parse_devices`.
        apk: the app; None where it is installed already.
        work: what to do with a phone that is fit; runs in a thread.
        patience: how long to wait.
        progress: told from one thread at a time; the part is the phone's serial.

    Raises:
        ExportError: no adb, no phone at all, or no such APK.
    """
    wanted = parse_devices(text)
    if apk is not None and not apk.is_file():
        raise ExportError(f"--apk {apk}: no such file; build it with 'make apk'")
    program = find_adb()
    phones = choose_phones(program, wanted)
    stop, lock = threading.Event(), threading.Lock()

    def ask(listed: Listed) -> Asked[Outcome]:
        def told(words: str, done: int | None, total: int | None) -> None:
            with lock:
                progress(Progress(listed.serial, words, done, total))

        try:
            if listed.state == "absent":
                raise DeviceError("adb does not see it: plug it in; 'adb devices' must list it")
            if listed.problem is not None:
                raise DeviceError(listed.problem)
            phone = Phone(Adb(program, listed.serial), patience or Patience(), stop)
            phone.check()
            if apk is not None:
                told("installing the app", None, None)
                phone.install(apk)
            phone.check_app()
            return Asked(listed.serial, work(phone, told), None)
        except HierAttnError as error:
            return Asked(listed.serial, None, str(error))

    with ThreadPoolExecutor(max_workers=len(phones)) as pool:
        try:
            return list(pool.map(ask, phones))
        except KeyboardInterrupt:
            stop.set()
            raise
