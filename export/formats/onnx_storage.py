"""Weights stored in fewer bits that the runtime widens once, when it loads the file.

Arithmetic stays float32, which every CPU has kernels for. ONNX Runtime folds Cast and Mul of
stored tensors at load; a DequantizeLinear it would keep and run at every inference.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from export.formats.onnx_graph import constants, sort_constants

if TYPE_CHECKING:
    import onnx_ir as ir

SMALLEST = 128
"""Elements below which widening nodes cost more bytes than they save, or nearly so."""


def store_as_half(graph: ir.Graph) -> int:
    """Keep large float32 constants in float16, each with a Cast; returns how many."""
    import onnx_ir as ir

    widening: list[ir.Node] = []
    for value in constants(graph):
        array = _large_float(value)
        if array is None or np.abs(array).max() > np.finfo(np.float16).max:
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
        array = _large_float(value)
        uses = value.uses()
        if array is None or not all(use.node.op_type in kinds and use.idx == 1 for use in uses):
            continue
        axis = 0 if uses[0].node.op_type == "Conv" else array.ndim - 1
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


def quantise_symmetric(array: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Levels int8 in [-127, 127], and the float32 scale of each index of ``axis``, broadcastable.

    ``levels * scale`` differs from ``array`` by at most half a scale.
    """
    others = tuple(index for index in range(array.ndim) if index != axis)
    peak = np.abs(array).max(axis=others, keepdims=True)
    scale = np.where(peak > 0, peak / 127, 1).astype(np.float32)
    return np.clip(np.rint(array / scale), -127, 127).astype(np.int8), scale


def _large_float(value: ir.Value) -> np.ndarray | None:
    tensor = value.const_value
    if tensor is None or tensor.dtype.name != "FLOAT" or tensor.size < SMALLEST:
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
