"""What the tests of the offline build share: tools from the cache, and a bundle made by hand."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from android_demo.offline.packages import fetch
from android_demo.offline.packages.pins import DEBIAN_PACKAGES, ONNX_RUNTIME
from android_demo.offline.packages.toolbox import Toolbox


def cached_tools() -> Toolbox:
    """The fetched tools; skips without them, since no test may use the network."""
    if shutil.which("javac") is None:
        pytest.skip("no javac here")
    cache = fetch.cache_folder()
    digest = hashlib.sha256("".join(p.sha256 for p in DEBIAN_PACKAGES).encode()).hexdigest()
    if not (cache / f"tools-{digest[:16]}").is_dir():
        pytest.skip("the offline build's packages are not in its cache: run 'make apk' once")
    return Toolbox(fetch.fetch_tools(cache, print))


def cached_runtime() -> Path:
    """The fetched runtime; skips without it."""
    if not (fetch.cache_folder() / ONNX_RUNTIME.file_name).is_file():
        pytest.skip("ONNX Runtime for Android is not in the cache: run 'make apk' once")
    return fetch.fetch_runtime(fetch.cache_folder(), print)


def bundle_by_hand(assets: Path, model: bytes = b"no model, only bytes " * 1000) -> Path:
    """The least that the offline build asks of a bundle; no app could run it."""
    folder = assets / "hierattn"
    (folder / "selftest").mkdir(parents=True)
    (folder / "made-up.onnx").write_bytes(model)
    (folder / "labels.txt").write_text("A\nB\n")
    (folder / "selftest/a.rgb").write_bytes(bytes(range(256)) * 12)
    record = {
        "format": "onnx",
        "artefact": "made-up.onnx",
        "sha256": hashlib.sha256(model).hexdigest(),
    }
    (folder / "bundle.json").write_text(json.dumps(record))
    return assets
