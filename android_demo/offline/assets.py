"""The shipped network among the app's assets: exported and bundled, unless it is there already."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from android_demo.offline.errors import BuildError
from android_demo.offline.project import APP
from hierattn.files import atomic_path, file_sha256

SHIPPED = "hierattn_xs.pad_ufes_20"
_STAMP = "apk-source.json"


def bundle_shipped(export: Path, say: Callable[[str], None]) -> None:
    """Export the shipped checkpoint to ONNX and bundle it; a second call only looks.

    Args:
        export: export folder, made or replaced.
        say: takes lines of progress.

    Raises:
        BuildError: exporting or bundling fails; their own line says why.
    """
    source = _source()
    stamp = export / _STAMP
    if not _is_same(stamp, source):
        say(f"exporting {SHIPPED} to ONNX, fp32")
        shutil.rmtree(export, ignore_errors=True)
        _hierattn("export", SHIPPED, "--format", "onnx", "--precision", "fp32", "--out", export)
        with atomic_path(stamp) as part:
            part.write_text(json.dumps(source), encoding="utf-8")
    _hierattn("bundle", export, "--app", APP)


def check_bundled(assets: Path) -> None:
    """Hold the bundle to what the offline build can run.

    Raises:
        BuildError: none there, or not an ONNX file.
    """
    record = assets / "hierattn/bundle.json"
    try:
        kind = json.loads(record.read_text(encoding="utf-8"))["format"]
    except (OSError, ValueError, KeyError) as error:
        raise BuildError(f"{record}: no bundle (hierattn bundle EXPORT --app {APP})") from error
    if kind != "onnx":
        raise BuildError(
            f"{record}: the offline build makes the ort flavour, which runs onnx, not {kind}; "
            "bundle an .onnx, or build the litert flavour with Gradle"
        )


def _source() -> dict[str, str]:
    """What the export depends on: the weights and the code that exports."""
    root = APP.parent
    weights = root / "hierattn/checkpoints" / SHIPPED / "model.safetensors"
    code = sorted(file for part in ("export", "hierattn") for file in (root / part).rglob("*.py"))
    return {str(file.relative_to(root)): file_sha256(file) for file in (weights, *code)}


def _is_same(stamp: Path, source: dict[str, str]) -> bool:
    try:
        return bool(json.loads(stamp.read_text(encoding="utf-8")) == source)
    except (OSError, ValueError):
        return False


def _hierattn(*words: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hierattn.cli", *(str(word) for word in words)],
        cwd=APP.parent,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise BuildError(f"hierattn {words[0]}: {said[-1] if said else done.returncode}")
