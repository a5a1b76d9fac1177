"""What each operator of a .tflite costs on an ARM64 phone: products, bytes, and its arithmetic.

Read from the file's shapes and types, never measured.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from export.errors import ExportError
from export.formats.interface import OperatorCost
from export.formats.tflite.flatbuffer import item_bits, operator_kinds
from export.formats.tflite.half_arithmetic import HINT_NAME, constants

AT_LOAD = "once, at load"
NOT_DELEGATED = "fp32, not delegated"
DYNAMIC, HALF, PLAIN = "int8 dynamic", "fp16, native", "fp32"

_WEIGHTED = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")


def operator_costs(model: Any, left: Collection[int]) -> list[OperatorCost]:
    """The cost of each operator, in execution order.

    Args:
        model: ``ModelT``.
        left: indices of the operators that the delegate does not take.

    Raises:
        ExportError: a kind of operator whose products cannot be told.
    """
    graph, stored = model.subgraphs[0], constants(model)
    half = any(entry.name == HINT_NAME.encode() for entry in model.metadata or [])
    costs = []
    for place, kind in enumerate(operator_kinds(model)):
        operator = graph.operators[place]
        inputs = {int(index) for index in operator.inputs if index >= 0}
        moved = (inputs - stored.keys()) | {int(index) for index in operator.outputs}
        read = [graph.tensors[stored[index]] for index in inputs & stored.keys()]
        counts = (
            multiply_adds(model, place, kind),
            sum(tensor_bytes(tensor) for tensor in read if _is_weight(tensor)),
            sum(tensor_bytes(graph.tensors[index]) for index in moved),
        )
        name = graph.tensors[operator.outputs[0]].name.decode("utf-8", "replace")
        if inputs <= stored.keys():
            costs.append(OperatorCost(name, kind, 0, 0, 0, AT_LOAD))
            continue
        arithmetic = _arithmetic(graph, operator, stored, half)
        costs.append(
            OperatorCost(name, kind, *counts, NOT_DELEGATED if place in left else arithmetic)
        )
    return costs


def multiply_adds(model: Any, place: int, kind: str) -> int:
    """Multiply-adds of one operator; 0 for all but products and convolutions.

    Raises:
        ExportError: a transposed convolution, which no file of this project has.
    """
    if kind in _WEIGHTED:
        return products(model, place)
    graph = model.subgraphs[0]
    operator = graph.operators[place]
    if kind == "BATCH_MATMUL":
        left, made = (graph.tensors[i].shape for i in (operator.inputs[0], operator.outputs[0]))
        inner = left[-2 if operator.builtinOptions.adjX else -1]
        return int(np.prod(made, dtype=np.int64)) * int(inner)
    if kind == "TRANSPOSE_CONV":
        raise ExportError("products of TRANSPOSE_CONV are not counted")
    return 0


def products(parsed: Any, place: int) -> int:
    """Multiply-adds of a linear layer or a convolution, depthwise ones included."""
    graph = parsed.subgraphs[0]
    operator = graph.operators[place]
    weights, made = (graph.tensors[index] for index in (operator.inputs[1], operator.outputs[0]))
    positions = int(np.prod(made.shape[:-1], dtype=np.int64))
    return positions * int(np.prod(weights.shape, dtype=np.int64))


def tensor_bytes(tensor: Any) -> int:
    """Bytes of a tensor as the file declares it."""
    return int(np.prod(tensor.shape, dtype=np.int64)) * item_bits(tensor.type) // 8


def _is_weight(tensor: Any) -> bool:
    """Whether a constant is read at every run, unlike the numbers of a shape or a padding."""
    from ai_edge_litert.schema_py_generated import TensorType

    return tensor.type in (TensorType.FLOAT32, TensorType.FLOAT16, TensorType.INT8)


def _arithmetic(graph: Any, operator: Any, stored: dict[int, int], half: bool) -> str:
    from ai_edge_litert.schema_py_generated import TensorType

    kept = [graph.tensors[stored[int(i)]].type for i in operator.inputs if int(i) in stored]
    fed = [graph.tensors[i].type for i in operator.inputs if i >= 0 and int(i) not in stored]
    if TensorType.INT8 in kept and TensorType.FLOAT32 in fed:
        return DYNAMIC
    if TensorType.FLOAT32 not in fed:
        return "integer"
    return HALF if half else PLAIN
