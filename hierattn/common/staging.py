"""Atomic writing of folders: filled beside the target, then renamed."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from hierattn.common.files import apply_umask
from hierattn.common.locks import locked_folder
from hierattn.errors import DataError, HierAttnError

_MARK = ".hierattn-"
"""In the names of temporary folders, so that none but our own is ever taken for one."""

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})


@contextmanager
def staged_folder(target: str | Path) -> Iterator[Path]:
    """Yield an empty temporary folder; rename it to ``target`` on success.

    If the body raises, the temporary folder is removed and ``target`` stays as it was. Remains of
    a killed process are removed first: under the lock on ``target`` they can be nobody else's.

    Raises:
        FolderInUseError: another process is filling ``target``.
        DataError: ``target`` is a file or a folder that is not empty, or cannot be written.
    """
    target = Path(target)
    with locked_folder(target):
        staging = _staging(target)
        try:
            yield staging
            apply_umask(staging, 0o777)
            staging.replace(target)
        except HierAttnError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and str(staging) in str(error):
                # Of a file within, by a name that nobody knows.
                room = "; make room there or choose another --out" * (cause.errno in _FULL)
                reason = cause.strerror or str(cause)
                raise DataError(f"{target}: not made: {reason}{room}") from cause
            raise
        except OSError as error:
            reason = error.strerror or str(error)
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST) and target.exists():
                raise DataError(
                    f"{target}: another program wrote there in the meantime; choose another --out"
                ) from error
            if error.errno in _FULL:
                # Copying names the source first, but it is the target that is full.
                raise DataError(
                    f"{target}: not made: {reason}; make room there or choose another --out"
                ) from error
            # Otherwise copying may fail at the source as well as here; the error knows which.
            raise DataError(f"{target}: not made: {error.filename or target}: {reason}") from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _staging(target: Path) -> Path:
    """Make the temporary folder, and remove those that killed processes left for ``target``."""
    prefix = f".{target.name}{_MARK}"
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise DataError(
                f"{target}: already there and not an empty folder; choose another --out"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in target.parent.glob(f"{escape(prefix)}*"):
            shutil.rmtree(left, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    except OSError as error:
        raise DataError(f"{target}: cannot be written ({error.strerror or error})") from error
