"""The app's classes that need no Android, under JUnit on this machine."""

import os
import subprocess
from pathlib import Path

from android_demo.offline.project import APP
from tests.android.offline_helpers import cached_tools

TESTED = ("Figures", "Listeners", "RecordFile", "ResultFile")


def test_junit(tmp_path: Path) -> None:
    tools = cached_tools()
    demo = APP / "app/src/main/java/org/hierattn/demo"
    tests = APP / "app/src/test/java/org/hierattn/demo"
    sources = [
        *sorted((APP / "core/src/main/java").rglob("*.java")),
        *(demo / f"{name}.java" for name in TESTED),
        *sorted(tests.glob("*.java")),
    ]
    classpath = os.pathsep.join(str(path) for path in (*tools.junit, tmp_path))
    tools.javac("-encoding", "UTF-8", "-nowarn", "-d", tmp_path, "-cp", classpath, *sources)
    names = [f"org.hierattn.demo.{file.stem}" for file in sorted(tests.glob("*Test.java"))]
    done = subprocess.run(
        [
            "java",
            "-Djava.awt.headless=true",
            "-cp",
            classpath,
            "org.junit.runner.JUnitCore",
            *names,
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "OK (" in done.stdout
