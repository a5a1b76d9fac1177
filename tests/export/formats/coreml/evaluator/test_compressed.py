from __future__ import annotations

from pathlib import Path
from typing import Any

import coremltools as ct
import coremltools.optimize.coreml as cto
import numpy as np
import pytest
import torch
from torch import nn

from export.errors import ArtefactError, UnsupportedOperationError
from export.formats.coreml.evaluator import Program, compile_program, read_package
from export.formats.coreml.evaluator.kinds import FP16, FP32, INT8, INT32, UINT8, UINT32, Kind
from export.formats.coreml.evaluator.operations import COMPRESSED
from export.formats.coreml.evaluator.values import Constant
from export.formats.coreml.package import stored_model
from tests.export.formats.coreml.evaluator.programs import evaluate, operation_of, save

generator = np.random.default_rng(3)


def constants(**values: tuple[Kind, Any]) -> dict[str, Constant]:
    return {name: Constant(kind, np.array(v, kind.dtype)) for name, (kind, v) in values.items()}


@pytest.mark.parametrize("kind", [FP16, FP32])
@pytest.mark.parametrize("stored", [INT8, UINT8])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_affine_equals_the_formula(kind: Kind, stored: Kind, axis: int) -> None:
    limits = np.iinfo(stored.dtype)
    data = generator.integers(limits.min, limits.max + 1, (3, 4, 5))
    scale, zero = (
        generator.random((data.shape[axis],)),
        generator.integers(0, 100, data.shape[axis]),
    )
    values = constants(
        quantized_data=(stored, data),
        scale=(kind, scale),
        zero_point=(stored, zero),
        axis=(INT32, axis),
    )

    dense = COMPRESSED["constexpr_affine_dequantize"](values, "here")

    for index in range(data.shape[axis]):
        exact = scale.astype(kind.dtype).astype(np.float64)[index] * (
            data.take(index, axis).astype(np.float64) - zero[index]
        )
        found = dense.value.take(index, axis)
        np.testing.assert_array_equal(found, exact.astype(np.float32).astype(kind.dtype))
    assert dense.kind is kind


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 8])
def test_palettes_unpack_least_significant_bit_first(bits: int) -> None:
    table, shape = generator.standard_normal(2**bits), (3, 7)
    indices = generator.integers(0, 2**bits, 21)
    stream = sum(int(index) << (bits * place) for place, index in enumerate(indices))
    packed = list(stream.to_bytes(-(-21 * bits // 8), "little"))
    values = constants(indices=(UINT8, packed), lut=(FP32, table), shape=(UINT32, shape))

    dense = COMPRESSED["constexpr_lut_to_dense"](values, "here")

    expected = table.astype(np.float32)[indices].reshape(shape)
    np.testing.assert_array_equal(dense.value, expected)


def test_sparse_puts_numbers_where_the_mask_is_set() -> None:
    values = constants(
        nonzero_data=(FP32, [5.0, 6.0, 7.0]), mask=(UINT8, [0b10000010, 1]), shape=(UINT32, [3, 3])
    )
    dense = COMPRESSED["constexpr_sparse_to_dense"](values, "here")
    np.testing.assert_array_equal(dense.value, [[0, 5, 0], [0, 0, 0], [0, 6, 7]])


WRONG: dict[str, tuple[str, dict[str, tuple[Kind, Any]]]] = {
    "axis": ("constexpr_affine_dequantize", {"axis": (INT32, 2)}),
    "scale length": ("constexpr_affine_dequantize", {"scale": (FP32, [1, 1, 1])}),
    "scale kind": ("constexpr_affine_dequantize", {"scale": (INT32, [1, 1])}),
    "zero point kind": ("constexpr_affine_dequantize", {"zero_point": (FP32, 0)}),
    "more": ("constexpr_affine_dequantize", {"offset": (INT8, 0)}),
    "table": ("constexpr_lut_to_dense", {"lut": (FP32, [1, 2, 3])}),
    "too few indices": ("constexpr_lut_to_dense", {"indices": (UINT8, [1])}),
    "too many bits": ("constexpr_lut_to_dense", {"indices": (UINT8, [1, 255])}),
    "huge": ("constexpr_lut_to_dense", {"shape": (UINT32, [2**31, 2**31])}),
    "mask": ("constexpr_sparse_to_dense", {"mask": (UINT8, [255, 1])}),
}
RIGHT: dict[str, dict[str, tuple[Kind, Any]]] = {
    "constexpr_affine_dequantize": {
        "quantized_data": (INT8, [[1], [2]]),
        "scale": (FP32, [1, 2]),
        "zero_point": (INT8, 0),
        "axis": (INT32, 0),
    },
    "constexpr_lut_to_dense": {
        "indices": (UINT8, [3, 1]),
        "lut": (FP32, [1, 2]),
        "shape": (UINT32, [9]),
    },
    "constexpr_sparse_to_dense": {
        "nonzero_data": (FP32, [5]),
        "mask": (UINT8, [4, 0]),
        "shape": (UINT32, [9]),
    },
}


@pytest.mark.parametrize("case", WRONG)
def test_refuses_what_does_not_fit(case: str) -> None:
    kind, change = WRONG[case]
    COMPRESSED[kind](constants(**RIGHT[kind]), "here")
    with pytest.raises((ArtefactError, UnsupportedOperationError), match=r"^here: "):
        COMPRESSED[kind](constants(**{**RIGHT[kind], **change}), "here")


@pytest.fixture(scope="module")
def layers() -> nn.Module:
    torch.manual_seed(2)
    parts = [nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.Flatten()]
    return nn.Sequential(*parts, nn.Linear(16 * 4, 40)).eval()


@pytest.fixture(scope="module")
def converted(layers: nn.Module) -> Any:
    exported = torch.export.export(layers, (torch.zeros(1, 3, 4, 4),)).run_decompositions({})
    return ct.convert(
        exported,
        minimum_deployment_target=ct.target.iOS16,
        compute_precision=ct.precision.FLOAT32,
        outputs=[ct.TensorType(name="logits")],
        skip_model_load=True,
    )


def program_of(folder: Path, model: Any) -> Program:
    return compile_program(read_package(save(folder, stored_model(model))))


@pytest.mark.parametrize("scheme", ["int8", "uint8 with zero point", "6-bit palette", "sparse"])
def test_compressed_weights_equal_decompressed_ones(
    scheme: str, converted: Any, tmp_path: Path
) -> None:
    def settings(config: Any) -> cto.OptimizationConfig:
        return cto.OptimizationConfig(global_config=config)

    if scheme == "6-bit palette":
        palette = cto.OpPalettizerConfig(mode="uniform", nbits=6, weight_threshold=100)
        model = cto.palettize_weights(converted, settings(palette))
    elif scheme == "sparse":
        pruning = cto.OpMagnitudePrunerConfig(target_sparsity=0.6, weight_threshold=100)
        model = cto.prune_weights(converted, settings(pruning))
    else:
        symmetric = scheme == "int8"
        linear = cto.OpLinearQuantizerConfig(
            mode="linear_symmetric" if symmetric else "linear",
            dtype="int8" if symmetric else "uint8",
            weight_threshold=100,
        )
        model = cto.linear_quantize_weights(converted, settings(linear))
    program = program_of(tmp_path / "compressed", model)
    plain = program_of(tmp_path / "plain", cto.decompress_weights(model))
    images = torch.rand(1, 3, 4, 4)

    found, expected = evaluate(program, images), evaluate(plain, images)

    kinds = [kind for kind in program.operations if kind.startswith("constexpr_")]
    assert len(kinds) == 1 and program.operations[kinds[0]] == 3
    assert not [kind for kind in plain.operations if kind.startswith("constexpr_")]
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6, atol=1e-6)


def test_unknown_argument_of_a_constant_expression_is_refused(
    converted: Any, tmp_path: Path
) -> None:
    linear = cto.OpLinearQuantizerConfig(weight_threshold=100)
    model = cto.linear_quantize_weights(converted, cto.OptimizationConfig(global_config=linear))
    stored = stored_model(model)
    operation = operation_of(stored, "constexpr_affine_dequantize")
    operation.attributes["block"].CopyFrom(operation.attributes["axis"])
    with pytest.raises(UnsupportedOperationError, match="argument 'block' is not known"):
        compile_program(read_package(save(tmp_path, stored)))
