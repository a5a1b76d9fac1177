"""The app's model assets: the shipped network is exported and bundled if none is there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from android_demo.offline.errors import BuildError
from android_demo.offline.project import APP, assets_folder
from hierattn.common.files import file_sha256, write_json
from hierattn.common.json_text import DoubleNameError, parse_json

SHIPPED = "hierattn_xs.pad_ufes_20"
_WEIGHTS = APP.parent / "hierattn/checkpoints" / SHIPPED / "model.safetensors"


def bundle_shipped(export: Path, say: Callable[[str], None], app: Path = APP) -> None:
    """Export the shipped checkpoint to ONNX and bundle it; a second call only looks.

    Args:
        export: export folder, made; replaced only if an earlier call made it.
        say: takes lines of progress.
        app: the project that the bundle is for.

    Raises:
        BuildError: the folder or the bundle that is there is another's, or exporting or bundling
            fails; one line says why.
    """
    _check_bundle_is_shipped(assets_folder(app) / "hierattn/bundle.json")
    source = _source()
    # Beside the folder: within it, it would be no part of an export.
    stamp = export.with_name(f"{export.name}.apk-source.json")
    if not _is_free(export):
        made = _read(stamp)
        found = _manifest_sha256(export)
        if made is None or found is None or made.get("manifest_sha256") != found:
            raise BuildError(
                f"{export}: holds something else than the build's own export; "
                "remove it or choose another folder with --export"
            )
        if made.get("source") != source:
            _remove(export)
    if _is_free(export):
        say(f"exporting {SHIPPED} to ONNX, fp32")
        _hierattn("export", SHIPPED, "--format", "onnx", "--precision", "fp32", "--out", export)
        write_json(stamp, {"manifest_sha256": _manifest_sha256(export), "source": source})
    _hierattn("bundle", export, "--app", app)


def check_bundled(assets: Path) -> None:
    """Hold the bundle to what the offline build can run.

    Raises:
        BuildError: none there, or not an ONNX file.
    """
    record = assets / "hierattn/bundle.json"
    try:
        kind = parse_json(record.read_text(encoding="utf-8"))["format"]
    except DoubleNameError as error:
        raise BuildError(f"{record}: {error}; bundle again") from error
    except (OSError, ValueError, KeyError) as error:
        raise BuildError(f"{record}: no bundle (hierattn bundle EXPORT --app {APP})") from error
    if kind != "onnx":
        raise BuildError(
            f"{record}: the offline build makes the ort flavour, which runs onnx, not {kind}; "
            "bundle an .onnx, or build the litert flavour with Gradle"
        )


def _check_bundle_is_shipped(record: Path) -> None:
    bundled = _read(record)
    # None, or no bundle: 'hierattn bundle' knows what to do about that.
    if bundled is not None and bundled.get("weights_sha256") != file_sha256(_WEIGHTS):
        raise BuildError(
            f"{record.parent}: a bundle of other weights than the shipped ones; build with it by "
            "'python -m android_demo.offline --bundled', or remove it"
        )


def _source() -> dict[str, str]:
    """What the export depends on: the weights and the code that exports."""
    root = APP.parent
    code = sorted(file for part in ("export", "hierattn") for file in (root / part).rglob("*.py"))
    return {str(file.relative_to(root)): file_sha256(file) for file in (_WEIGHTS, *code)}


def _is_free(folder: Path) -> bool:
    """Whether an export may go there: nothing, or an empty folder."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def _manifest_sha256(export: Path) -> str | None:
    manifest = export / "manifest.json"
    return file_sha256(manifest) if manifest.is_file() else None


def _remove(folder: Path) -> None:
    """Take a folder away whole, so that a kill leaves no half of it under its name."""
    try:
        aside = Path(tempfile.mkdtemp(prefix=".apk-", dir=folder.parent))
        folder.rename(aside / folder.name)
    except OSError as error:
        raise BuildError(f"{folder}: cannot be replaced: {error.strerror}") from error
    shutil.rmtree(aside, ignore_errors=True)


def _read(file: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None where there is none."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


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
