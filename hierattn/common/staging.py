"""Whole folders or none: fill a temporary folder beside the target, then rename it."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hierattn.common.files import apply_umask
from hierattn.errors import DataError

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})


@contextmanager
def staged_folder(target: str | Path) -> Iterator[Path]:
    """Yield an empty temporary folder; rename it to ``target`` on success.

    If the body raises, the temporary folder is removed and ``target`` stays as it was.

    Raises:
        DataError: ``target`` is a file or a folder that is not empty, or cannot be written.
    """
    target = Path(target)
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise DataError(
                f"{target}: already there and not an empty folder; choose another --out"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise DataError(f"{target}: cannot be written ({error.strerror or error})") from error
    try:
        yield staging
        apply_umask(staging, 0o777)
        staging.replace(target)
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            # Copying names the source first, but it is the target that is full.
            raise DataError(
                f"{target}: not made: {reason}; make room there or choose another --out"
            ) from error
        # Otherwise copying may fail at the source as well as here; the error knows which.
        raise DataError(f"{target}: not made: {error.filename or target}: {reason}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
