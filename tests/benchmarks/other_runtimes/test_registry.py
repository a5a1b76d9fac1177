from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.other_runtimes.registry import OTHER_RUNTIMES, choose_runtimes
from export.formats.onnx.abilities import ONNXRUNTIME
from export.formats.tflite.abilities import LITERT
from hierattn.errors import UnknownNameError


def test_the_oldest_versions_that_formats_declare_are_tried() -> None:
    pinned = {(runtime.name, runtime.pinned) for runtime in OTHER_RUNTIMES}
    assert ("onnxruntime", ONNXRUNTIME.minimum) in pinned
    assert ("ai-edge-litert", LITERT.minimum) in pinned


def test_every_runtime_is_pinned_and_has_its_engine() -> None:
    for runtime in OTHER_RUNTIMES:
        assert Path(runtime.engine).is_file()
        assert all("==" in one or "@" in one for one in runtime.requirements)
        if runtime.requirements:
            assert runtime.environment.endswith(f"-{runtime.pinned}")


def test_one_environment_has_one_set_of_requirements() -> None:
    asked = [one for one in OTHER_RUNTIMES if one.requirements]
    sets = {(one.environment, one.requirements) for one in asked}
    assert len(sets) == len({one.environment for one in asked})


def test_runtimes_are_chosen_by_name() -> None:
    assert choose_runtimes("") == OTHER_RUNTIMES
    assert {one.suffix for one in choose_runtimes("openvino")} == {".onnx", ".tflite"}
    with pytest.raises(UnknownNameError, match="did you mean 'openvino'"):
        choose_runtimes("openvine")
