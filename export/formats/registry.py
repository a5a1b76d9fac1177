"""Registry of the file formats, by name and by file suffix."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from export.errors import ArtefactError, MissingPackageError
from export.formats.abilities import Abilities
from hierattn.errors import UnknownNameError

if TYPE_CHECKING:
    from export.formats.interface import Format

FORMATS: dict[str, str] = {
    "onnx": "export.formats.onnx",
    "tflite": "export.formats.tflite",
    "coreml": "export.formats.coreml",
    "executorch": "export.formats.executorch",
}
"""Name to package, whose light module ``abilities`` declares ``ABILITIES``."""


def abilities_of(name: str) -> Abilities:
    """The abilities of a format, by its name.

    Raises:
        UnknownNameError: no such format.
    """
    if name not in FORMATS:
        raise UnknownNameError("format", name, FORMATS)
    found: Abilities = import_module(f"{FORMATS[name]}.abilities").ABILITIES
    return found


def all_abilities() -> tuple[Abilities, ...]:
    """The abilities of every format, in order."""
    return tuple(abilities_of(name) for name in FORMATS)


def default_formats() -> tuple[str, ...]:
    """Names of the formats that are made when none is asked for."""
    return tuple(one.name for one in all_abilities() if one.by_default)


def suffixes() -> tuple[str, ...]:
    """Endings of exported files."""
    return tuple(one.suffix for one in all_abilities())


@cache
def find_format(name: str) -> Format:
    """The format of a name.

    Raises:
        UnknownNameError: no such format.
    """
    module, attribute = abilities_of(name).implementation.split(":")
    found: Format = getattr(import_module(module), attribute)()
    return found


def format_of(path: Path) -> Format:
    """The format of a file, by its suffix.

    Raises:
        ArtefactError: the suffix is no format's.
    """
    for candidate in all_abilities():
        if path.suffix == candidate.suffix:
            return find_format(candidate.name)
    known = ", ".join(suffixes())
    raise ArtefactError(f"{path}: not an exported file (known endings: {known})")


def require_packages(packages: Sequence[str], extra: str) -> None:
    """Make sure that packages can be imported, without importing them.

    Raises:
        MissingPackageError: one is not installed.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError(package, extra)
