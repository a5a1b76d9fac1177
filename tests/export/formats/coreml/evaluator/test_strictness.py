"""What the evaluator does not know it refuses, with one line that names operation and argument."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from export.errors import ArtefactError, UnsupportedOperationError
from export.formats.coreml.package import StoredModel
from export.formats.coreml.tidy import main_block
from tests.export.formats.coreml.evaluator.programs import (
    Build,
    compiled,
    copy_of,
    operation_of,
    to_model,
)

IMAGE = (1, 4, 6, 5)
WEIGHT = np.ones((2, 4, 3, 3), np.float32)

REFUSED: dict[str, tuple[Build, str]] = {
    "operation": (lambda mb, x: mb.erf(x=x), "operation erf .* is not known"),
    "padding": (
        lambda mb, x: mb.conv(x=x, weight=WEIGHT, pad_type="same"),
        "operation conv .*argument 'pad_type' = 'same' is not known",
    ),
    "ceil mode": (
        lambda mb, x: mb.max_pool(x=x, kernel_sizes=[2, 2], pad_type="valid", ceil_mode=True),
        "operation max_pool .*argument 'ceil_mode' = True",
    ),
    "step back": (
        lambda mb, x: mb.slice_by_index(
            x=x, begin=[0, 3, 0, 0], end=[1, 0, 6, 5], stride=[1, -1, 1, 1]
        ),
        "operation slice_by_index .*argument 'stride'",
    ),
    "inner axes": (
        lambda mb, x: mb.layer_norm(x=x, axes=[1]),
        "operation layer_norm .*do not fit .*not the last",
    ),
    "centres": (
        lambda mb, x: mb.upsample_bilinear(
            x=x,
            scale_factor_height=2,
            scale_factor_width=2,
            align_corners=True,
            half_pixel_centers=True,
        ),
        "operation upsample_bilinear .*argument 'half_pixel_centers' = True",
    ),
    "integers": (lambda mb, x: mb.cast(x=x, dtype="int32"), "operation cast .*argument 'dtype'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_unknown(case: str, tmp_path: Path) -> None:
    build, message = REFUSED[case]
    model = to_model(build, IMAGE)
    with pytest.raises((UnsupportedOperationError, ArtefactError), match=message) as caught:
        compiled(tmp_path, model)
    assert "\n" not in str(caught.value)
    assert "tiny.mlpackage" in str(caught.value)


def _bind(operation: Any, argument: str, value: str) -> None:
    operation.inputs[argument].arguments.add().name = value


def _unknown_argument(model: StoredModel) -> None:
    operation = operation_of(model, "conv")
    _bind(operation, "sharpen", operation.inputs["groups"].arguments[0].name)


def _unknown_attribute(model: StoredModel) -> None:
    operation = operation_of(model, "conv")
    operation.attributes["twice"].CopyFrom(operation.attributes["name"])


def _missing_argument(model: StoredModel) -> None:
    del operation_of(model, "concat").inputs["axis"]


def _later_value(model: StoredModel) -> None:
    operation_of(model, "conv").inputs["x"].arguments[0].name = "nobody"


def _computed_setting(model: StoredModel) -> None:
    operation_of(model, "concat").inputs["axis"].arguments[0].name = "first"


def _two_values(model: StoredModel) -> None:
    _bind(operation_of(model, "conv"), "x", "first")


def _setting_of_another_kind(model: StoredModel) -> None:
    operation = operation_of(model, "conv")
    operation.inputs["groups"].arguments[0].name = operation.inputs["pad_type"].arguments[0].name


def _other_shape(model: StoredModel) -> None:
    operation = operation_of(model, "conv")
    operation.outputs[0].type.tensorType.dimensions[1].constant.size = 3


def _huge_shape(model: StoredModel) -> None:
    operation = operation_of(model, "conv")
    operation.outputs[0].type.tensorType.dimensions[1].constant.size = 2**40


def _other_precision(model: StoredModel) -> None:
    operation_of(model, "conv").outputs[0].type.tensorType.dataType = 10


def _unknown_kind(model: StoredModel) -> None:
    operation_of(model, "conv").outputs[0].type.tensorType.dataType = 99


def _same_name(model: StoredModel) -> None:
    operation = operation_of(model, "concat")
    operation.outputs[0].name = "first"


def _block_inside(model: StoredModel) -> None:
    operation_of(model, "conv").blocks.add()


def _another_opset(model: StoredModel) -> None:
    function = model.specification.mlProgram.functions["main"]
    function.block_specializations["CoreML8"].CopyFrom(function.block_specializations["CoreML6"])
    function.opset = "CoreML8"


def _another_function(model: StoredModel) -> None:
    functions = model.specification.mlProgram.functions
    functions["second"].CopyFrom(functions["main"])


def _no_output(model: StoredModel) -> None:
    main_block(model.specification).outputs[0] = "nobody"


def _not_a_program(model: StoredModel) -> None:
    model.specification.identity.SetInParent()


SPOILT: dict[Callable[[StoredModel], None], str] = {
    _unknown_argument: "operation conv 'first': argument 'sharpen' is not known",
    _unknown_attribute: "operation conv 'first': attribute 'twice' is not known",
    _missing_argument: "operation concat .*argument 'axis' is missing",
    _later_value: "operation conv 'first': 'x' reads 'nobody', not computed yet",
    _computed_setting: "operation concat .*argument 'axis' is not one constant",
    _two_values: "operation conv 'first'.*'first', not computed yet",
    _setting_of_another_kind: "operation conv .*argument 'groups': string",
    _other_shape: r"operation conv .*gives the shape \[\[1, 2, 4, 3\]\], not \[\[1, 3, 4, 3\]\]",
    _huge_shape: "operation conv .*an impossible shape",
    _other_precision: r"operation conv .*values of kinds \['fp16', 'fp32'\] together",
    _unknown_kind: "operation conv .*values of kind 99",
    _same_name: "operation concat 'first': the name 'first' is not a new one",
    _block_inside: "operation conv .*blocks",
    _another_opset: "only one function 'main' with the operations of CoreML6",
    _another_function: "only one function 'main'",
    _no_output: r"no operation computes the output \['nobody'\]",
    _not_a_program: "not an ML program",
}


def _two_steps(mb: Any, x: Any) -> Any:
    first = mb.conv(x=x, weight=WEIGHT, pad_type="valid", groups=1, name="first")
    return mb.concat(values=[first, first], axis=1, interleave=False)


@pytest.fixture(scope="module")
def whole() -> StoredModel:
    return to_model(_two_steps, IMAGE)


def test_whole_program_is_known(whole: StoredModel, tmp_path: Path) -> None:
    assert compiled(tmp_path, whole).operations == {"conv": 1, "concat": 1}


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_refuses_spoilt_programs(
    spoil: Callable[[StoredModel], None], whole: StoredModel, tmp_path: Path
) -> None:
    model = copy_of(whole)
    spoil(model)
    with pytest.raises((UnsupportedOperationError, ArtefactError), match=SPOILT[spoil]) as caught:
        compiled(tmp_path, model)
    assert "\n" not in str(caught.value)
