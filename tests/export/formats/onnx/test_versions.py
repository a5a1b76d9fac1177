"""The files on the oldest and the newest ONNX Runtime that is claimed, each by its own Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.other_runtimes.registry import choose_runtimes
from benchmarks.other_runtimes.trial import open_subjects, read_questions, try_runtime
from export.formats.onnx.abilities import ONNXRUNTIME
from export.runtime.environments import default_home
from export.schema.manifest import read_manifest
from tests.conftest import NO_OLD_RUNTIME


@pytest.mark.slow
def test_every_precision_is_answered_alike_by_the_oldest_and_the_newest(exported: Path) -> None:
    manifest = read_manifest(exported)
    (minimum,) = {tuple(one.minimum_runtimes.items()) for one in manifest.artefacts}
    assert minimum == (("onnxruntime", ONNXRUNTIME.minimum),)
    questions = read_questions(exported, manifest, None, 0)
    subjects = list(open_subjects(exported, manifest, frozenset({".onnx"}), questions))
    assert {subject.record.precision for subject in subjects} == {"fp32", "fp16", "int8"}
    oldest, newest = choose_runtimes("onnxruntime")
    rows = try_runtime(newest, subjects, questions, Path())
    assert [row.status for row in rows] == ["agrees"] * 3
    rows = try_runtime(oldest, subjects, questions, default_home("other-runtimes"))
    missing = [row.reason for row in rows if row.status == "not run"]
    if missing:
        pytest.skip(f"{NO_OLD_RUNTIME}: {missing[0]}")
    assert {row.version for row in rows} == {ONNXRUNTIME.minimum}
    assert [(row.status, row.reason) for row in rows] == [("agrees", None)] * 3
    assert np.isfinite(questions.torch).all() and len(questions.images) > 5
