"""Compressed storage of weights, in float16 or int8, widened to float32 when the file is loaded.

Arithmetic stays float32, for which every CPU has kernels. ONNX Runtime folds Cast and Mul of
stored tensors at load; a DequantizeLinear it would keep and run at every inference.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from export.formats.onnx.graph import constants, sort_constants

if TYPE_CHECKING:
    import onnx_ir as ir

SMALLEST_HALF = 512
"""Elements; smaller constants, such as the stem's weights and all biases, save next to nothing.

On the shipped checkpoint the stem's 432 weights alone make the float16 file's largest relative
error 0.008; without them it is 0.0004.
"""

SMALLEST_INT8 = 4096
"""Elements; smaller weights, such as the stem's, lose most of the accuracy and save little.

On the shipped checkpoint the 432 weights of the stem alone make 0.027 of relative error in the
logits, all weights above this size together 0.002.
"""


def store_as_half(graph: ir.Graph) -> int:
    """Keep float32 constants in float16, each with a Cast; returns how many.

    Small ones stay, so do factors, which may be the scales of int8 weights.
    """
    import onnx_ir as ir

    widening: list[ir.Node] = []
    for value in constants(graph):
        array = _float_array(value, SMALLEST_HALF)
        if array is None or np.abs(array).max() > np.finfo(np.float16).max:
            continue
        if any(use.node.op_type == "Mul" for use in value.uses()):
            continue
        name = value.name or ""
        half = ir.val(f"{name}.half", const_value=ir.tensor(array.astype(np.float16)))
        widening.append(_cast(half, f"{name}.float"))
        value.replace_all_uses_with(widening[-1].outputs[0])
        graph.register_initializer(half)
    return _put_first(graph, widening)


def store_as_int8(graph: ir.Graph, kinds: Collection[str]) -> int:
    """Keep weights of some operators in int8, each with a Cast and a Mul; returns how many.

    Symmetric, one scale for each output channel of a Conv, for each column of a matrix.
    """
    import onnx_ir as ir

    widening: list[ir.Node] = []
    for value in constants(graph):
        array = _float_array(value, SMALLEST_INT8)
        uses = value.uses()
        if array is None or not all(use.node.op_type in kinds and use.idx == 1 for use in uses):
            continue
        axis = 0 if next(iter(uses)).node.op_type == "Conv" else array.ndim - 1
        levels, scale = quantise_symmetric(array, axis)
        name = value.name or ""
        small = ir.val(f"{name}.int8", const_value=ir.tensor(levels))
        factor = ir.val(f"{name}.scale", const_value=ir.tensor(scale))
        cast = _cast(small, f"{name}.levels")
        widened = ir.node("Mul", [cast.outputs[0], factor], name=f"{name}.float")
        widened.outputs[0].name = widened.name
        value.replace_all_uses_with(widened.outputs[0])
        graph.register_initializer(small)
        graph.register_initializer(factor)
        widening += [cast, widened]
    return _put_first(graph, widening) // 2


def quantise_symmetric(
    array: np.ndarray, axis: int, largest: int = 127
) -> tuple[np.ndarray, np.ndarray]:
    """Levels int8 from -largest to largest; float32 scale of each index of ``axis``.

    The scale broadcasts against the levels; ``levels * scale`` is within half a scale of ``array``.
    """
    others = tuple(index for index in range(array.ndim) if index != axis)
    peak = np.abs(array).max(axis=others, keepdims=True)
    scale = np.where(peak > 0, peak / largest, 1).astype(np.float32)
    return np.clip(np.rint(array / scale), -largest, largest).astype(np.int8), scale


def _float_array(value: ir.Value, smallest: int) -> np.ndarray | None:
    tensor = value.const_value
    if tensor is None or tensor.dtype.name != "FLOAT" or tensor.size < smallest:
        return None
    return tensor.numpy()


def _cast(value: ir.Value, name: str) -> ir.Node:
    import onnx_ir as ir

    node = ir.node("Cast", [value], {"to": ir.DataType.FLOAT}, name=name)
    node.outputs[0].name = name
    return node


def _put_first(graph: ir.Graph, widening: list[ir.Node]) -> int:
    graph.insert_before(graph[0], widening)
    sort_constants(graph)
    return len(widening)
