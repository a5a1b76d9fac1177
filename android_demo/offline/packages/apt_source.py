"""Debian packages of two suites, fetched with a private apt configuration; nothing is installed.

The mirror and its key come from the machine's own apt sources, so a mirror inside a company works
too. Login details and proxies stay where apt has them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from android_demo.offline.errors import PackageUnavailableError
from android_demo.offline.packages.pins import DebianPackage, DebianSource

SOURCES = Path("/etc/apt")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PINS = "android_demo/offline/packages/pins.py"
_SIDE_SUITES = ("-security", "-updates", "-backports", "-proposed")


@dataclass(frozen=True)
class Mirror:
    """Where this machine gets Debian from.

    Args:
        address: base address of the archive.
        key: path of the keyring that signs it, or None for apt's own trusted keys.
    """

    address: str
    key: str | None

    def line(self, suite: str, kind: str = "deb") -> str:
        """The line of a sources list for ``main`` of ``suite``; kind ``deb`` or ``deb-src``."""
        options = f" [signed-by={self.key}]" if self.key else ""
        return f"{kind}{options} {self.address} {suite} main"


def find_mirror(folder: Path = SOURCES) -> Mirror:
    """The first Debian archive (not security, not updates) among the machine's apt sources.

    Raises:
        PackageUnavailableError: there is none.
    """
    for mirror in _mirrors(folder):
        return mirror
    raise PackageUnavailableError(
        f"{folder}: no Debian archive among the apt sources; Debian's packages (amd64) are needed"
    )


def _mirrors(folder: Path) -> Iterator[Mirror]:
    sources = folder / "sources.list.d"
    for path in sorted(sources.glob("*.sources")):
        for paragraph in path.read_text(encoding="utf-8").split("\n\n"):
            yield from _from_paragraph(paragraph)
    for path in (folder / "sources.list", *sorted(sources.glob("*.list"))):
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                yield from _from_line(line)


def _from_paragraph(paragraph: str) -> Iterator[Mirror]:
    lines = [line for line in paragraph.splitlines() if not line.startswith("#")]
    fields = dict(line.split(":", 1) for line in lines if ":" in line and line[0] != " ")
    values = {name.strip().lower(): value.strip() for name, value in fields.items()}
    key = values.get("signed-by") or None
    usable = "main" in values.get("components", "").split() and "deb" in values.get("types", "")
    if usable and values.get("enabled", "yes") != "no" and _is_archive(values.get("suites", "")):
        # A key written into the file itself is not a path; Debian's own keyring holds it too.
        path = key if key and key.startswith("/") else _keyring()
        for address in values.get("uris", "").split():
            yield Mirror(address, path)


def _from_line(line: str) -> Iterator[Mirror]:
    words = line.split()
    if not words or words[0] != "deb":
        return
    options = ""
    if "[" in line and "]" in line:
        options = line[line.index("[") + 1 : line.index("]")]
        words = ["deb", *line[line.index("]") + 1 :].split()]
    if len(words) < 4 or "main" not in words[3:] or not _is_archive(words[2]):
        return
    keys = [part.split("=", 1)[1] for part in options.split() if part.startswith("signed-by=")]
    yield Mirror(words[1], keys[0] if keys else _keyring())


def _is_archive(suites: str) -> bool:
    names = [name for name in suites.split() if not name.endswith(_SIDE_SUITES)]
    known = ("bookworm", "bullseye", "trixie", "sid", "stable", "oldstable", "oldoldstable")
    return any(name in known for name in names)


def _keyring() -> str | None:
    return _KEYRING if Path(_KEYRING).is_file() else None


def download(packages: Sequence[DebianPackage], folder: Path) -> dict[str, Path]:
    """Fetch packages into ``folder``; hashes are the caller's to check.

    Returns:
        The fetched file of each package, by name.

    Raises:
        PackageUnavailableError: no apt, no network, or a mirror without one of them.
    """
    mirror = _mirror()
    suites = sorted({package.suite for package in packages})
    configuration = _private_configuration([mirror.line(suite) for suite in suites], folder / "apt")
    _apt(configuration, folder, "update")
    _apt(configuration, folder, "download", *(f"{p.name}={p.version}" for p in packages))
    return {package.name: next(folder.glob(f"{package.name}_*.deb")) for package in packages}


def download_with_dependencies(
    names: Sequence[str], suite: str, folder: Path, pins: str, seconds: float | None = None
) -> list[Path]:
    """Fetch packages and all that they depend on into ``folder``, as the mirror has them now.

    apt checks every file against the suite's signed lists.

    Args:
        pins: file of the repository that states the versions, for the message.
        seconds: after so long it counts as not to be had; None waits.

    Raises:
        PackageUnavailableError: as in :func:`download`, or it took too long.
    """
    configuration = _private_configuration([_mirror().line(suite)], folder / "apt")
    end = None if seconds is None else time.monotonic() + seconds
    _apt(configuration, folder, "update", pins=pins, end=end)
    words = ("--yes", "--download-only", "--no-install-recommends", *names)
    _apt(configuration, folder, "install", *words, pins=pins, end=end)
    return sorted((folder / "apt" / "cache" / "archives").glob("*.deb"))


def download_source(package: DebianSource, folder: Path) -> Path:
    """Fetch the upstream sources of a package into ``folder``; the hash is the caller's to check.

    Raises:
        PackageUnavailableError: as in :func:`download`.
    """
    line = _mirror().line(package.suite, "deb-src")
    configuration = _private_configuration([line], folder / "apt")
    _apt(configuration, folder, "update")
    wanted = f"{package.name}={package.version}"
    _apt(configuration, folder, "source", "--download-only", "--tar-only", wanted)
    return next(folder.glob(f"{package.name}_*.orig.tar.xz"))


def _mirror() -> Mirror:
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise PackageUnavailableError(f"no '{program}' here; Debian's packages are needed")
    return find_mirror()


def _private_configuration(lines: Sequence[str], folder: Path) -> Path:
    for part in ("state", "lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "state" / "status").touch()
    listing = folder / "sources.list"
    listing.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    settings = {
        "Dir::Etc::sourcelist": listing,
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferencesparts": "-",
        "Dir::State": folder / "state",
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "state" / "status",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",
        "APT::Architecture": "amd64",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    configuration = folder / "apt.conf"
    text = "".join(f'{name} "{value}";\n' for name, value in settings.items())
    configuration.write_text(text, encoding="utf-8")
    return configuration


def _apt(
    configuration: Path,
    folder: Path,
    task: str,
    *words: str,
    pins: str = PINS,
    end: float | None = None,
) -> None:
    wanted = "the Debian packages" if words else "the lists of Debian"
    try:
        done = subprocess.run(
            ["apt-get", "-qq", *(["--error-on=any"] if task == "update" else []), task, *words],
            cwd=folder,
            env={**os.environ, "APT_CONFIG": str(configuration), "LC_ALL": "C"},
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=None if end is None else max(end - time.monotonic(), 0),
        )
    except subprocess.TimeoutExpired as error:
        raise PackageUnavailableError(
            f"cannot have {wanted} from this machine's mirror in the time allowed"
        ) from error
    if done.returncode == 0:
        return
    # apt's own words name the package or suite that it cannot have.
    said = [line for line in done.stderr.splitlines() if line.startswith("E:")]
    raise PackageUnavailableError(
        f"cannot have {wanted} from this machine's mirror: "
        f"{said[0] if said else f'apt-get {task} ended with {done.returncode}'} "
        f"(check the network, or raise the version in {pins})"
    )
