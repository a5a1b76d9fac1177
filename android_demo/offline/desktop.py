"""``python -m android_demo.offline.desktop``: the app's own classes ask the network on a desktop.

What goes into the dex (the app's classifier, the core, ONNX Runtime's lowered Java classes) runs
the bundle's self-test on this machine's Java, with ONNX Runtime for Linux of the same version. The
small library between Java and the runtime is compiled here, from Debian's sources of version 1.21;
one function that they lack has a stand-in (``desktop/stand_in.c``). It shows that the classes
survived lowering and that the classifier asks rightly; it says nothing of a phone's speed or
arithmetic.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from android_demo.offline.assets import check_bundled
from android_demo.offline.classes import build_classes
from android_demo.offline.errors import UNAVAILABLE_EXIT, BuildError, PackageUnavailableError
from android_demo.offline.packages import fetch
from android_demo.offline.packages.pins import (
    ONNX_RUNTIME_LINUX,
    ONNX_RUNTIME_SOURCE,
    ONNX_RUNTIME_VERSION,
)
from android_demo.offline.packages.toolbox import Toolbox, require, run
from android_demo.offline.project import OFFLINE, assets_folder, read_versions
from android_demo.offline.resources import link_resources
from hierattn.errors import HierAttnError

_MAIN = "org.hierattn.demo.OrtOnDesktop"


def self_test(assets: Path, cache: Path, say: fetch.Say) -> str:
    """Run the bundle's self-test with the classes of the dex.

    Args:
        assets: folder that becomes ``assets/``.
        cache: folder of fetched packages.
        say: takes lines of progress.

    Returns:
        The result, as the app would write it.

    Raises:
        PackageUnavailableError: a package or program cannot be had here.
        BuildError: a step failed, or the self-test did not pass.
    """
    check_bundled(assets)
    tools = Toolbox(fetch.fetch_tools(cache, say))
    runtime = fetch.fetch_runtime(cache, say)
    with tempfile.TemporaryDirectory(prefix="hierattn-desktop-") as folder:
        work = Path(folder)
        link_resources(tools, read_versions(), work)
        classes = build_classes(tools, runtime, work)
        libraries = build_libraries(cache, work, say)
        main = OFFLINE / "desktop" / f"{_MAIN.replace('.', '/')}.java"
        program = work / "desktop"
        tools.javac("--release", "8", "-Xlint:-options", "-cp", classes, "-d", program, main)
        done = subprocess.run(
            [
                *(require("java"), f"-Donnxruntime.native.path={libraries}"),
                *("-cp", os.pathsep.join((str(classes), str(program)))),
                *(_MAIN, str(assets / "hierattn")),
            ],
            env={
                **os.environ,
                "LD_LIBRARY_PATH": str(libraries),
                "ORT_DISABLE_TELEMETRY": "1",
            },
            capture_output=True,
            text=True,
            errors="replace",
        )
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        raise BuildError(f"the self-test did not pass on this machine's Java: {said[:2000]}")
    return done.stdout.strip()


def build_libraries(cache: Path, work: Path, say: fetch.Say) -> Path:
    """A folder with ONNX Runtime for Linux and the library between it and Java."""
    runtime = fetch.fetch_runtime(cache, say, ONNX_RUNTIME_LINUX)
    sources = fetch.fetch_source(cache, say, ONNX_RUNTIME_SOURCE)
    say("compiling the library between Java and ONNX Runtime")
    with tarfile.open(sources) as archive:
        wanted = [m for m in archive if "/java/src/main/native/" in m.name or _is_header(m.name)]
        # The archive's hash is pinned, so its names are known. Python 3.11.2, Debian 12's own,
        # has no extraction filters.
        archive.extractall(work / "source", wanted)
    root = next((work / "source").iterdir())
    code = sorted(
        file for file in (root / "java/src/main/native").glob("*.c") if "Training" not in file.name
    )
    libraries = work / "libraries"
    libraries.mkdir()
    shutil.copy(runtime, libraries / "libonnxruntime.so.1")
    (libraries / "libonnxruntime.so").symlink_to("libonnxruntime.so.1")
    include = Path(require("javac")).resolve().parents[1] / "include"
    run(
        [
            *(require_compiler(), "-shared", "-fPIC", "-O1", "-w"),
            *(f"-I{folder}" for folder in (include, include / "linux", _headers(code, work))),
            *(f"-I{root / place}" for place in ("include", "include/onnxruntime/core/session")),
            *code,
            OFFLINE / "desktop/stand_in.c",
            *("-o", libraries / "libonnxruntime4j_jni.so"),
            *(f"-L{libraries}", "-l:libonnxruntime.so.1"),
        ]
    )
    return libraries


def _is_header(name: str) -> bool:
    return "/include/onnxruntime/core/" in name and name.endswith(".h")


def _headers(code: list[Path], work: Path) -> Path:
    """What a build of ONNX Runtime would generate: a version, and declarations we do without."""
    folder = work / "headers"
    folder.mkdir()
    version = f'#define ORT_VERSION "{ONNX_RUNTIME_VERSION}"\n'
    (folder / "onnxruntime_config.h").write_text(version, encoding="utf-8")
    for file in code:
        name = f"{file.stem}.h"
        if not (file.parent / name).exists():
            (folder / name).write_text("#include <jni.h>\n", encoding="utf-8")
    return folder


def require_compiler() -> str:
    """The C compiler.

    Raises:
        PackageUnavailableError: none here.
    """
    found = shutil.which("cc") or shutil.which("gcc")
    if found is None:
        raise PackageUnavailableError("no C compiler here (on Debian: gcc and libc6-dev)")
    return found


def main() -> int:
    """Print the self-test's result; exit codes as of ``make apk``."""
    try:
        result = self_test(assets_folder(), fetch.cache_folder(), _say)
    except PackageUnavailableError as error:
        _say(f"NOT RUN: {error}")
        return UNAVAILABLE_EXIT
    except HierAttnError as error:
        _say(f"error: {error}")
        return 1
    images = json.loads(result)["images"]
    largest = max(image["max_relative"] for image in images)
    print(result)
    _say(f"self-test passed on {len(images)} pictures; largest difference of a logit {largest:.1e}")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
