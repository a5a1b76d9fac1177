from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from export.formats.coreml.evaluator import Arithmetic
from export.formats.coreml.evaluator.operations import OPERATIONS
from tests.export.formats.coreml.evaluator.programs import compiled, evaluate, to_model

A = (2, 3, 4)
IMAGE = (1, 4, 6, 5)
Case = tuple[Callable[..., Any], list[tuple[int, ...]], Callable[..., Any]]

generator = np.random.default_rng(7)
WEIGHT = generator.standard_normal((6, 4, 3, 2)).astype(np.float32)
DEPTHWISE = generator.standard_normal((8, 1, 3, 3)).astype(np.float32)
MATRIX = generator.standard_normal((5, 4)).astype(np.float32)
BIAS = generator.standard_normal(6).astype(np.float32)
ROW = generator.standard_normal(4).astype(np.float32)
KERNEL, DEEP, SQUARE = map(torch.from_numpy, (WEIGHT, DEPTHWISE, MATRIX))


def positive(x: Tensor) -> Tensor:
    return x.abs() + 0.5


CASES: dict[str, Case] = {
    "abs": (lambda mb, x: mb.abs(x=x), [A], torch.abs),
    "add": (lambda mb, x, y: mb.add(x=x, y=y), [A, (3, 1)], torch.add),
    "sub": (lambda mb, x, y: mb.sub(x=x, y=y), [A, A], torch.sub),
    "sub constant": (lambda mb, x: mb.sub(x=2.0, y=x), [A], lambda x: 2.0 - x),
    "mul": (lambda mb, x, y: mb.mul(x=x, y=y), [A, (4,)], torch.mul),
    "real_div": (lambda mb, x, y: mb.real_div(x=x, y=y), [A, A], torch.div),
    "maximum": (lambda mb, x, y: mb.maximum(x=x, y=y), [A, A], torch.maximum),
    "minimum": (lambda mb, x, y: mb.minimum(x=x, y=y), [A, A], torch.minimum),
    "pow": (lambda mb, x: mb.pow(x=mb.abs(x=x), y=1.5), [A], lambda x: x.abs() ** 1.5),
    "exp": (lambda mb, x: mb.exp(x=x), [A], torch.exp),
    "square": (lambda mb, x: mb.square(x=x), [A], torch.square),
    "sqrt": (lambda mb, x: mb.sqrt(x=mb.abs(x=x)), [A], lambda x: x.abs().sqrt()),
    "rsqrt": (
        lambda mb, x: mb.rsqrt(x=mb.abs(x=x), epsilon=0.25),
        [A],
        lambda x: 1 / (x.abs() + 0.25).sqrt(),
    ),
    "clip": (lambda mb, x: mb.clip(x=x, alpha=-0.5, beta=0.25), [A], lambda x: x.clamp(-0.5, 0.25)),
    "cast": (
        lambda mb, x: mb.cast(x=mb.cast(x=x, dtype="fp16"), dtype="fp32"),
        [A],
        lambda x: x.half().float(),
    ),
    "relu": (lambda mb, x: mb.relu(x=x), [A], torch.relu),
    "relu6": (lambda mb, x: mb.relu6(x=mb.mul(x=x, y=6.0)), [A], lambda x: F.relu6(6 * x)),
    "sigmoid": (lambda mb, x: mb.sigmoid(x=x), [A], torch.sigmoid),
    "silu": (lambda mb, x: mb.silu(x=x), [A], lambda x: x / (1 + torch.exp(-x))),
    "tanh": (lambda mb, x: mb.tanh(x=x), [A], torch.tanh),
    "gelu": (lambda mb, x: mb.gelu(x=x), [A], F.gelu),
    "gelu tanh": (
        lambda mb, x: mb.gelu(x=x, mode="TANH_APPROXIMATION"),
        [A],
        lambda x: F.gelu(x, approximate="tanh"),
    ),
    "gelu sigmoid": (
        lambda mb, x: mb.gelu(x=x, mode="SIGMOID_APPROXIMATION"),
        [A],
        lambda x: x * torch.sigmoid(1.702 * x),
    ),
    "sigmoid_hard": (
        lambda mb, x: mb.sigmoid_hard(x=x, alpha=0.7, beta=0.4),
        [A],
        lambda x: (0.7 * x + 0.4).clamp(0, 1),
    ),
    "thresholded_relu": (
        lambda mb, x: mb.thresholded_relu(x=x, alpha=-0.3),
        [A],
        lambda x: x * (x >= -0.3),
    ),
    "softmax": (lambda mb, x: mb.softmax(x=x, axis=1), [A], lambda x: x.softmax(1)),
    "softmax default": (lambda mb, x: mb.softmax(x=x), [A], lambda x: x.softmax(-1)),
    "linear": (
        lambda mb, x: mb.linear(x=x, weight=MATRIX, bias=BIAS[:5]),
        [A],
        lambda x: x @ SQUARE.T + torch.from_numpy(BIAS[:5]),
    ),
    "linear no bias": (lambda mb, x: mb.linear(x=x, weight=MATRIX), [A], lambda x: x @ SQUARE.T),
    "matmul": (lambda mb, x, y: mb.matmul(x=x, y=y), [A, (2, 4, 5)], torch.matmul),
    "matmul transposed": (
        lambda mb, x, y: mb.matmul(x=x, y=y, transpose_x=True, transpose_y=True),
        [(2, 4, 3), (2, 5, 4)],
        lambda x, y: x.mT @ y.mT,
    ),
    "pad": (lambda mb, x: mb.pad(x=x, pad=[1, 0, 2, 3]), [IMAGE], lambda x: F.pad(x, (2, 3, 1, 0))),
    "pad constant": (
        lambda mb, x: mb.pad(x=x, pad=[0, 1], mode="constant", constant_val=-2.5),
        [A],
        lambda x: F.pad(x, (0, 1), value=-2.5),
    ),
    "conv": (lambda mb, x: mb.conv(x=x, weight=WEIGHT), [IMAGE], lambda x: F.conv2d(x, KERNEL)),
    "conv custom": (
        lambda mb, x: mb.conv(
            x=x,
            weight=WEIGHT,
            bias=BIAS,
            strides=[2, 1],
            pad_type="custom",
            pad=[1, 0, 2, 1],
            dilations=[1, 2],
        ),
        [IMAGE],
        lambda x: F.conv2d(
            F.pad(x, (2, 1, 1, 0)), KERNEL, torch.from_numpy(BIAS), (2, 1), 0, (1, 2)
        ),
    ),
    "conv depthwise": (
        lambda mb, x: mb.conv(x=x, weight=DEPTHWISE, groups=4, pad_type="custom", pad=[1, 1, 1, 1]),
        [IMAGE],
        lambda x: F.conv2d(x, DEEP, padding=1, groups=4),
    ),
    "layer_norm": (
        lambda mb, x: mb.layer_norm(x=x, axes=[-1], gamma=ROW, beta=2 * ROW, epsilon=1e-3),
        [A],
        lambda x: F.layer_norm(x, (4,), torch.from_numpy(ROW), torch.from_numpy(2 * ROW), 1e-3),
    ),
    "layer_norm plain": (
        lambda mb, x: mb.layer_norm(x=x, axes=[1, 2]),
        [A],
        lambda x: F.layer_norm(x, (3, 4)),
    ),
    "layer_norm scale": (
        lambda mb, x: mb.layer_norm(x=x, axes=[2], gamma=ROW),
        [A],
        lambda x: F.layer_norm(x, (4,), torch.from_numpy(ROW)),
    ),
    "reduce_mean": (
        lambda mb, x: mb.reduce_mean(x=x, axes=[0, 2], keep_dims=True),
        [A],
        lambda x: x.mean((0, 2), keepdim=True),
    ),
    "reduce_mean all": (lambda mb, x: mb.reduce_mean(x=x), [A], torch.mean),
    "reduce_sum": (lambda mb, x: mb.reduce_sum(x=x, axes=[-1]), [A], lambda x: x.sum(-1)),
    "reduce_max": (lambda mb, x: mb.reduce_max(x=x, axes=[1]), [A], lambda x: x.amax(1)),
    "reduce_min": (lambda mb, x: mb.reduce_min(x=x, axes=[1]), [A], lambda x: x.amin(1)),
    "max_pool": (
        lambda mb, x: mb.max_pool(
            x=x, kernel_sizes=[3, 3], strides=[2, 2], pad_type="custom", pad=[1, 1, 1, 0]
        ),
        [IMAGE],
        lambda x: F.max_pool2d(F.pad(x, (1, 0, 1, 1), value=-torch.inf), 3, 2),
    ),
    "avg_pool": (
        lambda mb, x: mb.avg_pool(
            x=x, kernel_sizes=[2, 3], strides=[1, 2], pad_type="custom", pad=[1, 0, 1, 1]
        ),
        [IMAGE],
        lambda x: F.avg_pool2d(F.pad(x, (1, 1, 1, 0)), (2, 3), (1, 2)),
    ),
    "upsample_bilinear": (
        lambda mb, x: mb.upsample_bilinear(
            x=x, scale_factor_height=8 / 6, scale_factor_width=2.0, align_corners=False
        ),
        [IMAGE],
        lambda x: F.interpolate(x, (8, 10), mode="bilinear"),
    ),
    "upsample_bilinear corners": (
        lambda mb, x: mb.upsample_bilinear(x=x, scale_factor_height=2, scale_factor_width=3),
        [IMAGE],
        lambda x: F.interpolate(x, (12, 15), mode="bilinear", align_corners=True),
    ),
    "reshape": (lambda mb, x: mb.reshape(x=x, shape=[4, -1]), [A], lambda x: x.reshape(4, 6)),
    "transpose": (
        lambda mb, x: mb.transpose(x=x, perm=[2, 0, 1]),
        [A],
        lambda x: x.permute(2, 0, 1),
    ),
    "squeeze": (lambda mb, x: mb.squeeze(x=x, axes=[0]), [IMAGE], lambda x: x[0]),
    "squeeze all": (lambda mb, x: mb.squeeze(x=x), [(1, 3, 1)], torch.squeeze),
    "expand_dims": (
        lambda mb, x: mb.expand_dims(x=x, axes=[0, -1]),
        [A],
        lambda x: x[None, ..., None],
    ),
    "concat": (
        lambda mb, x, y: mb.concat(values=[x, y], axis=-1),
        [A, (2, 3, 2)],
        lambda x, y: torch.cat((x, y), -1),
    ),
    "concat one": (lambda mb, x: mb.concat(values=[x], axis=0), [A], lambda x: x),
    "concat shuffle": (
        lambda mb, x, y: mb.concat(values=[x, y], axis=1, interleave=True),
        [IMAGE, IMAGE],
        lambda x, y: F.channel_shuffle(torch.cat((x, y), 1), 2),
    ),
    "stack": (
        lambda mb, x, y: mb.stack(values=[x, y], axis=1),
        [A, A],
        lambda x, y: torch.stack((x, y), 1),
    ),
    "split": (
        lambda mb, x: mb.split(x=x, num_splits=2, axis=-1),
        [A],
        lambda x: x.split(2, -1),
    ),
    "split sizes": (
        lambda mb, x: mb.split(x=x, split_sizes=[1, 3], axis=2),
        [A],
        lambda x: x.split([1, 3], 2),
    ),
    "slice_by_index": (
        lambda mb, x: mb.slice_by_index(
            x=x,
            begin=[1, -2, 0],
            end=[0, 3, 4],
            stride=[1, 1, 2],
            begin_mask=[False, False, True],
            end_mask=[True, False, False],
        ),
        [A],
        lambda x: x[1:, -2:3, :4:2],
    ),
    "slice_by_index one": (
        lambda mb, x: mb.slice_by_index(
            x=x, begin=[1, 0, 0], end=[0, 2, 4], squeeze_mask=[True, False, False]
        ),
        [A],
        lambda x: x[1, 0:2, 0:4],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_operation_equals_torch(case: str, tmp_path: Path) -> None:
    build, shapes, reference = CASES[case]
    inputs = [torch.from_numpy(generator.standard_normal(s).astype(np.float32)) for s in shapes]
    expected = reference(*inputs)
    expected = expected if isinstance(expected, tuple) else (expected,)
    program = compiled(tmp_path, to_model(build, *shapes))

    found = evaluate(program, *inputs)

    assert program.operations[case.split()[0]] >= 1
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, wanted.numpy(), rtol=2e-6, atol=2e-6)
    both = [torch.stack([value, 0.5 * value]) for value in inputs]
    photos = dict(zip(program.inputs, both, strict=True))
    many = program.run_many(photos, Arithmetic.STORAGE)
    for place in (0, 1):
        alone = evaluate(program, *(value[place] for value in both))
        for name, value in zip(program.outputs, alone, strict=True):
            np.testing.assert_allclose(many[name][place].numpy(), value, rtol=2e-6, atol=2e-6)


def test_every_handler_has_a_case() -> None:
    assert set(OPERATIONS) == {case.split()[0] for case in CASES}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_arguments_and_defaults_are_those_of_the_operation_set(name: str) -> None:
    import inspect

    import coremltools as ct
    from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry

    versions = SSAOpRegistry.core_ops[name]
    newest = max((v for v in versions if v.value <= ct.target.iOS16.value), key=lambda v: v.value)
    known = versions[newest].input_spec.input_types
    build = OPERATIONS[name].build
    parameters = inspect.signature(build).parameters

    tensors = {"weight", "bias"} | ({"gamma", "beta"} if name == "layer_norm" else set())
    constants = {key for key, kind in known.items() if getattr(kind, "const", False)} - tensors
    # Constant in every program that has a fixed shape.
    runtime = {"shape", "begin", "end"} | ({"pad"} if name == "pad" else set())

    assert set(parameters) - runtime == constants
    for key, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and name != "layer_norm":
            assert not known[key].optional, f"{key} may be left out of {name}"
