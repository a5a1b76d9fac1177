"""A kind of device for the tests, which the package does not know."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from export.errors import DeviceError
from export.targets.results import Result
from export.targets.task import ReportProgress, Task, Timeouts

ANSWERS: dict[str, Any] = {}
"""Result by kind of task, as the app would write it; none is a device that is not ready."""


@dataclass(frozen=True)
class OtherDevice:
    serial: str
    ready: bool = True

    def open(
        self, app: Path | None, timeouts: Timeouts, stop: threading.Event, report: ReportProgress
    ) -> OtherDevice:
        if not self.ready:
            raise DeviceError("is asleep")
        return self

    def run(self, task: Task, kind: type[Result], report: ReportProgress) -> Result:
        extras = {key: task.extras[key] for key in ("threads", "runs") if key in task.extras}
        return kind.model_validate(ANSWERS[task.kind] | {"token": "0"} | extras)


def find_devices(wanted: Sequence[str | None]) -> list[OtherDevice]:
    found = [OtherDevice(serial or "one") for serial in wanted]
    return [replace(device, ready=device.serial != "asleep") for device in found]
