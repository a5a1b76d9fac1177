"""Atomic writing of files: under a temporary name beside the target, then renamed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

from hierattn.common.locks import is_held
from hierattn.errors import HierAttnError

_RANDOM = "?" * 8
"""What ``tempfile`` puts into its names."""


@contextmanager
def atomic_path(target: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the target's folder; rename it over ``target`` on success.

    The target's folder is made if missing. If the body raises, the temporary file is removed
    and ``target`` stays as it was. Where the folder is locked (:func:`locked_folder`), what a
    killed process left of the same target is removed: it can be nobody else's.

    Raises:
        HierAttnError: the file cannot be written (disk full, no permission).
    """
    target = Path(target)
    try:
        if target.exists():
            regular_file(target)  # a file in its place would be the end of a device
        target.parent.mkdir(parents=True, exist_ok=True)
        if is_held(target.parent):
            for left in target.parent.glob(
                f".{escape(target.stem)}-{_RANDOM}{escape(target.suffix)}"
            ):
                left.unlink(missing_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent
        )
        os.close(handle)
    except OSError as error:
        raise HierAttnError(f"cannot write {target}: {error.strerror or error}") from error
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        apply_umask(temporary, 0o666)
        temporary.replace(target)
    except OSError as error:
        raise HierAttnError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def apply_umask(path: Path, mode: int) -> None:
    """Give a temporary file or folder, which is private, the mode of a new one of this user."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(mode & ~umask)


def write_bytes(target: str | Path, content: bytes) -> None:
    """Write ``content`` to ``target`` atomically."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(content)


def write_text(target: str | Path, content: str) -> None:
    """Write UTF-8 ``content`` to ``target`` atomically, line ends kept as given."""
    write_bytes(target, content.encode("utf-8"))


def write_json(target: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically. NaN and infinity are refused."""
    write_text(target, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def file_sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file.

    Raises:
        HierAttnError: the file cannot be read.
    """
    try:
        with regular_file(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise HierAttnError(f"{path}: {error.strerror}") from error


def regular_file(path: Path) -> Path:
    """The path of a file that is read to its end; a pipe or a device might have none.

    Raises:
        OSError: a pipe, a device or a socket, or nothing is there; in the system's manner, for the
            reader to word like other files that cannot be read.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "a pipe or a device; give a regular file", str(path))
    return path
