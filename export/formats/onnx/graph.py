"""Canonical form of ONNX graphs: names from modules, fixed order, no incidental metadata."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx
    import onnx_ir as ir

OPSET, IR_VERSION = 20, 9
"""Read by ONNX Runtime 1.17 (January 2024) and newer; nothing in the files needs a later IR."""

_SCOPES = "pkg.torch.onnx.name_scopes"
_ROLES = ("data", "weight", "bias")


def name_after_modules(model: ir.Model) -> None:
    """Rename every intermediate value of torch's export to ``<module path>/<operation>``."""
    names = _Names(value.name or "" for value in (*model.graph.inputs, *model.graph.outputs))
    for node in model.graph:
        scopes = ast.literal_eval(node.metadata_props.get(_SCOPES, "[]"))
        path = scopes[-2] if len(scopes) > 1 else ""
        for value in node.outputs:
            if not value.is_graph_output():
                whole = len(scopes) > 0 and value.name == scopes[-1]
                last = _without_number(scopes[-1]) if whole else node.op_type
                value.name = names.take(f"{path}/{last}")


def tidy(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """The same graph in canonical form: its bytes depend on the network alone.

    Args:
        model: torch's export, simplified; values named by :func:`name_after_modules`.
        name: of the graph.
    """
    import onnx_ir as ir
    from onnx_ir.passes import common

    tidied = ir.from_proto(model)
    common.ClearMetadataAndDocStringPass()(tidied)
    common.TopologicalSortPass()(tidied)
    common.RemoveUnusedNodesPass()(tidied)
    common.RemoveUnusedOpsetsPass()(tidied)
    _bias_layer_norms(tidied.graph)
    _name_the_rest(tidied.graph)
    for value in (value for node in tidied.graph for value in node.outputs):
        if not value.is_graph_output():
            value.shape = value.type = None
    tidied.graph.name = name
    tidied.metadata_props.clear()
    tidied.ir_version = IR_VERSION
    tidied.producer_name, tidied.producer_version = "hierattn-mobile", None
    tidied.domain, tidied.doc_string, tidied.model_version = None, None, None
    return ir.to_proto(tidied)


def _bias_layer_norms(graph: ir.Graph) -> None:
    """Give each LayerNormalization without a bias one of zeros.

    The bias is optional, but ONNX Runtime 1.18 ends the whole process where it is missing.
    """
    import onnx_ir as ir

    for node in [node for node in graph if node.op_type == "LayerNormalization"]:
        scale = node.inputs[1].const_value if node.inputs[1] is not None else None
        if scale is None or (len(node.inputs) > 2 and node.inputs[2] is not None):
            continue
        zeros = ir.tensor(np.zeros(scale.shape.numpy(), scale.numpy().dtype))
        bias = ir.val(f"zero bias of {node.outputs[0].name}", const_value=zeros)
        graph.register_initializer(bias)
        node.resize_inputs(3)
        node.replace_input_with(2, bias)


def constants(graph: ir.Graph) -> list[ir.Value]:
    """Stored tensors in the order in which the graph first reads them."""
    used = [value for node in graph for value in node.inputs if value is not None]
    return list(dict.fromkeys(value for value in used if value.is_initializer()))


def sort_constants(graph: ir.Graph) -> None:
    """Sort stored tensors by the order in which the graph first reads them; drop unused ones."""
    ordered = constants(graph)
    graph.initializers.clear()
    for value in ordered:
        graph.register_initializer(value)


def _name_the_rest(graph: ir.Graph) -> None:
    """Name the values that simplification added, then nodes and stored tensors."""
    ends = [value.name or "" for value in (*graph.inputs, *graph.outputs)]
    values = [value for node in graph for value in node.outputs if not value.is_graph_output()]
    kept = [value.name for value in values if value.name and "/" in value.name]
    names = _Names([*ends, *kept])
    path = ""
    for value in reversed(values):  # an added value mostly belongs to the next module
        if value.name and "/" in value.name:
            path = value.name.rpartition("/")[0]
        else:
            producer = value.producer()
            value.name = names.take(f"{path}/{producer.op_type if producer else 'value'}")
    sort_constants(graph)
    stored = list(graph.initializers.values())
    graph.initializers.clear()
    for value in stored:
        use = next(iter(value.uses()))
        role = _ROLES[use.idx] if use.idx < len(_ROLES) else f"input{use.idx}"
        value.name = names.take(f"{use.node.outputs[0].name}.{role}")
        graph.register_initializer(value)
    for node in graph:
        node.name = node.outputs[0].name


class _Names:
    """Unique names: a name that is taken gets a number."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def take(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}.{number}"
        self._taken.add(name)
        return name


def _without_number(name: str) -> str:
    return re.sub(r"_\d+$", "", name)
