"""What lasts no longer than a command: folders that end with it, and arrays for its processes.

Arrays lie in memory where the system can (Linux); else in the folder for temporary files.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from hierattn.errors import HierAttnError

_PREFIX = "hierattn."


@contextmanager
def temporary_folder(kind: str) -> Iterator[Path]:
    """Yield a folder that is removed at the end, and remove those that killed processes left.

    A folder is locked while its process lives, so that nothing in use is ever taken for a remain.

    Args:
        kind: of the work, for the folder's name.

    Raises:
        HierAttnError: it cannot be made; the folder for temporary files is named.
    """
    try:
        _remove_remains()
        folder, handle = _locked(kind)
    except OSError as error:
        raise HierAttnError(
            f"{tempfile.gettempdir()}: cannot be written ({error.strerror or error}); make room "
            "there, or set TMPDIR to another folder"
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def memory_file(folder: Path | None = None) -> IO[bytes]:
    """A file without a name, in memory where the system can; else in ``folder``, or in TMPDIR."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("hierattn"), "w+b")
    return tempfile.NamedTemporaryFile(dir=folder, suffix=".npy")


@contextmanager
def shared_array(folder: Path, *parts: np.ndarray) -> Iterator[Path]:
    """Join arrays along their first axis, for our child processes to read as ``.npy``.

    Args:
        folder: where it is written where the system has no files in memory.
        parts: of one type, alike but for their first axis.

    Raises:
        HierAttnError: there is no room; ``folder`` is named, and that ``TMPDIR`` moves it.
    """
    length, (_, *shape) = sum(len(part) for part in parts), parts[0].shape
    header = {
        "descr": np.lib.format.dtype_to_descr(parts[0].dtype),
        "fortran_order": False,
        "shape": (length, *shape),
    }
    told = partial(_no_room_told, sum(part.nbytes for part in parts))
    with told():
        file = memory_file(folder)
    try:
        with told():
            np.lib.format.write_array_header_1_0(file, header)
            for part in parts:
                file.write(np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
            file.flush()
        named = file.name if isinstance(file.name, str) else f"/proc/{os.getpid()}/fd/{file.name}"
        yield Path(named)
    finally:
        with suppress(OSError):  # What did not fit is still in the file's buffer.
            file.close()


def save_temporary(path: Path, array: np.ndarray) -> None:
    """Write an array as ``.npy`` below the folder for temporary files.

    Raises:
        HierAttnError: there is no room; the folder is named, and that ``TMPDIR`` moves it.
    """
    with _no_room_told(array.nbytes):
        np.save(path, array)


def no_room(reason: str) -> str:
    """What to say where the folder for temporary files is too small."""
    return (
        f"{tempfile.gettempdir()}: no room for temporary files ({reason}); make room there, or "
        "set TMPDIR to another folder"
    )


@contextmanager
def _no_room_told(size: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # NumPy counts the elements that it could not write, and gives no error number.
        reason = error.strerror or f"{size / 1e6:.1f} MB do not fit"
        raise HierAttnError(no_room(reason)) from error


def _locked(kind: str) -> tuple[Path, int]:
    """Make a folder and lock it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{kind}-"))
        handle = _lock(folder)
        if handle is not None:
            return folder, handle
        # Another process took it for a remain before it was locked.


def _lock(folder: Path) -> int | None:
    """Lock a folder that is there; None where another process holds it or it is gone."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), folder.stat()):
            return handle
    except OSError:
        pass
    os.close(handle)
    return None


def _remove_remains() -> None:
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        handle = _lock(left)
        if handle is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(handle)
