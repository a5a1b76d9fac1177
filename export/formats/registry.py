"""Registry of the file formats, by name and by file suffix."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from export.errors import ArtefactError, MissingPackageError
from hierattn.errors import UnknownNameError

if TYPE_CHECKING:
    from export.formats.interface import Format

FORMATS: dict[str, str] = {
    "onnx": "export.formats.onnx.format:OnnxFormat",
    "tflite": "export.formats.tflite.format:TfliteFormat",
    "coreml": "export.formats.coreml.format:CoremlFormat",
}
"""Name to ``module:class``; a class is imported on first use."""


@cache
def find_format(name: str) -> Format:
    """The format of a name.

    Raises:
        UnknownNameError: no such format.
    """
    if name not in FORMATS:
        raise UnknownNameError("format", name, FORMATS)
    module, attribute = FORMATS[name].split(":")
    found: Format = getattr(import_module(module), attribute)()
    return found


def format_of(path: Path) -> Format:
    """The format of a file, by its suffix.

    Raises:
        ArtefactError: the suffix is no format's.
    """
    formats = [find_format(name) for name in FORMATS]
    for candidate in formats:
        if path.suffix == candidate.suffix:
            return candidate
    known = ", ".join(candidate.suffix for candidate in formats)
    raise ArtefactError(f"{path}: not an exported file (known endings: {known})")


def require_packages(packages: Sequence[str], extra: str) -> None:
    """Make sure that packages can be imported, without importing them.

    Raises:
        MissingPackageError: one is not installed.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError(package, extra)
