"""The Java in docs/android.md compiles, against the runtime's and Android's own classes."""

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "android.md"
CORE = REPOSITORY / "android_demo" / "core" / "src" / "main" / "java"
CACHE = Path(os.environ.get("HIERATTN_ANDROID_CACHE", Path.home() / ".cache" / "hierattn-android"))


def test_the_snippet_compiles(tmp_path: Path) -> None:
    if shutil.which("javac") is None:
        pytest.skip("no javac here")
    platforms = sorted(CACHE.glob("tools-*/**/platforms/*/android.jar"))
    libraries = sorted(CACHE.glob("*onnxruntime.aar"))
    if not platforms or not libraries:
        pytest.skip(f"no Android and ONNX Runtime classes in {CACHE}; 'make apk' fetches them")
    (snippet,) = re.findall(r"```java\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    source = tmp_path / "com" / "example" / "app" / "LesionClassifier.java"
    source.parent.mkdir(parents=True)
    source.write_text(snippet, encoding="utf-8")
    with zipfile.ZipFile(libraries[-1]) as archive:
        archive.extract("classes.jar", tmp_path)
    done = subprocess.run(
        [
            *("javac", "--release", "8", "-Xlint:-options", "-d", tmp_path / "out"),
            *("-cp", f"{platforms[-1]}:{tmp_path / 'classes.jar'}"),
            *(source, *sorted(CORE.rglob("*.java"))),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/com/example/app/LesionClassifier.class").is_file()
