"""Debian packages, fetched with a private apt configuration; nothing is installed.

The mirror and its keys are those of the machine's own apt, so a mirror inside a company works too.
Login details and proxies stay where apt has them; apt checks the signatures.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hierattn.errors import HierAttnError

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_STABLE = ("bullseye", "bookworm", "trixie", "forky", "stable", "oldstable", "oldoldstable")
_SUITES = frozenset({*_STABLE, "testing", "sid", "unstable"})
"""Of the archive itself: the mirrors of security fixes and updates need not have the rest."""

_SIGNED_BY = re.compile(r"^signed-by:\s*(/.*)|\bsigned-by=(/[^]\s]*)", re.IGNORECASE | re.MULTILINE)


class DebianUnavailableError(HierAttnError):
    """A package of Debian that cannot be had on this machine; one line says why."""


@dataclass(frozen=True)
class Mirror:
    """Where this machine gets Debian from.

    Args:
        address: base address of the archive.
        keys: paths of the keyrings that sign it, by commas; None for apt's own trusted keys.
    """

    address: str
    keys: str | None

    def line(self, suite: str, kind: str) -> str:
        """The line of a sources list for ``main`` of ``suite``; kind ``deb`` or ``deb-src``."""
        options = f" [signed-by={self.keys}]" if self.keys else ""
        return f"{kind}{options} {self.address} {suite} main\n"


def find_mirror() -> Mirror:
    """The first Debian archive (not security, not updates) among the machine's apt sources.

    Raises:
        DebianUnavailableError: there is none.
    """
    form = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(SOURCESENTRY)"
    # With what is known of releases, apt leaves out those whose lists it has not fetched yet.
    words = ("--no-release-info", "--format", form, "Created-By: Packages")
    for line in _apt_get("indextargets", *words, action="read apt's sources").splitlines():
        address, suite, component, entry = line.split("|")
        if component == "main" and suite in _SUITES:
            return Mirror(address, _keys(entry))
    raise DebianUnavailableError("no Debian archive among apt's sources on this machine")


def _keys(entry: str) -> str | None:
    """Keyrings of a source, which apt names by its file and its number there.

    A key written into the file itself is not a path; Debian's own keyring holds it too.
    """
    name, _, number = entry.rpartition(":")
    parts = Path(name).read_text(encoding="utf-8", errors="replace").splitlines()
    if name.endswith(".sources"):
        text = "\n".join(line for line in parts if not line.startswith("#"))
        parts = re.split(r"\n(?:[ \t]*\n)+", text.strip())
    own = _SIGNED_BY.search(parts[int(number) - 1])
    if own:
        return ",".join(re.split(r"[\s,]+", (own[1] or own[2]).strip()))
    return str(_KEYRING) if _KEYRING.is_file() else None


@dataclass(frozen=True)
class PrivateApt:
    """An apt with sources, lists and a cache of its own.

    Args:
        folder: for all of it and what is fetched; empty at first.
        suites: to fetch from.
        architectures: the native one, then foreign ones.
        pins: file of the repository that states the versions, for the message.
        seconds: after so long a package counts as not to be had; None waits.
    """

    folder: Path
    suites: Sequence[str]
    architectures: Sequence[str] = ("amd64",)
    pins: str | None = None
    seconds: float | None = None

    def download(self, *packages: str) -> list[Path]:
        """Fetch packages, each ``NAME``, ``NAME=VERSION`` or ``NAME:ARCHITECTURE``.

        Raises:
            DebianUnavailableError: no apt, no network, a mirror without one of them, or it took
                too long.
        """
        self._fetch("deb", "download", *packages)
        return sorted(self.folder.glob("*.deb"))

    def download_with_dependencies(self, *packages: str) -> list[Path]:
        """Fetch packages and all that they depend on, as the mirror has them now.

        Raises:
            DebianUnavailableError: as in :meth:`download`.
        """
        words = ("--yes", "--download-only", "--no-install-recommends", *packages)
        self._fetch("deb", "install", *words)
        return sorted((self.folder / "apt" / "archives").glob("*.deb"))

    def download_source(self, name: str, version: str) -> Path:
        """Fetch the upstream sources of a package.

        Raises:
            DebianUnavailableError: as in :meth:`download`.
        """
        words = ("--download-only", "--tar-only", f"{name}={version}")
        self._fetch("deb-src", "source", *words)
        return next(self.folder.glob(f"{name}_*.orig.tar.xz"))

    def _fetch(self, kind: str, task: str, *words: str) -> None:
        end = None if self.seconds is None else time.monotonic() + self.seconds
        configuration = self._configure(kind)
        steps = {
            "fetch the lists of Debian": ("update", "--error-on=any"),
            "fetch Debian's packages": (task, *words),
        }
        mend = f", or raise the version in {self.pins}" if self.pins else ""
        for action, step in steps.items():
            try:
                _apt_get(*step, action=action, configuration=configuration, end=end)
            except DebianUnavailableError as error:
                raise DebianUnavailableError(f"{error} (check the network{mend})") from error

    def _configure(self, kind: str) -> Path:
        apt = self.folder.absolute() / "apt"
        for name in ("lists/partial", "archives/partial"):
            (apt / name).mkdir(parents=True)
        (apt / "status").touch()
        mirror = find_mirror()
        lines = "".join(mirror.line(suite, kind) for suite in self.suites)
        (apt / "sources.list").write_text(lines, encoding="utf-8")
        settings = {
            "Dir::Etc::sourcelist": apt / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::Etc::preferencesparts": "-",
            "Dir::State": apt,
            "Dir::State::lists": apt / "lists",
            "Dir::State::status": apt / "status",
            "Dir::Cache": apt,
            "APT::Sandbox::User": "root",
            "APT::Architecture": self.architectures[0],
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        text = "".join(f'{name} "{value}";\n' for name, value in settings.items())
        text += "".join(f'APT::Architectures:: "{name}";\n' for name in self.architectures)
        configuration = apt / "apt.conf"
        configuration.write_text(text, encoding="utf-8")
        return configuration


def _apt_get(
    *words: str, action: str, configuration: Path | None = None, end: float | None = None
) -> str:
    """Run apt, by its private configuration into the folder above that; returns its stdout."""
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise DebianUnavailableError(f"no '{program}' here; Debian's packages are needed")
    private = {"APT_CONFIG": str(configuration)} if configuration else {}
    try:
        done = subprocess.run(
            ["apt-get", "-qq", *words],
            cwd=configuration.parent.parent if configuration else None,
            env={**os.environ, "LC_ALL": "C", **private},
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=None if end is None else max(end - time.monotonic(), 0),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DebianUnavailableError(f"cannot {action} in the time allowed") from error
    if done.returncode:
        # apt's own words name the package or suite that it cannot have.
        said = [line for line in done.stderr.splitlines() if line.startswith("E:")]
        reason = said[0] if said else f"apt-get {words[0]} ended with {done.returncode}"
        raise DebianUnavailableError(f"cannot {action}: {reason}")
    return done.stdout
