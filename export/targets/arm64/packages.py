"""Emulator and aarch64 Python, unpacked from packages into a cache folder, not installed.

Debian's packages come by :mod:`hierattn.common.debian`, the runtimes' wheels by pip's own
configuration and pinned hashes.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export.errors import ExportError
from hierattn.common.cache_folders import cache_folder
from hierattn.common.debian import DebianUnavailableError, PrivateApt

SUITE, PYTHON = "trixie", "3.13"
"""Debian 13: the emulator of the release before crashes on these runtimes."""

EMULATOR, HOST = "qemu-user:amd64", "x86_64"
PACKAGES = (
    "libc6",
    "libgcc-s1",
    "libstdc++6",
    "zlib1g",
    "libffi8",
    "libexpat1",
    "libbz2-1.0",
    "liblzma5",
    "libssl3t64",
    f"libpython{PYTHON}-minimal",
    f"libpython{PYTHON}-stdlib",
    f"python{PYTHON}-minimal",
)
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")
FETCH_SECONDS = 900

_MARKER = "packages.txt"


class PackagesUnavailableError(ExportError):
    """A package that is not available here, so that the files could not be checked."""


@dataclass(frozen=True)
class EmulatedMachine:
    """An emulated machine.

    Attributes:
        emulator: program of the host.
        root: files of the machine: libraries, Python, and the runtimes in ``site``.
        packages: name and version of every package.
    """

    emulator: Path
    root: Path
    packages: tuple[str, ...]

    def command(self, cpu: str, *arguments: str | Path) -> list[str]:
        """Command line that runs its Python on one kind of processor."""
        return [
            str(self.emulator),
            *("-cpu", cpu, "-L", str(self.root)),
            *("-E", f"PYTHONHOME={self.root / 'usr'}", "-E", f"PYTHONPATH={self.root / 'site'}"),
            str(self.root / "usr" / "bin" / f"python{PYTHON}"),
            *map(str, arguments),
        ]


def default_home() -> Path:
    """``hierattn/arm64-DIGEST`` in the user's cache folder, by versions."""
    content = "\n".join([SUITE, EMULATOR, *PACKAGES]).encode() + REQUIREMENTS.read_bytes()
    return cache_folder("hierattn") / f"arm64-{hashlib.sha256(content).hexdigest()[:12]}"


def ensure_machine(home: Path) -> EmulatedMachine:
    """The machine at ``home``; if missing, it is fetched and assembled there, or not at all.

    Raises:
        PackagesUnavailableError: the host is not amd64, or a tool or package is not available; one
            line says which.
    """
    if platform.machine() != HOST:
        raise PackagesUnavailableError(
            f"this machine is {platform.machine() or 'unknown'}: the emulator needs amd64 ({HOST})"
        )
    if not (home / _MARKER).is_file():
        try:
            home.parent.mkdir(parents=True, exist_ok=True)
            building = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
        except OSError as error:
            raise PackagesUnavailableError(
                f"{home.parent}: cannot be written ({error.strerror})"
            ) from error
        try:
            _build(building)
            if not (home / _MARKER).is_file():
                shutil.rmtree(home, ignore_errors=True)
                building.rename(home)
        except (OSError, zipfile.BadZipFile) as error:
            # Another process may have made it meanwhile.
            if not (home / _MARKER).is_file():
                raise PackagesUnavailableError(f"{home}: not made: {error}") from error
        finally:
            shutil.rmtree(building, ignore_errors=True)
    packages = tuple((home / _MARKER).read_text(encoding="utf-8").splitlines())
    return EmulatedMachine(home / "qemu-aarch64", home / "root", packages)


def _build(home: Path) -> None:
    wheels, root = home / "wheels", home / "root"
    apt = PrivateApt(home / "apt", (SUITE,), ("arm64", "amd64"), seconds=FETCH_SECONDS)
    try:
        debs = apt.download(EMULATOR, *(f"{name}:arm64" for name in PACKAGES))
    except DebianUnavailableError as error:
        raise PackagesUnavailableError(str(error)) from error
    fetched = _fetch_wheels(wheels)
    for deb in debs:
        target = home / "host" if deb.name.startswith(EMULATOR.partition(":")[0]) else root
        _run(["dpkg-deb", "-x", deb, target], f"unpacking {deb.name}")
    # Packages of a merged /usr leave these to the base system.
    (root / "lib").symlink_to("usr/lib")
    for wheel in fetched:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(root / "site")
    (home / "host" / "usr" / "bin" / "qemu-aarch64").rename(home / "qemu-aarch64")
    names = sorted(_name_and_version(file) for file in (*debs, *fetched))
    for folder in (apt.folder, wheels, home / "host"):
        shutil.rmtree(folder)
    (home / _MARKER).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def _name_and_version(file: Path) -> str:
    """What a Debian package (name_version_...) or a wheel (name-version-...) says of itself."""
    parts = file.name.split("-") if file.suffix == ".whl" else file.stem.split("_")
    return " ".join(parts[:2]).replace("%3a", ":")


def _fetch_wheels(folder: Path) -> list[Path]:
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    command: list[str | Path] = [
        *(sys.executable, "-I", "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"),
        *("--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes"),
        *("--implementation", "cp", "--python-version", PYTHON, *platforms),
        *("--dest", folder, "--requirement", REQUIREMENTS),
    ]
    _run(command, "aarch64 wheels of onnxruntime, ai-edge-litert and numpy")
    return sorted(folder.glob("*.whl"))


def _run(command: Sequence[str | Path], what: str) -> None:
    """Run a tool.

    Raises:
        PackagesUnavailableError: it failed; its own first error line says why.
    """
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=FETCH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PackagesUnavailableError(f"{what}: no end in {FETCH_SECONDS} s") from error
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.lower().startswith("error")]
        reason = (errors or lines or [f"exit code {done.returncode}"])[0]
        raise PackagesUnavailableError(f"{what}: not to be had: {reason[:300]}")
