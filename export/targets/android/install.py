"""Where a bundle lies in an app, and how it gets there: whole, or not at all.

The new folder is filled beside the assets, in ``src/main``, where no build looks; then it takes
the old one's place in one step. Where the system can swap two folders at once (Linux), there is no
moment without a bundle; elsewhere a kill between two renames leaves none, the build says so, and
the next run puts the old one back first.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from export.errors import ExportError
from export.schema.bundle import BUNDLE

ASSETS, FOLDER = "assets", "hierattn"
MODULE = "app"
_STAGING = ".hierattn-bundle-"
_FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
_BUILD_FILES = ("build.gradle", "build.gradle.kts")
_HERE, _EXCHANGE = -100, 2
"""``AT_FDCWD`` and ``RENAME_EXCHANGE`` of Linux's renameat2."""


def find_main(app: Path) -> Path:
    """The ``src/main`` of an Android app, made if its module has a build file alone.

    Args:
        app: the project, whose module is ``app``; or the module itself.

    Raises:
        ExportError: neither.
    """
    if not app.is_dir():
        raise ExportError(f"{app}: no such folder; give the folder of an Android app")
    module = app / MODULE
    main = module / "src" / "main"
    if main.is_dir() or any((module / name).is_file() for name in _BUILD_FILES):
        return main
    if (app / "src" / "main").is_dir():
        return app / "src" / "main"
    raise ExportError(
        f"{app}: not an Android app: neither app/src/main nor app/build.gradle nor src/main in it"
    )


@contextmanager
def replaced_bundle(main: Path) -> Iterator[Path]:
    """Yield an empty folder; when the body is through, it becomes ``main``'s bundle.

    If the body raises, the old bundle stays as it was. Two at once wait for each other; what a
    killed one left behind is removed.

    Raises:
        ExportError: the old folder holds something else than a bundle, or nothing can be written.
    """
    target = main / ASSETS / FOLDER
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(main):
            _check_replaceable(target)
            _clean_up(main, target)
            staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=main))
            try:
                yield staging
                umask = os.umask(0)
                os.umask(umask)
                staging.chmod(0o777 & ~umask)
                _put(staging, target)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            # Copying names the source first, but it is the target that is full.
            raise ExportError(f"{target}: not made: {reason}; make room there") from error
        place = error.filename or target
        raise ExportError(f"{target}: not made: {place}: {reason}") from error


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, however it ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _check_replaceable(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ExportError(f"{target}: not a folder of its own; remove it")
    if target.is_dir() and any(target.iterdir()) and not (target / BUNDLE).is_file():
        raise ExportError(
            f"{target}: holds something else than a bundle (no {BUNDLE}); move it elsewhere"
        )


def _put(staging: Path, target: Path) -> None:
    """Let ``staging`` become ``target``; what was there lies in ``staging`` then, or is gone."""
    if not target.exists():
        staging.rename(target)
        return
    if _exchange(staging, target):
        return
    aside = Path(tempfile.mkdtemp(prefix=_STAGING, dir=staging.parent))
    try:
        target.rename(aside / FOLDER)
        try:
            staging.rename(target)
        except OSError as error:
            _put_back(aside / FOLDER, target, error)
            raise
    finally:
        if target.exists():
            shutil.rmtree(aside, ignore_errors=True)


def _put_back(old: Path, target: Path, reason: OSError) -> None:
    try:
        old.rename(target)
    except OSError as error:
        raise ExportError(
            f"{target}: not made: {reason.strerror}; the old bundle is kept in {old}: "
            "bundle again, or move it back"
        ) from error


def _clean_up(main: Path, target: Path) -> None:
    """Remove what a killed run left; a bundle that it had put aside comes back first."""
    for left in main.glob(f"{_STAGING}*"):
        if not target.exists() and (left / FOLDER / BUNDLE).is_file():
            (left / FOLDER).rename(target)
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
