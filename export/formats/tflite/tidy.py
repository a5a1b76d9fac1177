"""Clean-up of converted .tflite models: tensor names from modules, one copy of each constant."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import nn

INPUT_NAME, OUTPUT_NAME = "input", "logits"
DESCRIPTION = b"HierAttn Mobile"


def tidy(model: Any, network: nn.Module) -> None:
    """Give tensors short names, input and output stable ones; drop incidental metadata.

    Equal constants are stored once. A tensor is named after the module of ``network``, the
    converted one, that makes it. The converter's own names take 8 % of a small file, and where
    two modules are alike it names the second after the first; their weights tell them apart.
    """
    graph = model.subgraphs[0]
    scopes, owners = _scope_names(network), _weight_owners(network)
    makers = {}
    for operator in graph.operators:
        weights = graph.tensors[operator.inputs[1]] if len(operator.inputs) > 1 else None
        data = model.buffers[weights.buffer].data if weights is not None else None
        if data is not None and (owner := owners.get(_digest(data))):
            makers[int(operator.outputs[0])] = owner
    counts: Counter[str] = Counter()
    for index, tensor in enumerate(graph.tensors):
        base = makers.get(index) or _module_of(tensor.name.decode("utf-8", "replace"), scopes)
        tensor.name = f"{base}:{counts[base]}".encode()
        counts[base] += 1
    model.metadata, model.metadataBuffer, model.description = None, None, DESCRIPTION
    name_input_output(model)
    share_buffers(model)


def _scope_names(root: nn.Module) -> dict[str, str]:
    """The converter's scope of each module to the module's own dotted path.

    The converter writes ``package.Class_attribute/package.Class_attribute`` after the root's
    class.
    """
    names: dict[str, str] = {}

    def visit(module: nn.Module, scope: str, path: str) -> None:
        names[scope] = path
        for attribute, child in module.named_children():
            kind = f"{type(child).__module__}.{type(child).__qualname__}"
            visit(child, f"{scope}/{kind}_{attribute}", f"{path}.{attribute}".lstrip("."))

    visit(root, f"{type(root).__module__}.{type(root).__qualname__}", "")
    return {scope: _without_wrapper(path) for scope, path in names.items()}


def _weight_owners(root: nn.Module) -> dict[bytes, str]:
    """Digest of each stored matrix or kernel, as TFLite lays it out, to its module's path."""
    owners: dict[bytes, str] = {}
    for name, tensor in [*root.named_parameters(), *root.named_buffers()]:
        if tensor.dim() == 4:
            # Channels last; a depthwise kernel has its channels at the end.
            layouts = [tensor.permute(0, 2, 3, 1), tensor.permute(1, 2, 3, 0)]
        else:
            layouts = [tensor] if tensor.dim() == 2 else []
        for layout in layouts:
            content = layout.detach().contiguous().numpy().tobytes()
            owners.setdefault(_digest(content), _without_wrapper(name.rpartition(".")[0]))
    return owners


def _without_wrapper(path: str) -> str:
    """Module path without the wrapper that takes channels-last images."""
    return path.removeprefix("wrapped").removeprefix(".")


def _digest(data: Any) -> bytes:
    return hashlib.sha256(bytes(data)).digest()


def _module_of(name: str, scopes: dict[str, str]) -> str:
    """The innermost module in a converter's tensor name.

    A tensor that several modules were fused into names all of them; the last one made it.
    """
    for part in reversed(name.split(";")):
        scope = part
        while scope:
            if scopes.get(scope):
                return scopes[scope]
            scope = scope.rpartition("/")[0]
    return "constant" if name.startswith("arith.") else "graph"


def name_input_output(model: Any) -> None:
    """Give input and output their stable names, in the graph and its signature."""
    graph = model.subgraphs[0]
    graph.name = b"main"
    graph.tensors[graph.inputs[0]].name = INPUT_NAME.encode()
    graph.tensors[graph.outputs[0]].name = OUTPUT_NAME.encode()
    for signature in model.signatureDefs or []:
        signature.inputs[0].name = INPUT_NAME.encode()
        signature.outputs[0].name = OUTPUT_NAME.encode()


def share_buffers(model: Any) -> None:
    """Store equal constants once, and none for tensors that are computed."""
    from ai_edge_litert.schema_py_generated import BufferT

    kept = [BufferT()]
    places: dict[bytes, int] = {}
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        if data is None or len(data) == 0:
            tensor.buffer = 0
            continue
        content = bytes(data)
        digest = _digest(content)
        if digest not in places:
            places[digest] = len(kept)
            buffer = BufferT()
            buffer.data = np.frombuffer(content, dtype=np.uint8)
            kept.append(buffer)
        tensor.buffer = places[digest]
    model.buffers = kept
