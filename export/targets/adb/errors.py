"""Errors of single phones; each message is one line with the mend."""

from __future__ import annotations

from export.errors import ExportError


class DeviceError(ExportError):
    """A phone that failed a task; the others continue."""


class DeviceLostError(DeviceError):
    """A phone that was connected, and no longer responds."""


class AdbMissingError(ExportError):
    """No ``adb`` on this machine."""
