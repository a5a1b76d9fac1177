"""The classes of the dex on this machine's Java; skipped where nothing was fetched for it."""

import json
import shutil
from pathlib import Path

import pytest

from android_demo.offline import desktop
from android_demo.offline.errors import BuildError
from android_demo.offline.packages import fetch
from android_demo.offline.packages.pins import ONNX_RUNTIME_LINUX, ONNX_RUNTIME_SOURCE
from android_demo.offline.project import assets_folder
from tests.android.offline_helpers import cached_runtime, cached_tools


@pytest.mark.slow
def test_a_tampered_expectation_fails_and_says_which(tmp_path: Path) -> None:
    """That the untampered bundle passes is what ``make apk-desktop`` shows."""
    cached_tools()
    cached_runtime()
    cache = fetch.cache_folder()
    for package in (ONNX_RUNTIME_LINUX, ONNX_RUNTIME_SOURCE):
        if not (cache / package.file_name).is_file():
            pytest.skip("run 'make apk-desktop' once to fetch its packages")
    if not (assets_folder() / "hierattn/bundle.json").is_file():
        pytest.skip("no bundle among the app's assets: run 'make apk' once")
    shutil.copytree(assets_folder(), tmp_path / "assets")
    record = tmp_path / "assets/hierattn/bundle.json"
    bundle = json.loads(record.read_text())
    image = bundle["selftest"]["images"][3]
    image["logits"][2] += 10 * bundle["selftest"]["max_relative"] * image["scale"]
    record.write_text(json.dumps(bundle))
    with pytest.raises(BuildError, match=rf"{image['file']}: a logit lies 0?\.?\S+ off"):
        desktop.self_test(tmp_path / "assets", cache, lambda line: None)
