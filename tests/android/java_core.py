"""Builds the Java core and its tests and runs them: what ``make test-android`` does.

Exit code 0 only if every test passed; 1 if one did not or if Java or JUnit are missing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hierattn.errors import HierAttnError
from tests.android.vectors import Amounts, photos_folder, write_vectors

CORE = Path(__file__).parents[2] / "android_demo" / "core" / "src"
SYSTEM_JARS = Path("/usr/share/java")
JUNIT = ("junit4.jar", "hamcrest-all.jar")
_PACKAGES = {"javac": "default-jdk-headless", "java": "default-jdk-headless"}
# Far less than a photo of 48 megapixels takes whole.
_HEAP = "-Xmx256m"


class MissingToolError(HierAttnError):
    """Java or JUnit is not on this machine."""


@dataclass(frozen=True)
class JavaTools:
    """The compiler, the machine, and JUnit with what it needs."""

    javac: Path
    java: Path
    junit: tuple[Path, ...]


def find_tools(jar_folders: list[Path] | None = None) -> JavaTools:
    """Look in ``PATH``, in Debian's folder of jars, and among what ``make apk`` has fetched.

    Raises:
        MissingToolError: names the Debian packages that are missing.
    """
    programs = {name: shutil.which(name) for name in _PACKAGES}
    missing = {_PACKAGES[name] for name, path in programs.items() if path is None}
    folders = jar_folders if jar_folders is not None else [SYSTEM_JARS, *_fetched_jars()]
    chosen = [folder for folder in folders if all((folder / name).is_file() for name in JUNIT)]
    if not chosen:
        missing.add("junit4")
    if missing:
        packages = " ".join(sorted(missing))
        raise MissingToolError(
            f"the Java core cannot be tested here: install the Debian packages {packages}"
        )
    return JavaTools(
        Path(str(programs["javac"])),
        Path(str(programs["java"])),
        tuple(chosen[0] / name for name in JUNIT),
    )


def _fetched_jars() -> Iterator[Path]:
    from android_demo.offline.packages.fetch import cache_folder

    yield from sorted(cache_folder().glob("tools-*/usr/share/java"))


def compile_core(tools: JavaTools, out: Path) -> list[str]:
    """Compile the core and its tests for Java 8; the names of the test classes."""
    sources = {part: sorted((CORE / part / "java").rglob("*.java")) for part in _parts()}
    files = [str(path) for paths in sources.values() for path in paths]
    flags = ["--release", "8", "-Xlint:all,-options", "-Werror", "-encoding", "UTF-8"]
    where = ["-cp", _class_path(tools.junit), "-d", str(out)]
    subprocess.run([str(tools.javac), *flags, *where, *files], check=True)
    tests = [path for part in _parts() if part != "main" for path in sources[part]]
    return [f"org.hierattn.core.{path.stem}" for path in tests if path.stem.endswith("Test")]


def _parts() -> tuple[str, ...]:
    return "main", "test", "desktopTest"


def run_tests(
    tools: JavaTools, classes: Path, names: list[str], properties: Mapping[str, object]
) -> subprocess.CompletedProcess[str]:
    """Run JUnit; its output is one text."""
    settings = [f"-D{name}={value}" for name, value in properties.items()]
    where = ["-cp", _class_path((classes, *tools.junit))]
    command = [str(tools.java), _HEAP, "-XX:+UseSerialGC", *settings, *where]
    return subprocess.run(
        [*command, "org.junit.runner.JUnitCore", *names],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _class_path(paths: tuple[Path, ...]) -> str:
    return os.pathsep.join(map(str, paths))


def main() -> int:
    """Test the Java core of the Android app against Python."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--photos", type=int, default=360, help="how many real photos")
    parser.add_argument("--bundle", default="", help="folder of a real bundle, to be read too")
    asked = parser.parse_args()
    try:
        tools = find_tools()
    except MissingToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="hierattn-java-") as folder:
        classes, vectors = Path(folder) / "classes", Path(folder) / "vectors"
        names = compile_core(tools, classes)
        root = photos_folder()
        photos = write_vectors(vectors, root, Amounts(photos=asked.photos))
        print(
            f"vectors: {photos} real photos and generated pictures"
            if photos
            else "vectors: NO real photos here (set HIERATTN_PHOTOS), generated pictures alone"
        )
        properties = {
            "hierattn.vectors": vectors,
            "hierattn.photos": photos,
            "hierattn.bundle": asked.bundle,
        }
        done = run_tests(tools, classes, names, properties)
    print(done.stdout)
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
