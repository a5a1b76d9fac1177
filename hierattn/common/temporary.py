"""What waits in the folder for temporary files: folders that end with us, and arrays in them."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def save_temporary(path: Path, array: np.ndarray) -> None:
    """Write an array as ``.npy`` below the folder for temporary files.

    Raises:
        HierAttnError: there is no room; the folder is named, and that ``TMPDIR`` moves it.
    """
    try:
        np.save(path, array)
    except OSError as error:
        # NumPy counts the elements that it could not write, and gives no error number.
        raise HierAttnError(
            f"{tempfile.gettempdir()}: no room for {array.nbytes / 1e6:.0f} MB of temporary files "
            f"({error.strerror or error}); make room there, or set TMPDIR to another folder"
        ) from error


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
