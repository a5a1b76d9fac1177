"""The keep rule, with the ProGuard that make apk fetches: what a shrunk build keeps and loses."""

import zipfile
from pathlib import Path

import pytest

from android_demo.offline.packages.toolbox import Toolbox
from android_demo.offline.project import APP
from tests.android.offline_helpers import cached_tools

# As the runtime's: looked up by name from native code, and used by an app through one method.
SOURCE = {
    "ai/onnxruntime/OrtSession.java": (
        "package ai.onnxruntime; public class OrtSession { private long handle;"
        " public void run() { System.out.println(1); }"
        " private static OnnxTensor make(long handle) { return new OnnxTensor(handle); } }"
    ),
    "ai/onnxruntime/OnnxTensor.java": (
        "package ai.onnxruntime; public class OnnxTensor { final long handle;"
        " OnnxTensor(long handle) { this.handle = handle; } }"
    ),
    "app/Main.java": (
        "package app; public class Main { public static void main(String[] words) {"
        " new ai.onnxruntime.OrtSession().run(); } }"
    ),
}


def _shrink(tools: Toolbox, classes: Path, rules: str, work: Path) -> dict[str, bytes]:
    target, config = work / "shrunk.jar", work / "rules.txt"
    config.write_text(
        f"-injars '{classes}'\n-outjars '{target}'\n-libraryjars '{tools.android_jar}'\n"
        "-dontnote\n-dontwarn\n"
        "-keep class app.Main { public static void main(java.lang.String[]); }\n" + rules,
        encoding="utf-8",
    )
    tools.proguard(f"@{config}")
    with zipfile.ZipFile(target) as jar:
        return {name: jar.read(name) for name in jar.namelist()}


@pytest.mark.slow
def test_without_the_rule_names_are_lost_and_with_it_they_stay(tmp_path: Path) -> None:
    tools = cached_tools()
    for name, text in SOURCE.items():
        file = tmp_path / "source" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    classes = tmp_path / "classes"
    files = [tmp_path / "source" / name for name in SOURCE]
    tools.javac("--release", "8", "-Xlint:-options", "-d", classes, *files)
    (tmp_path / "without").mkdir()
    lost = _shrink(tools, classes, "", tmp_path / "without")
    assert "ai/onnxruntime/OnnxTensor.class" not in lost
    (tmp_path / "with").mkdir()
    rules = (APP / "app/proguard-rules.pro").read_text(encoding="utf-8")
    kept = _shrink(tools, classes, rules, tmp_path / "with")
    assert b"make" in kept["ai/onnxruntime/OrtSession.class"]
    assert b"handle" in kept["ai/onnxruntime/OrtSession.class"]
    assert "ai/onnxruntime/OnnxTensor.class" in kept
