"""The app's classes that need no phone, under JUnit on this machine."""

import os
import subprocess
from pathlib import Path

from android_demo.offline.project import APP
from tests.android.exif_cases import HEIC
from tests.android.fake_bundle import write_fake_bundle
from tests.android.offline_helpers import cached_tools

DEMO = APP / "app/src/main/java/org/hierattn/demo"
STAND_INS = Path(__file__).parent / "platform"


def _run_junit(work: Path, names: list[str], others: list[Path], tests: Path, **given: Path) -> str:
    """Compile the core, classes of the app by name and others, and run the tests of a folder."""
    tools = cached_tools()
    chosen = sorted(tests.rglob("*Test.java"))
    core = sorted((APP / "core/src/main/java").rglob("*.java"))
    sources = [*core, *(DEMO / f"{name}.java" for name in names), *others, *chosen]
    classpath = os.pathsep.join(str(path) for path in (*tools.junit, work))
    tools.javac("-encoding", "UTF-8", "-nowarn", "-d", work, "-cp", classpath, *sources)
    flags = ["-Djava.awt.headless=true", *(f"-Dhierattn.{k}={v}" for k, v in given.items())]
    classes = [f"org.hierattn.demo.{file.stem}" for file in chosen]
    done = subprocess.run(
        ["java", *flags, "-cp", classpath, "org.junit.runner.JUnitCore", *classes],
        capture_output=True,
        text=True,
        cwd=work,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def test_what_needs_no_android(tmp_path: Path) -> None:
    names = ["Figures", "Listeners", "RecordFile", "ResultFile"]
    assert "OK (" in _run_junit(tmp_path, names, [], APP / "app/src/test/java")


def test_the_decoder_with_stand_ins_for_android(tmp_path: Path) -> None:
    write_fake_bundle(tmp_path / "bundle")
    said = _run_junit(
        tmp_path,
        ["PlatformDecoder"],
        sorted((STAND_INS / "android").rglob("*.java")),
        STAND_INS,
        golden=tmp_path / "bundle/selftest",
        heic=HEIC,
    )
    assert "OK (6 tests)" in said
