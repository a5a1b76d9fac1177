"""The files on the oldest and the newest ONNX Runtime that is claimed, each by its own Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.other_runtimes.registry import choose_runtimes
from benchmarks.other_runtimes.trial import open_files, read_inputs, try_runtime
from export.formats.onnx.abilities import ONNXRUNTIME
from export.runtime.environments import default_home
from export.schema.manifest import read_manifest
from tests.conftest import NO_OLD_RUNTIME


@pytest.mark.slow
def test_every_precision_is_answered_alike_by_the_oldest_and_the_newest(exported: Path) -> None:
    manifest = read_manifest(exported)
    (minimum,) = {tuple(one.minimum_runtimes.items()) for one in manifest.artefacts}
    assert minimum == (("onnxruntime", ONNXRUNTIME.minimum),)
    inputs = read_inputs(exported, manifest, None, 0)
    files = list(open_files(exported, manifest, frozenset({".onnx"}), inputs))
    assert {file.record.precision for file in files} == {"fp32", "fp16", "int8"}
    oldest, newest = choose_runtimes("onnxruntime")
    rows = try_runtime(newest, files, inputs, Path())
    assert [row.status for row in rows] == ["agrees"] * 3
    rows = try_runtime(oldest, files, inputs, default_home("other-runtimes"))
    missing = [row.reason for row in rows if row.status == "not run"]
    if missing:
        pytest.skip(f"{NO_OLD_RUNTIME}: {missing[0]}")
    assert {row.version for row in rows} == {ONNXRUNTIME.minimum}
    assert [(row.status, row.reason) for row in rows] == [("agrees", None)] * 3
    assert np.isfinite(inputs.torch).all() and len(inputs.images) > 5
