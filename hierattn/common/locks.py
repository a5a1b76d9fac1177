"""Locks of output folders: a second process that would write there is refused."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from hierattn.errors import HierAttnError

_LOG = logging.getLogger(__name__)
_HELD: ContextVar[frozenset[Path]] = ContextVar("held", default=frozenset())
"""Folders that this thread of work holds, so that a command may call another on its folder."""

_CLOSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_ATTEMPTS = 100
"""Each needs another process to make or remove the file within microseconds."""

_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
"""What file systems answer that know no locks."""


class FolderInUseError(HierAttnError):
    """Another process is writing into the folder; the message names both."""


@contextmanager
def locked_folder(folder: Path, option: str = "--out") -> Iterator[None]:
    """Hold the lock on a folder, which need not exist yet.

    The lock is the kernel's, on the file ``.NAME.lock`` beside the folder (inside it where nothing
    may be written beside), so it ends with the process, however that ends; the file left by a
    killed one is in nobody's way. Missing folders above are made, and removed again if nothing was
    put there.

    Args:
        folder: the output folder; links are followed, so that two names of one folder are one.
        option: how the user named it.

    Raises:
        FolderInUseError: another process holds it.
        HierAttnError: nothing can be written there.
    """
    place = Path(os.path.realpath(folder))
    held = _HELD.get()
    if place in held:
        yield
        return
    made = [above for above in place.parents if not above.exists()]
    try:
        try:
            handle, path = _acquire(place)
        except BlockingIOError as error:
            raise FolderInUseError(
                f"{folder}: another process{_holder(Path(error.filename))} is writing there; wait "
                f"until it has ended, or choose another {option}"
            ) from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise HierAttnError(f"{folder}: cannot be written ({reason})") from error
        token = _HELD.set(held | {place})
        try:
            yield
        finally:
            _HELD.reset(token)
            # Removed before it is let go: whoever opened it meanwhile sees that and tries anew.
            path.unlink(missing_ok=True)
            os.close(handle)
    finally:
        for above in made:
            try:
                above.rmdir()
            except OSError:
                break


def is_held(folder: Path) -> bool:
    """Whether this thread of work holds the lock on a folder or on one above it."""
    place = Path(os.path.realpath(folder))
    return not _HELD.get().isdisjoint((place, *place.parents))


def _acquire(place: Path) -> tuple[int, Path]:
    """Open and lock the file; a BlockingIOError names it where another process holds it."""
    beside, inside = place.parent / f".{place.name}.lock", place / ".hierattn.lock"
    path = beside
    for attempt in range(_ATTEMPTS):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EEXIST) and attempt < _ATTEMPTS // 2:
                # Another process removed an empty folder in between.
                continue
            if error.errno in _CLOSED and path is beside and place.is_dir():
                path = inside
                continue
            raise
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                os.close(handle)
                raise type(error)(error.errno, error.strerror, str(path)) from error
            _LOG.warning("%s: this file system knows no locks; start nothing else there", place)
        try:
            if os.path.samestat(os.fstat(handle), path.stat()):
                os.ftruncate(handle, 0)
                os.write(handle, f"{os.getpid()} {socket.gethostname()}\n".encode())
                return handle, path
        except FileNotFoundError:
            pass
        except OSError:
            os.close(handle)
            raise
        os.close(handle)
    raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK), str(path))


def _holder(path: Path) -> str:
    """The process that wrote the lock file, in brackets; nothing where it has not done so yet."""
    try:
        pid, host = path.read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return ""
    return f" (pid {pid})" if host == socket.gethostname() else f" (pid {pid} on {host})"
