from __future__ import annotations

from pathlib import Path
from typing import Any

import coremltools as ct
import numpy as np
import torch

from export.formats.coreml.evaluator import Arithmetic, Program, compile_program, read_package
from export.formats.coreml.package import StoredModel, write_model
from export.formats.coreml.tidy import main_block, tidy_program
from tests.export.formats.coreml.evaluator.programs import mil_program


def _build(mb: Any, x: Any) -> Any:
    weight = np.random.default_rng(0).standard_normal((3, 3, 3, 3)).astype(np.float32)
    for index in range(3):
        x = mb.conv(x=x, weight=weight, pad_type="custom", pad=[1, 1, 1, 1], name=f"k{index}")
        x = mb.relu(x=x, name=f"relu{index}_cast_fp16" if index else "relu1")
    return x


def _untidy() -> StoredModel:
    model = ct.convert(
        mil_program(_build, (1, 3, 4, 4)),
        minimum_deployment_target=ct.target.iOS16,
        compute_precision=ct.precision.FLOAT32,
        pass_pipeline=ct.PassPipeline.EMPTY,
        skip_model_load=True,
    )
    return StoredModel(model.get_spec(), (Path(model.weights_dir) / "weight.bin").read_bytes())


def _program(model: StoredModel, path: Path) -> Program:
    write_model(model, None, path)
    return compile_program(read_package(path))


def test_tidy_program_computes_the_same(tmp_path: Path) -> None:
    model = _untidy()
    before = _program(model, tmp_path / "before")
    size = model.specification.ByteSize()
    tidy_program(model.specification)
    after = _program(model, tmp_path / "after")
    images = {next(iter(before.inputs)): torch.rand(1, 3, 4, 4)}

    results = [
        next(iter(program.run(images, Arithmetic.STORAGE).values())) for program in (before, after)
    ]

    torch.testing.assert_close(results[0], results[1], rtol=0, atol=0)
    assert before.operations == after.operations
    assert model.specification.ByteSize() < 0.8 * size


def test_settings_are_stored_once() -> None:
    model = _untidy()
    tidy_program(model.specification)
    settings = [
        operation.attributes["val"].SerializeToString(deterministic=True)
        for operation in main_block(model.specification).operations
        if operation.type == "const" and operation.attributes["val"].HasField("immediateValue")
    ]
    assert len(settings) == len(set(settings)) > 0


def test_names_are_new_ones() -> None:
    """A result may already be called like a setting, or like another result without its suffix."""
    model = _untidy()
    tidy_program(model.specification)
    operations = main_block(model.specification).operations
    names = [output.name for operation in operations for output in operation.outputs]
    assert len(names) == len(set(names))
    assert {"k0_value", "relu1", "relu1_cast_fp16"} <= set(names)


def test_twice_changes_nothing_more() -> None:
    model = _untidy()
    tidy_program(model.specification)
    once = model.specification.SerializeToString(deterministic=True)
    tidy_program(model.specification)
    assert model.specification.SerializeToString(deterministic=True) == once
