"""Android phones as a kind of device: which are there, and getting one ready."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export.errors import DeviceError, ExportError
from export.targets.adb.adb import Adb, ListedDevice, find_adb, list_phones
from export.targets.adb.phone import Phone
from export.targets.task import ReportProgress, Timeouts


@dataclass(frozen=True)
class AdbDevice:
    """A phone that adb lists, or that was asked for by its serial."""

    adb: Path
    listed: ListedDevice

    @property
    def serial(self) -> str:
        """As adb lists it."""
        return self.listed.serial

    def open(
        self, app: Path | None, timeouts: Timeouts, stop: threading.Event, report: ReportProgress
    ) -> Phone:
        """See :class:`export.targets.fleet.Device`."""
        if self.listed.state == "absent":
            raise DeviceError("adb does not see it: plug it in; 'adb devices' must list it")
        if self.listed.problem is not None:
            raise DeviceError(self.listed.problem)
        phone = Phone(Adb(self.adb, self.serial), timeouts, stop)
        phone.check()
        if app is not None:
            report("installing the app", None, None)
            phone.install(app)
        phone.check_app()
        return phone


def find_devices(wanted: Sequence[str | None]) -> list[AdbDevice]:
    """The phones named, connected or not; for None all that are connected.

    Raises:
        ExportError: no adb, or no phone at all.
    """
    adb = find_adb()
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
    return [AdbDevice(adb, phone) for phone in chosen.values()]
