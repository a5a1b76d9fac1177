"""Compilation of Java sources to a dex, checked against the platform."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

from android_demo.offline.errors import BuildError
from android_demo.offline.packages.toolbox import Toolbox
from android_demo.offline.project import APP, OFFLINE, Versions, java_sources

# What sends ONNX Runtime's telemetry; it stays out of the app.
TELEMETRY = ("ai/onnxruntime/telemetry/", "ai/onnxruntime/TelemetryInitializer")
_OPTIONS = (
    *("--release", "8", "-encoding", "UTF-8", "-Werror"),
    "-Xlint:all,-options,-serial,-deprecation,-classfile",
)
_PROGUARD = """\
-dontshrink
-dontoptimize
-dontobfuscate
-dontnote
-dontwarn
-target 1.7
-keepattributes *
"""


def build_dex(tools: Toolbox, versions: Versions, runtime: Path, work: Path) -> Path:
    """Make ``classes.dex`` of the ``ort`` flavour.

    Args:
        tools: the programs.
        versions: for the oldest Android.
        runtime: the ``.aar`` of ONNX Runtime.
        work: folder; ``generated/`` in it holds ``R.java``.
    """
    classes = build_classes(tools, runtime, work)
    dex = work / "classes.dex"
    tools.dx(f"--min-sdk-version={versions.min_sdk}", f"--output={dex}", classes)
    return dex


def build_classes(tools: Toolbox, runtime: Path, work: Path) -> Path:
    """The jar of classes that the dex is made of; arguments as in :func:`build_dex`."""
    library = work / "library"
    _unpack_classes(runtime, library)
    own = work / "classes"
    compile_flavour(tools, "ort", library, own, work / "generated")
    lowered = work / "lowered"
    tools.java("-cp", tools.asm, OFFLINE / "java/LowerClasses.java", library, lowered)
    shutil.copytree(own, lowered, dirs_exist_ok=True)
    backported = work / "backported.jar"
    rules = work / "proguard.txt"
    rules.write_text(
        f"-injars '{lowered}'\n-outjars '{backported}'\n-libraryjars '{tools.android_jar}'\n"
        + _PROGUARD,
        encoding="utf-8",
    )
    tools.proguard(f"@{rules}")
    return backported


def check_litert_flavour(tools: Toolbox, work: Path) -> None:
    """Type-check the ``litert`` flavour against stubs; no LiteRT can be had here.

    Args:
        tools: the programs.
        work: folder; ``generated/`` in it holds ``R.java``.
    """
    stubs = work / "litert_stubs"
    stubs.mkdir()
    sources = sorted((OFFLINE / "litert_stubs").rglob("*.java"))
    tools.javac(*_OPTIONS, "-d", stubs, "-cp", tools.android_jar, *sources)
    compile_flavour(tools, "litert", stubs, work / "litert_classes", work / "generated")


def compile_flavour(
    tools: Toolbox, flavour: str, library: Path, out: Path, generated: Path, app: Path = APP
) -> None:
    """Compile core, app and one flavour, and hold them against Android's classes.

    Raises:
        BuildError: a source does not compile, or uses what Android 6 does not have.
    """
    out.mkdir()
    sources = [*java_sources(flavour, app), *sorted(generated.rglob("*.java"))]
    classpath = os.pathsep.join(str(path) for path in (tools.android_jar, library))
    tools.javac(*_OPTIONS, "-proc:none", "-cp", classpath, "-d", out, *sources)
    try:
        tools.java("-cp", tools.asm, OFFLINE / "java/LinkCheck.java", tools.android_jar, out)
    except BuildError as error:
        raise BuildError(f"flavour {flavour} uses what Android 6 lacks: {error}") from error


def _unpack_classes(runtime: Path, folder: Path) -> None:
    """The runtime's classes without those that send telemetry."""
    folder.mkdir()
    with (
        zipfile.ZipFile(runtime) as aar,
        aar.open("classes.jar") as inner,
        zipfile.ZipFile(inner) as jar,
    ):
        names = [
            name
            for name in jar.namelist()
            if name.endswith(".class") and not name.startswith(TELEMETRY)
        ]
        jar.extractall(folder, names)
