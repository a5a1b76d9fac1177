"""What can go wrong with one phone; each message is one line with the mend."""

from __future__ import annotations

from export.errors import ExportError


class DeviceError(ExportError):
    """A phone that did not do what it was asked; the others go on."""


class DeviceLostError(DeviceError):
    """A phone that answered, and then no longer."""


class AdbMissingError(ExportError):
    """No ``adb`` on this machine."""
