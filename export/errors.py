"""Typed errors of export and verification; each message is one line with the mend."""

from __future__ import annotations

from hierattn.errors import HierAttnError


class ExportError(HierAttnError):
    """A model or setting that cannot be exported."""


class ArtefactError(HierAttnError):
    """An exported file that is damaged, altered, or of another origin; the message names it."""


class ManifestError(HierAttnError):
    """An export folder's manifest, self-test or record that is missing or damaged."""


class DeviceError(ExportError):
    """A device that failed a task; the others continue."""


class AppEndedError(DeviceError):
    """The app ended in the middle of a task, as it does when native code crashes."""


class MissingPackageError(HierAttnError):
    """A format's package that is not installed.

    Args:
        package: the import that failed.
        extra: the extra of this distribution that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f"{package} is not installed; pip install 'hierattn-mobile[{extra}]'")


class RuntimeUnavailableError(HierAttnError):
    """A runtime that is not available here, so that the file could not be checked with it."""


class WorkerError(HierAttnError):
    """A child process that died, fell silent or talked nonsense; one line says why."""


class WorkerTimeoutError(WorkerError):
    """A child process that fell silent, and was killed."""


class UnsupportedOperationError(HierAttnError):
    """An operation, or an argument of one, that the Core ML evaluator does not know.

    It refuses rather than guesses: an ignored argument would give wrong results silently.
    """
