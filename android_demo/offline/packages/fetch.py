"""Fetching of pinned packages: checked by hash, unpacked into a cache folder."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from android_demo.offline.errors import BuildError, PackageUnavailableError
from android_demo.offline.packages.pins import (
    DEBIAN_PACKAGES,
    ONNX_RUNTIME,
    DebianPackage,
    DebianSource,
    NpmPackage,
)
from hierattn.common import cache_folders
from hierattn.common.debian import DebianUnavailableError, PrivateApt
from hierattn.common.files import atomic_path, file_sha256

PINS = "android_demo/offline/packages/pins.py"

Say = Callable[[str], None]


def cache_folder() -> Path:
    """``$HIERATTN_ANDROID_CACHE``, else ``hierattn-android`` in the user's cache folder."""
    own = os.environ.get("HIERATTN_ANDROID_CACHE")
    return Path(own) if own else cache_folders.cache_folder("hierattn-android")


def fetch_tools(cache: Path, say: Say) -> Path:
    """The folder with every Debian package unpacked; fetched only if it is not in the cache.

    Raises:
        PackageUnavailableError: a package cannot be had here.
        BuildError: a package's bytes are not the pinned ones.
    """
    digest = hashlib.sha256("".join(p.sha256 for p in DEBIAN_PACKAGES).encode()).hexdigest()
    tools = cache / f"tools-{digest[:16]}"
    if tools.is_dir():
        return tools
    with _fetching(cache):
        if tools.is_dir():
            return tools
        packages = _fetch_debian(cache, say)
        staged = Path(tempfile.mkdtemp(prefix=".tools-", dir=cache))
        try:
            for package in packages:
                _run(["dpkg-deb", "-x", str(package), str(staged)], f"cannot unpack {package}")
            staged.chmod(0o755)
            staged.rename(tools)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    return tools


def fetch_runtime(cache: Path, say: Say, package: NpmPackage = ONNX_RUNTIME) -> Path:
    """One file of an npm package (ONNX Runtime's ``.aar``), held against its sha256 every time.

    Raises:
        PackageUnavailableError: it cannot be had here.
        BuildError: its bytes are not the pinned ones.
    """
    file = cache / package.file_name
    with _fetching(cache):
        if not file.is_file():
            _fetch_npm(package, file, cache, say)
    if file_sha256(file) != package.member_sha256:
        raise BuildError(f"{file}: not the pinned bytes; delete it and build again")
    return file


def fetch_source(cache: Path, say: Say, package: DebianSource) -> Path:
    """The sources of a Debian package, checked against their pinned sha256 every time.

    Raises:
        PackageUnavailableError: they cannot be had here.
        BuildError: their bytes are not the pinned ones.
    """
    file = cache / package.file_name
    with _fetching(cache):
        if not file.is_file():
            say(f"fetching the sources of Debian's {package.name} {package.version}")
            with tempfile.TemporaryDirectory(prefix=".source-", dir=cache) as folder:
                apt = PrivateApt(Path(folder), (package.suite,), pins=PINS)
                fetched = apt.download_source(package.name, package.version)
                wanted = f"Debian source {package.name} {package.version}"
                check_pinned(fetched, package.sha256, wanted)
                fetched.rename(file)
    check_pinned(file, package.sha256, str(file))
    return file


def _fetch_debian(cache: Path, say: Say) -> list[Path]:
    files = {package.name: cache / package.file_name for package in DEBIAN_PACKAGES}
    missing = [p for p in DEBIAN_PACKAGES if not _is_whole(files[p.name], p)]
    if missing:
        say(f"fetching {len(missing)} Debian packages (not installed, only unpacked)")
        with tempfile.TemporaryDirectory(prefix=".debian-", dir=cache) as folder:
            apt = PrivateApt(Path(folder), sorted({p.suite for p in missing}), pins=PINS)
            packages = {package.name: package for package in missing}
            for deb in apt.download(*(f"{p.name}={p.version}" for p in missing)):
                name = deb.name.partition("_")[0]
                package = packages[name]
                check_pinned(deb, package.sha256, f"Debian package {name} {package.version}")
                deb.rename(files[name])
    return [files[package.name] for package in DEBIAN_PACKAGES]


def _is_whole(file: Path, package: DebianPackage) -> bool:
    return file.is_file() and file_sha256(file) == package.sha256


def _fetch_npm(package: NpmPackage, file: Path, cache: Path, say: Say) -> None:
    wanted = f"npm package {package.name}@{package.version}"
    if shutil.which("npm") is None:
        raise PackageUnavailableError(f"no 'npm' here to fetch {wanted} (install npm)")
    say(f"fetching {wanted} ({package.megabytes} MB)")
    with tempfile.TemporaryDirectory(prefix=".npm-", dir=cache) as folder:
        done = subprocess.run(
            ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
        )
        packed = next(Path(folder).glob("*.tgz"), None)
        if done.returncode or packed is None:
            said = [line for line in done.stderr.splitlines() if line.strip()]
            raise PackageUnavailableError(
                f"cannot have {wanted} from this machine's registry: "
                f"{said[0] if said else f'npm ended with {done.returncode}'} "
                "(check the network and npm's configuration)"
            )
        check_pinned(packed, package.sha256, wanted)
        with tarfile.open(packed) as archive, atomic_path(file) as temporary:
            member = archive.extractfile(package.member)
            if member is None:
                raise BuildError(f"{wanted}: no {package.member} in it")
            with temporary.open("wb") as out:
                shutil.copyfileobj(member, out)
            check_pinned(temporary, package.member_sha256, f"{wanted}, {package.member}")


def check_pinned(file: Path, sha256: str, wanted: str, pins: str = PINS) -> None:
    """Hold a fetched file against its pinned sha256.

    Args:
        wanted: what it should be, for the message.
        pins: file of the repository that states it.

    Raises:
        BuildError: it has another.
    """
    found = file_sha256(file)
    if found != sha256:
        raise BuildError(
            f"{wanted}: sha256 is {found}, pinned is {sha256}; not used "
            f"(if the change is expected, see {pins})"
        )


@contextlib.contextmanager
def _fetching(cache: Path) -> Iterator[None]:
    """Two builds at once fetch one after the other; a killed one lets go by itself.

    What Debian's packages lack is raised as this build's :class:`PackageUnavailableError`.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        handle = (cache / "lock").open("w")
    except OSError as error:
        raise BuildError(f"cannot write {cache}: {error.strerror or error}") from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        except DebianUnavailableError as error:
            raise PackageUnavailableError(str(error)) from error


def _run(command: list[str], failure: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise BuildError(f"{failure}: {lines[0] if lines else done.returncode}")
