"""Running a task on several devices at once, each in a thread; one that fails stops no other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from export.errors import ExportError
from export.progress import Observer, Progress, unobserved
from export.targets.results import Result
from export.targets.task import ReportProgress, Task, Timeouts
from hierattn.errors import HierAttnError, UnknownNameError

KINDS: dict[str, str] = {"adb": "export.targets.adb.kind"}
"""Kinds of devices as in ``--device``, and the module of each.

Its ``find_devices(serials)`` gives a :class:`Device` a serial, and for None all that are there."""

Outcome = TypeVar("Outcome")


class OpenDevice(Protocol):
    """A device that has the app and can be given tasks."""

    def run(self, task: Task, kind: type[Result], report: ReportProgress) -> Result:
        """Run a task to its result.

        Raises:
            AppEndedError: the app crashed; another task may do better.
            DeviceError: there is no result; says why.
        """


class Device(Protocol):
    """A device of some kind, ready or not."""

    @property
    def serial(self) -> str:
        """What tells it from others of its kind."""

    def open(
        self, app: Path | None, timeouts: Timeouts, stop: threading.Event, report: ReportProgress
    ) -> OpenDevice:
        """Get it ready; an ``app`` is installed first. Setting ``stop`` interrupts a task.

        Raises:
            DeviceError: it cannot be used; says why, and the mend.
        """


@dataclass(frozen=True)
class DeviceResult(Generic[Outcome]):
    """Result of one device: the outcome of its task, or one line with the reason for none.

    Attributes:
        address: ``KIND:SERIAL``.
    """

    address: str
    outcome: Outcome | None
    reason: str | None

    @property
    def serial(self) -> str:
        """See :class:`Device`."""
        return self.address.partition(":")[2]


def device_names() -> list[str]:
    """What may be said for ``--device``, beside serials themselves."""
    return [name for kind in KINDS for name in (kind, f"{kind}:SERIAL")]


def parse_devices(text: str) -> dict[str, list[str | None]]:
    """Serials by kind, of ``KIND[:SERIAL]`` separated by commas; None for all of a kind.

    Raises:
        UnknownNameError: no such kind.
        ExportError: a serial that is empty, or could be read as an option.
    """
    serials: dict[str, list[str | None]] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        kind, colon, serial = part.partition(":")
        if kind not in KINDS:
            raise UnknownNameError("device", part, device_names())
        if colon and (not serial or serial.startswith("-") or not serial.isprintable()):
            raise ExportError(f"--device {part}: give a serial, or '{kind}' for all")
        serials.setdefault(kind, []).append(serial if colon else None)
    if not serials:
        raise ExportError(f"--device: give {' or '.join(device_names())}")
    return serials


def find_devices(text: str) -> list[tuple[str, Device]]:
    """The devices to use, with their addresses ``KIND:SERIAL``.

    Args:
        text: see :func:`parse_devices`.

    Raises:
        ExportError: there is none of a kind.
    """
    return [
        (f"{kind}:{device.serial}", device)
        for kind, serials in parse_devices(text).items()
        for device in import_module(KINDS[kind]).find_devices(serials)
    ]


def run_on_devices(
    text: str,
    apk: Path | None,
    work: Callable[[OpenDevice, ReportProgress], Outcome],
    timeouts: Timeouts | None = None,
    progress: Observer = unobserved,
) -> list[DeviceResult[Outcome]]:
    """Run a function on every device, after installing the app or finding it installed.

    Args:
        text: as given to ``--device``, see :func:`parse_devices`.
        apk: the app; None where it is installed already.
        work: called with every device that is ready; runs in a thread.
        timeouts: of the tasks; None for the defaults.
        progress: called from one thread at a time; the part is the device's serial.

    Raises:
        ExportError: no device at all, or no such APK.
    """
    parse_devices(text)
    if apk is not None and not apk.is_file():
        raise ExportError(f"--apk {apk}: no such file; build it with 'make apk'")
    devices = find_devices(text)
    stop, lock = threading.Event(), threading.Lock()

    def run(found: tuple[str, Device]) -> DeviceResult[Outcome]:
        address, device = found

        def report(text: str, done: int | None, total: int | None) -> None:
            with lock:
                progress(Progress(device.serial, text, done, total))

        try:
            phone = device.open(apk, timeouts or Timeouts(), stop, report)
            return DeviceResult(address, work(phone, report), None)
        except HierAttnError as error:
            return DeviceResult(address, None, str(error))

    with ThreadPoolExecutor(max_workers=len(devices)) as pool:
        try:
            return list(pool.map(run, devices))
        except KeyboardInterrupt:
            stop.set()
            raise
