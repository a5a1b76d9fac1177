"""Paths of the programs and jars in the fetched packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from android_demo.offline.errors import BuildError, PackageUnavailableError

_LIBRARIES = ("usr/lib/x86_64-linux-gnu/android", "usr/lib/x86_64-linux-gnu", "usr/lib/p7zip")
_OLDEST_JAVA = 17


@dataclass(frozen=True)
class Toolbox:
    """What the steps of the build run.

    Args:
        root: folder with the Debian packages unpacked, see
            :mod:`android_demo.offline.packages.fetch`.
    """

    root: Path

    @property
    def android_jar(self) -> Path:
        """Classes of Android 6 (API 23), to compile against."""
        return self._java("com.android.android-23.jar")

    @property
    def framework_resources(self) -> Path:
        """Resources of Android 10 (API 29), to link against."""
        return self.root / "usr/share/android-framework-res/framework-res.apk"

    @property
    def asm(self) -> Path:
        """The library that rewrites classes."""
        return self._java("asm-all.jar")

    @property
    def junit(self) -> tuple[Path, ...]:
        """JUnit 4 and what it needs."""
        return self._java("junit4.jar"), self._java("hamcrest-all.jar")

    def aapt(self, *words: str | Path) -> str:
        """Run ``aapt``; its output."""
        return self._program("aapt", words)

    def aapt2(self, *words: str | Path) -> str:
        """Run ``aapt2``; its output."""
        return self._program("aapt2", words)

    def dexdump(self, *words: str | Path) -> str:
        """Run ``dexdump``; its output."""
        return self._program("dexdump", words)

    def dx(self, *words: str | Path) -> str:
        """Run ``dx``, which turns classes into a dex; its output."""
        return self.java(
            "-cp", self._java("com.android.dx.jar"), "com.android.dx.command.Main", "--dex", *words
        )

    def proguard(self, *words: str | Path) -> str:
        """Run ProGuard; its output."""
        return self.java("-cp", self._java("proguard.jar"), "proguard.ProGuard", *words)

    def apksigner(self, *words: str | Path) -> str:
        """Run ``apksigner``; its output."""
        jars = os.pathsep.join(str(self._java(n)) for n in ("apksigner.jar", "apksig.jar"))
        return self.java("-cp", jars, "com.android.apksigner.ApkSignerTool", *words)

    def java(self, *words: str | Path) -> str:
        """Run ``java``; its output."""
        return run([require("java"), "-Xmx1g", "-XX:+UseSerialGC", *words])

    def javac(self, *words: str | Path) -> str:
        """Run ``javac``; its output."""
        return run([require("javac"), "-J-Xmx1g", "-J-XX:+UseSerialGC", *words])

    def _java(self, name: str) -> Path:
        return self.root / "usr/share/java" / name

    def _program(self, name: str, words: Sequence[str | Path]) -> str:
        libraries = os.pathsep.join(str(self.root / folder) for folder in _LIBRARIES)
        environment = {**os.environ, "LD_LIBRARY_PATH": libraries, "LC_ALL": "C.UTF-8"}
        return run([self.root / "usr/bin" / name, *words], environment)


def require(name: str) -> str:
    """The path of a program that the machine itself must have.

    Raises:
        PackageUnavailableError: it has not.
    """
    found = shutil.which(name)
    if found is None:
        raise PackageUnavailableError(
            f"no '{name}' here (install a JDK of Java {_OLDEST_JAVA} or later; on Debian: "
            "openjdk-17-jdk-headless)"
        )
    return found


def run(command: Sequence[str | Path], environment: dict[str, str] | None = None) -> str:
    """Run a program to its end.

    Returns:
        What it printed on stdout.

    Raises:
        PackageUnavailableError: it lacks a library of the machine.
        BuildError: it failed; the message holds the first lines it said.
    """
    done = subprocess.run(
        [str(word) for word in command],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
    )
    if done.returncode == 0:
        return done.stdout
    name = Path(str(command[0])).name
    said = [line for line in (done.stderr + "\n" + done.stdout).splitlines() if line.strip()]
    if any("error while loading shared libraries" in line for line in said):
        raise PackageUnavailableError(f"{said[0]} (install the Debian package that has it)")
    raise BuildError(f"{name} failed ({done.returncode}): " + " | ".join(said[:12]))
