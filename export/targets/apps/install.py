"""Atomic replacement of the bundle in an app.

The new folder is filled in a hidden folder of the app, where no build looks; then it replaces the
old one in one step. Where the system can swap two folders (Linux), the app always has a bundle;
elsewhere a kill between two renames leaves none, the build reports that, and the next run restores
the old one first.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from export.errors import ExportError
from export.schema.bundle import BUNDLE
from hierattn.common.files import apply_umask
from hierattn.common.locks import locked_folder

_STAGING = ".hierattn-bundle-"
_FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
_HERE, _EXCHANGE = -100, 2
"""``AT_FDCWD`` and ``RENAME_EXCHANGE`` of Linux's renameat2."""


@contextmanager
def replace_bundle(main: Path, target: Path) -> Iterator[Path]:
    """Context manager: yields an empty folder, which becomes ``target`` at the end.

    If the body raises, the old bundle stays unchanged. Remains of a killed process are removed.

    Args:
        main: folder of the app in which the new bundle is filled.
        target: within it.

    Raises:
        FolderInUseError: another process is bundling into ``main``.
        ExportError: the old folder holds something else than a bundle, or nothing can be written.
    """
    try:
        with locked_folder(main, "--app"):
            target.parent.mkdir(parents=True, exist_ok=True)
            _check_replaceable(target)
            _clean_up(main, target)
            staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=main))
            try:
                yield staging
                apply_umask(staging, 0o777)
                _swap_in(staging, target)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            # Errors of a copy name the source first, but it is the target that is full.
            raise ExportError(f"{target}: not made: {reason}; make room there") from error
        place = error.filename or target
        raise ExportError(f"{target}: not made: {place}: {reason}") from error


def _check_replaceable(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ExportError(f"{target}: not a folder of its own; remove it")
    if target.is_dir() and any(target.iterdir()) and not (target / BUNDLE).is_file():
        raise ExportError(
            f"{target}: holds something else than a bundle (no {BUNDLE}); move it elsewhere"
        )


def _swap_in(staging: Path, target: Path) -> None:
    """Make ``staging`` the ``target``; an old target is in ``staging`` then, or removed."""
    if not target.exists():
        staging.rename(target)
        return
    if _exchange(staging, target):
        return
    aside = Path(tempfile.mkdtemp(prefix=_STAGING, dir=staging.parent))
    try:
        target.rename(aside / target.name)
        try:
            staging.rename(target)
        except OSError as error:
            _restore(aside / target.name, target, error)
            raise
    finally:
        if target.exists():
            shutil.rmtree(aside, ignore_errors=True)


def _restore(old: Path, target: Path, reason: OSError) -> None:
    try:
        old.rename(target)
    except OSError as error:
        raise ExportError(
            f"{target}: not made: {reason.strerror}; the old bundle is kept in {old}: "
            "bundle again, or move it back"
        ) from error


def _clean_up(main: Path, target: Path) -> None:
    """Remove remains of a killed run; a bundle that it had moved aside is restored first."""
    for left in main.glob(f"{_STAGING}*"):
        if not target.exists() and (left / target.name / BUNDLE).is_file():
            (left / target.name).rename(target)
        shutil.rmtree(left)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system or its files cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(number, os.strerror(number), str(other))
