"""Swift's compiler of Debian 13, unpacked into a root of its own in the cache, and run inside it.

Debian 12 has an older C library than the compiler needs, so it brings its own: every program sees
the root as the machine (a mount namespace and chroot, which need no rights where the system lets
users make namespaces).

``packages.txt`` beside this file pins every package by version and sha256. A release of Debian
keeps no old version beside a new one, so a newer one of a library, whose bytes apt checks by the
archive's signature, is taken and told; the compiler is never another. The ``packages.txt`` beside
an unpacked root has the same form: copied here, it is the next pins.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from android_demo.offline.packages import fetch
from android_demo.offline.packages.pins import DebianPackage
from hierattn.common.cache_folders import cache_folder
from hierattn.common.debian import DebianUnavailableError, PrivateApt
from hierattn.common.files import file_sha256
from hierattn.common.locks import locked_folder
from hierattn.errors import HierAttnError

SUITE = "trixie"
PINS = Path(__file__).with_name("packages.txt")
COMPILER = ("swiftlang", "libswiftlang")
HEADERS = ("libc6-dev", "libstdc++-14-dev")
MEGABYTES = 545
_LEFT_OUT = (
    *("*/swift_static", "*/bin/lldb*", "*/bin/clangd", "*/bin/docc", "*/bin/sourcekit-lsp"),
    *("./usr/share/doc", "./usr/share/man", "./usr/share/locale"),
)
"""Debugger, editors' servers, static libraries: 900 MB that no build here uses."""
_MARKER = "packages.txt"
_PINS_NAME = "ios_demo/linux/packages.txt"
_ENTER = """
set -e
root=$1
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
for place in source build data; do
    shift
    mkdir -p "$root/mnt/$place"
    mount --bind "$1" "$root/mnt/$place"
done
shift
cd /
exec chroot "$root" "$@"
"""

Say = Callable[[str], None]


class ToolchainUnavailableError(HierAttnError):
    """Swift cannot be had, or not be run, on this machine."""


@dataclass(frozen=True)
class SwiftToolchain:
    """The compiler.

    Attributes:
        root: what its programs see as ``/``.
        packages: everything in it.
    """

    root: Path
    packages: tuple[DebianPackage, ...]

    @property
    def unpinned(self) -> tuple[DebianPackage, ...]:
        """Those without their pin, for which the archive's signature alone stands."""
        pins = read_packages()
        return tuple(package for package in self.packages if package not in pins)

    def run(
        self,
        words: Sequence[str],
        *,
        source: Path,
        build: Path,
        data: Path,
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the root to its end.

        Args:
            words: its name and arguments; ``/mnt/source``, ``/mnt/build`` and ``/mnt/data`` are
                the three folders.
            variables: of its environment, beside a few of our own.

        Returns:
            Its exit code, and stdout and stderr as one text.
        """
        folders = [str(folder.resolve()) for folder in (source, build, data)]
        enter = ["unshare", "--map-root-user", "--mount", "sh", "-c", _ENTER, "sh"]
        paths = "/usr/libexec/swift/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        environment = {"PATH": paths, "HOME": "/tmp", "LANG": "C.UTF-8", **(variables or {})}
        return subprocess.run(
            [*enter, str(self.root.resolve()), *folders, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )


def read_packages(path: Path | None = None) -> tuple[DebianPackage, ...]:
    """The packages of a list, by default the pins: name, version and sha256 a line."""
    lines = (path or PINS).read_text(encoding="utf-8").splitlines()
    return tuple(
        DebianPackage(name, version, SUITE, sha) for name, version, sha in map(str.split, lines)
    )


def default_home() -> Path:
    """Where the toolchain is kept: named by its pins, in the user's cache folder."""
    return cache_folder("hierattn") / f"swift-{file_sha256(PINS)[:12]}"


def ensure_toolchain(home: Path, say: Say, seconds: float | None = None) -> SwiftToolchain:
    """The toolchain at ``home``; if missing, it is fetched and unpacked there, or not at all.

    Args:
        seconds: fetching may take; after that it counts as not to be had. None waits.

    Raises:
        ToolchainUnavailableError: a package or tool is not to be had, or programs cannot be run in
            a root of their own here.
        BuildError: a package has other bytes than its pin.
    """
    # Debian's chroot lies where only root's PATH leads, though nobody needs to be root here.
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    for tool in ("unshare", "chroot", "tar"):
        if shutil.which(tool, path=places) is None:
            raise ToolchainUnavailableError(f"no '{tool}' here; Swift for Linux needs it")
    marker = home / _MARKER
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with locked_folder(home, "the cache"):
            if not marker.is_file():
                _build(home, say, seconds)
        packages = read_packages(marker)
    except OSError as error:
        raise ToolchainUnavailableError(f"{home}: not made: {error}") from error
    toolchain = SwiftToolchain(home / "root", packages)
    with tempfile.TemporaryDirectory(prefix="hierattn-swift-") as empty:
        here = Path(empty)
        done = toolchain.run(["swift", "--version"], source=here, build=here, data=here)
    if done.returncode:
        said = done.stdout.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ToolchainUnavailableError(f"Swift's compiler does not run here: {said[-1]}")
    return toolchain


def _build(home: Path, say: Say, seconds: float | None) -> None:
    pins = {package.name: package for package in read_packages()}
    compiler = [pins[name] for name in COMPILER]
    say(f"fetching Swift {compiler[0].version} for Linux, once ({MEGABYTES} MB; not installed)")
    with tempfile.TemporaryDirectory(prefix=f".{home.name}-", dir=home.parent) as temporary:
        folder = Path(temporary)
        try:
            wanted = [*(f"{one.name}={one.version}" for one in compiler), *HEADERS]
            apt = PrivateApt(folder, (SUITE,), pins=_PINS_NAME, seconds=seconds)
            debs = apt.download_with_dependencies(*wanted)
        except DebianUnavailableError as error:
            raise ToolchainUnavailableError(str(error)) from error
        packages = [_checked(deb, pins) for deb in debs]
        made = folder / "made"
        root = made / "root"
        for place in ("proc", "dev", "tmp"):
            (root / place).mkdir(parents=True)
        say(f"unpacking {len(debs)} packages")
        for deb in debs:
            _unpack(deb, root)
        # Packages of a merged /usr leave these to the base system.
        for name in ("bin", "lib", "lib64", "sbin"):
            (root / name).symlink_to(f"usr/{name}")
        lines = sorted(f"{one.name} {one.version} {one.sha256}\n" for one in packages)
        (made / _MARKER).write_text("".join(lines), encoding="utf-8")
        shutil.rmtree(home, ignore_errors=True)
        made.rename(home)


def _checked(deb: Path, pins: Mapping[str, DebianPackage]) -> DebianPackage:
    """The package that a file is, held against its pin."""
    name, version = deb.stem.replace("%3a", ":").split("_")[:2]
    pin = pins.get(name)
    if pin is not None and (pin.version == version or name in COMPILER):
        fetch.check_pinned(deb, pin.sha256, f"Debian package {name} {version}", _PINS_NAME)
        return pin
    return DebianPackage(name, version, SUITE, file_sha256(deb))


def _unpack(deb: Path, root: Path) -> None:
    leave = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as reading:
        written = subprocess.run(
            ["tar", "-x", "-C", root, "--no-same-owner", "--keep-directory-symlink", *leave],
            stdin=reading.stdout,
            check=False,
        )
    if written.returncode or reading.returncode:
        raise ToolchainUnavailableError(f"{deb.name}: cannot be unpacked")
