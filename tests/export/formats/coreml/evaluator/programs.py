"""Tiny ML programs, built with coremltools and saved, for the evaluator to read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import coremltools as ct
import numpy as np
import torch
from coremltools.converters.mil import Builder
from coremltools.converters.mil.mil import Program as MilProgram

from export.formats.coreml.evaluator import Arithmetic, Program, compile_program, read_package
from export.formats.coreml.package import StoredModel, stored_model, write_model
from export.formats.coreml.tidy import main_block

Build = Callable[..., Any]


def mil_program(build: Build, *shapes: tuple[int, ...]) -> MilProgram:
    """A program of the given inputs; ``build`` takes the builder and one value for each."""
    specs = [Builder.TensorSpec(shape=shape) for shape in shapes]
    wrapped = {
        1: lambda a: build(Builder, a),
        2: lambda a, b: build(Builder, a, b),
        3: lambda a, b, c: build(Builder, a, b, c),
    }[len(shapes)]
    return Builder.program(input_specs=specs, opset_version=ct.target.iOS16)(wrapped)


def to_model(build: Build, *shapes: tuple[int, ...], half: bool = False) -> StoredModel:
    """The program as it would be saved; no graph pass touches it in single precision."""
    settings: dict[str, Any] = {"compute_precision": ct.precision.FLOAT16}
    if not half:
        settings = {
            "compute_precision": ct.precision.FLOAT32,
            "pass_pipeline": ct.PassPipeline.EMPTY,
        }
    converted = ct.convert(
        mil_program(build, *shapes),
        convert_to="mlprogram",
        minimum_deployment_target=ct.target.iOS16,
        skip_model_load=True,
        **settings,
    )
    return stored_model(converted)


def save(folder: Path, model: StoredModel, name: str = "tiny") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.mlpackage"
    write_model(model, None, path)
    return path


def compiled(folder: Path, model: StoredModel) -> Program:
    return compile_program(read_package(save(folder, model)))


def evaluate(
    program: Program, *inputs: torch.Tensor, arithmetic: Arithmetic = Arithmetic.STORAGE
) -> list[np.ndarray]:
    """Outputs in the order of the program."""
    answer = program.run(dict(zip(program.inputs, inputs, strict=True)), arithmetic)
    return [answer[name].numpy() for name in program.outputs]


def copy_of(model: StoredModel) -> StoredModel:
    """The same model, to be spoilt."""
    content = model.specification.SerializeToString()
    return StoredModel(type(model.specification).FromString(content), model.weights)


def operation_of(model: StoredModel, kind: str) -> Any:
    """The first operation of a kind, to be spoilt by a test."""
    return next(
        operation
        for operation in main_block(model.specification).operations
        if operation.type == kind
    )
