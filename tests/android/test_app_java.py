"""The app's own classes under JUnit on this machine; what is Android's is played by stand-ins."""

import os
import subprocess
from pathlib import Path

import pytest

from android_demo.offline import resources
from android_demo.offline.packages.toolbox import Toolbox
from android_demo.offline.project import APP, read_versions
from tests.android.exif_cases import HEIC
from tests.android.fake_bundle import write_fake_bundle
from tests.android.offline_helpers import cached_tools

CORE = APP / "core/src/main/java"
DEMO = APP / "app/src/main/java/org/hierattn/demo"
STAND_INS = Path(__file__).parent / "platform"


@pytest.fixture(scope="module")
def tools() -> Toolbox:
    return cached_tools()


def _compile(tools: Toolbox, work: Path, sources: list[Path], *jars: Path) -> str:
    """Compile with the core; the class path to run with."""
    classes = work / "classes"
    path = os.pathsep.join(map(str, (classes, *tools.junit, *jars)))
    files = [*sorted(CORE.rglob("*.java")), *sources]
    tools.javac("-encoding", "UTF-8", "-nowarn", "-d", classes, "-cp", path, *files)
    return path


def _run_junit(work: Path, path: str, tests: list[Path], **given: Path) -> None:
    flags = ["-Djava.awt.headless=true", *(f"-Dhierattn.{k}={v}" for k, v in given.items())]
    names = [f"org.hierattn.demo.{file.stem}" for file in tests]
    assert names
    done = subprocess.run(
        ["java", *flags, "-cp", path, "org.junit.runner.JUnitCore", *names],
        capture_output=True,
        text=True,
        cwd=work,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "OK (" in done.stdout


def test_what_needs_no_android(tools: Toolbox, tmp_path: Path) -> None:
    tests = sorted((APP / "app/src/test/java").rglob("*Test.java"))
    names = [file.stem.removesuffix("Test") for file in tests]
    path = _compile(tools, tmp_path, [*(DEMO / f"{name}.java" for name in names), *tests])
    _run_junit(tmp_path, path, tests)


@pytest.mark.slow
def test_the_screens_and_the_decoder_with_stand_ins_for_android(
    tools: Toolbox, tmp_path: Path
) -> None:
    """All of the app's main classes; Android's others do nothing, as in a unit test of Gradle."""
    write_fake_bundle(tmp_path / "assets/hierattn")
    resources.link_resources(tools, read_versions(), tmp_path / "linked")
    empty = tmp_path / "empty.jar"
    tools.java("-cp", tools.asm, STAND_INS / "EmptyStubs.java", tools.android_jar, empty)
    sources = [
        *(tmp_path / "linked/generated").rglob("*.java"),
        *sorted(DEMO.rglob("*.java")),
        *sorted((STAND_INS / "android").rglob("*.java")),
        *sorted((STAND_INS / "org").rglob("*.java")),
    ]
    path = _compile(tools, tmp_path, sources, empty)
    _run_junit(
        tmp_path,
        path,
        sorted((STAND_INS / "org").rglob("*Test.java")),
        golden=tmp_path / "assets/hierattn/selftest",
        assets=tmp_path / "assets",
        res=APP / "app/src/main/res",
        heic=HEIC,
    )
