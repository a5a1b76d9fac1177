"""Check of output folders: none may be an input, a data folder, an export or a run."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from hierattn.common.files import regular_file
from hierattn.common.locks import locked_folder
from hierattn.data.readers.tables import has_columns
from hierattn.errors import ConfigError
from hierattn.preprocessing import PHOTO_FORMATS
from hierattn.run_files import CONFIG, WEIGHTS

_PROBE = 1 << 16
"""Bytes that must fit where results are to go; a full disk has no room for them."""

_LOOKED_AT = 100
"""Files of a folder by which it is known to hold nothing but photos."""


@contextmanager
def claimed_output(out: Path, *inputs: Path | None, option: str = "--out") -> Iterator[None]:
    """Check an output folder as :func:`check_output` does, then hold its lock.

    Raises:
        ConfigError: see :func:`check_output`; or it is a file.
        FolderInUseError: another process is writing there.
    """
    check_output(out, *inputs, option=option)
    if out.is_file():
        raise ConfigError(f"{out}: is a file; give a folder as {option}")
    with locked_folder(out, option):
        yield


def check_output(
    out: Path, *inputs: Path | None, option: str = "--out", file: bool = False
) -> None:
    """Check that results do not become part of what is read, links followed.

    A figure in a data folder would be a photo of the next training, and a stranger's file in an
    export folder fails its verification.

    Args:
        out: the file or folder to write.
        inputs: what the command reads, files or folders; None for what was not given.
        option: how the user named ``out``.
        file: a file is to be written, not a folder.

    Raises:
        ConfigError: ``out`` is a folder where a file is to be; it is an input or lies in one; it
            lies in a run folder, or is or lies in a data or export folder; its name is a link that
            leads to itself; or nothing can be written there, which is tried before any long work.
    """
    try:
        if os.path.lexists(out):
            regular_file(out)
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno == errno.EINVAL:
            raise ConfigError(f"{out}: {reason}; choose another {option}") from error
        raise ConfigError(f"{out}: a link that leads nowhere ({reason}); remove it") from error
    if file and out.is_dir():
        raise ConfigError(f"{out}: is a folder; give the name of a file as {option}")
    place = Path(os.path.realpath(out))
    for given in inputs:
        if given is not None and place.is_relative_to(os.path.realpath(given)):
            raise ConfigError(f"{out}: lies inside {given}, which is read; choose another {option}")
    for folder in (place, *place.parents):
        kind = _kind(folder, place)
        if kind is not None:
            where = f"is {kind}" if folder == place else f"lies inside {folder}, {kind}"
            raise ConfigError(f"{out}: {where}; choose another {option}")
    _check_writable(out, place, option)


def _check_writable(out: Path, place: Path, option: str) -> None:
    """Write a little where results are to go, and take it away again."""
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    try:
        if not there.is_dir():
            if there != place:
                raise NotADirectoryError(errno.ENOTDIR, f"{there} is a file")
            there = there.parent
        with tempfile.TemporaryFile(dir=there) as probe:
            probe.write(bytes(_PROBE))
            probe.flush()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"{out}: cannot be written ({reason}); make room or give the right, or choose another "
            f"{option}"
        ) from error


def given_path(name: str) -> Path | None:
    """The run folder or file of that name; None for a model or shipped checkpoint, no path."""
    path = Path(name)
    return path if path.exists() else None


def _kind(folder: Path, place: Path) -> str | None:
    """What ``folder`` is, where nothing may be written into it; else None."""
    if (folder / "manifest.csv").is_file() and has_columns(
        folder / "manifest.csv", ("file", "class")
    ):
        return "a data folder"
    if (folder / "manifest.json").is_file() and _is_export(folder / "manifest.json"):
        return "an export folder"
    if folder == place:
        # A run may go on in its own folder; other commands refuse to write there by themselves.
        return None
    if (folder / WEIGHTS).is_file() and (folder / CONFIG).is_file():
        return "a run folder"
    return "a data folder" if folder == place.parent and _holds_classes(folder, place) else None


def _is_export(manifest: Path) -> bool:
    try:
        content = json.loads(manifest.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "artefacts" in content


def _holds_classes(folder: Path, place: Path) -> bool:
    """Whether nothing but photos lies in two or more subfolders, and nothing beside these."""
    filled = 0
    try:
        for entry in os.scandir(folder):
            if entry.name.startswith(".") or entry.name == place.name:
                continue
            with os.scandir(entry.path) as inside:
                names = [inner.name for inner in islice(inside, _LOOKED_AT) if inner.name[0] != "."]
            if not names or any(Path(name).suffix.lower() not in PHOTO_FORMATS for name in names):
                return False
            filled += 1
    except OSError:
        # Such as a file where a class folder would be.
        return False
    return filled > 1
