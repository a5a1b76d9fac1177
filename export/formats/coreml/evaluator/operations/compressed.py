"""Constant expressions of compressed weights: they are decoded when a program is compiled."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from export.errors import ArtefactError, UnsupportedOperationError
from export.formats.coreml.evaluator.kinds import (
    FP16,
    FP32,
    INT8,
    INT32,
    MAXIMUM_ELEMENTS,
    UINT8,
    UINT32,
)
from export.formats.coreml.evaluator.values import Constant


def affine_dequantize(values: Mapping[str, Constant], where: str) -> Constant:
    """scale * (quantized_data - zero_point), one scale for all or one for each index of an axis."""
    _expect(values, {"quantized_data", "zero_point", "scale", "axis"}, where)
    stored, scale = values["quantized_data"], values["scale"]
    zero = values["zero_point"]
    known = stored.kind in (INT8, UINT8) and scale.kind in (FP16, FP32) and zero.kind is stored.kind
    if not known or values["axis"].kind is not INT32 or values["axis"].value.ndim:
        raise UnsupportedOperationError(f"{where}: kinds of numbers that are not known")
    axis, rank = int(values["axis"].value), stored.value.ndim
    if not -rank <= axis < rank:
        raise ArtefactError(f"{where}: axis {axis} of {rank}")
    spread = [1] * rank
    spread[axis] = stored.value.shape[axis]
    for part in (scale.value, zero.value):
        if part.shape not in ((), (spread[axis],)):
            raise ArtefactError(f"{where}: scales do not fit the axis")
    factor = scale.value.reshape(spread if scale.value.ndim else ()).astype(np.float32)
    shift = zero.value.reshape(spread if zero.value.ndim else ()).astype(np.float32)
    # Exact in float32 before the one rounding to the declared kind: 9 bits times 11 or 24 bits.
    dense = factor * (stored.value.astype(np.float32) - shift)
    return Constant(scale.kind, dense.astype(scale.kind.dtype))


def lut_to_dense(values: Mapping[str, Constant], where: str) -> Constant:
    """Look up packed indices, least significant bit first, in a table of 2, 4, 16, 64 or 256."""
    _expect(values, {"indices", "lut", "shape"}, where)
    table, packed = values["lut"], values["indices"]
    if table.kind not in (FP16, FP32) or packed.kind is not UINT8:
        raise UnsupportedOperationError(f"{where}: kinds of numbers that are not known")
    if table.value.shape not in ((2,), (4,), (16,), (64,), (256,)):
        raise UnsupportedOperationError(f"{where}: a table of shape {list(table.value.shape)}")
    width = table.value.size.bit_length() - 1
    shape, count = _shape(values["shape"], where)
    bits = _bits(packed, count * width, where).reshape(count, width)
    indices = bits @ (1 << np.arange(width))
    return Constant(table.kind, table.value[indices].reshape(shape))


def sparse_to_dense(values: Mapping[str, Constant], where: str) -> Constant:
    """Put the stored numbers where the mask, least significant bit first, has a bit; else 0."""
    _expect(values, {"nonzero_data", "mask", "shape"}, where)
    stored = values["nonzero_data"]
    if stored.kind not in (FP16, FP32) or values["mask"].kind is not UINT8:
        raise UnsupportedOperationError(f"{where}: kinds of numbers that are not known")
    shape, count = _shape(values["shape"], where)
    mask = _bits(values["mask"], count, where).astype(bool)
    if stored.value.shape != (int(mask.sum()),):
        raise ArtefactError(f"{where}: the mask does not fit the stored numbers")
    dense = np.zeros(count, stored.kind.dtype)
    dense[mask] = stored.value
    return Constant(stored.kind, dense.reshape(shape))


def _expect(values: Mapping[str, Constant], names: set[str], where: str) -> None:
    for name in sorted(set(values) ^ names):
        known = "is missing" if name in names else "is not known to the evaluator"
        raise UnsupportedOperationError(f"{where}: argument '{name}' {known}")


def _shape(constant: Constant, where: str) -> tuple[tuple[int, ...], int]:
    if constant.kind is not UINT32 or constant.value.ndim != 1:
        raise UnsupportedOperationError(f"{where}: argument 'shape' of another kind or rank")
    shape = tuple(int(side) for side in constant.value)
    if math.prod(shape) > MAXIMUM_ELEMENTS:
        raise ArtefactError(f"{where}: an impossible shape {list(shape)}")
    return shape, math.prod(shape)


def _bits(packed: Constant, count: int, where: str) -> np.ndarray:
    if packed.value.shape != (-(-count // 8),):
        raise ArtefactError(f"{where}: {packed.value.size} bytes for {count} bits")
    bits = np.unpackbits(packed.value, bitorder="little")
    if bits[count:].any():
        raise ArtefactError(f"{where}: bits beyond the last number")
    return bits[:count]


OPERATIONS = {
    "constexpr_affine_dequantize": affine_dequantize,
    "constexpr_lut_to_dense": lut_to_dense,
    "constexpr_sparse_to_dense": sparse_to_dense,
}
