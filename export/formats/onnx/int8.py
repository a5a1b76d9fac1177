"""Dynamic int8 quantisation of linear layers: input ranges are computed at run time.

Dynamic ranges need no margin for photos unlike the calibrated ones, and the result of a product
stays float32. Measured on the shipped checkpoint, this keeps predictions that static ranges change,
and it is as fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from export.formats.onnx.graph import sort_constants
from export.formats.onnx.storage import quantise_symmetric

if TYPE_CHECKING:
    import onnx_ir as ir

_PEAK = 63
"""Largest level of a weight. Without VNNI, x86 adds two products of uint8 by int8 in 16 bits;
255 * 63 * 2 fits, 255 * 127 * 2 would saturate silently."""


def quantise_linears(graph: ir.Graph) -> int:
    """Quantise all linear layers but the last to dynamic int8; returns how many.

    ``x @ W + b`` becomes DynamicQuantizeLinear, MatMulInteger (uint8 by int8, one scale for each
    column of W), Cast, Mul and Add, which ONNX Runtime fuses when it loads the file. Layers that
    read the same tensor share its quantisation.
    """
    quantised: dict[ir.Value, ir.Node] = {}
    changed = 0
    for node in graph:
        weight = None if node.outputs[0].is_graph_output() else linear_weight(node)
        if weight is not None:
            _quantise(graph, node, weight, quantised)
            changed += 1
    sort_constants(graph)
    return changed


def linear_weight(node: ir.Node) -> np.ndarray | None:
    """The float32 weight [inputs, outputs] of a linear layer, else None.

    That is a Gemm that computes ``x @ W + b``, or a MatMul whose only reader adds a bias; without
    one it may as well be a pooling matrix, whose input is a map.
    """
    stored = node.inputs[1].const_value if len(node.inputs) > 1 and node.inputs[1] else None
    if stored is None or stored.dtype.name != "FLOAT" or len(stored.shape) != 2:
        return None
    if node.op_type == "MatMul":
        return stored.numpy() if _is_biased(node.outputs[0]) else None
    settings = {name: attribute.value for name, attribute in node.attributes.items()}
    plain = settings.get("alpha", 1) == 1 and settings.get("beta", 1) == 1
    if node.op_type != "Gemm" or settings.get("transA") or not plain:
        return None
    return stored.numpy().T if settings.get("transB") else stored.numpy()


def _is_biased(product: ir.Value) -> bool:
    readers = [use.node for use in product.uses()]
    if len(readers) != 1 or readers[0].op_type != "Add":
        return False
    terms = [value.const_value for value in readers[0].inputs if value is not None]
    return any(term is not None and len(term.shape) == 1 for term in terms)


def _quantise(
    graph: ir.Graph, node: ir.Node, weight: np.ndarray, quantised: dict[ir.Value, ir.Node]
) -> None:
    import onnx_ir as ir

    data, output = node.inputs[0], node.outputs[0]
    if data is None:
        return
    nodes: list[ir.Node] = []

    def add(kind: str, inputs: list[ir.Value], suffix: str, to: int | None = None) -> ir.Value:
        attributes = {} if to is None else {"to": to}
        nodes.append(_named(ir.node(kind, inputs, attributes), f"{output.name}.{suffix}"))
        return nodes[-1].outputs[0]

    def store(suffix: str, array: np.ndarray) -> ir.Value:
        value = ir.val(f"{output.name}.{suffix}", const_value=ir.tensor(array))
        graph.register_initializer(value)
        return value

    if data not in quantised:
        quantised[data] = ir.node("DynamicQuantizeLinear", [data], num_outputs=3)
        nodes.append(_named(quantised[data], f"{data.name}.levels", "", ".scale", ".zero"))
    small, step, zero = quantised[data].outputs
    levels, scale = quantise_symmetric(weight, 1, _PEAK)
    product = add(
        "MatMulInteger", [small, store("int8", np.ascontiguousarray(levels)), zero], "sum"
    )
    wide = add("Cast", [product], "wide", to=ir.DataType.FLOAT.value)
    factor = add("Mul", [step, store("scale", scale.reshape(-1))], "factor")
    last = add("Mul", [wide, factor], "scaled")
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    if bias is not None:
        last = add("Add", [last, bias], "biased")
    ir.convenience.replace_nodes_and_values(graph, node, [node], nodes, [output], [last])
    nodes[-1].name = last.name


def _named(node: ir.Node, name: str, *suffixes: str) -> ir.Node:
    node.name = name
    for value, suffix in zip(node.outputs, suffixes or ("",), strict=True):
        value.name = name + suffix
    return node
