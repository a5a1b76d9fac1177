"""Safe reading of untrusted ONNX files: parsing, refusal of external data, facts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from export.errors import ArtefactError
from export.formats.interface import FileFacts
from export.schema.file_facts import InputFacts, OutputFacts
from export.schema.metadata import METADATA_KEY, Description, parse_description

if TYPE_CHECKING:
    import onnx

INPUT, OUTPUT = "input", "logits"
LARGEST_FILE = 2**30
"""Bytes. Protobuf itself ends at 2 GiB."""


def read_model(path: Path) -> tuple[bytes, onnx.ModelProto]:
    """Read a file and parse it; nothing outside the file is touched.

    Raises:
        ArtefactError: missing, too large, not an ONNX model, or one with parts that this project
            never writes (data in other files, subgraphs, custom operators).
    """
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    if not path.exists():
        raise ArtefactError(f"{path}: no such file")
    if not path.is_file():
        raise ArtefactError(f"{path}: a folder, not an ONNX file")
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ArtefactError(f"{path}: larger than {LARGEST_FILE >> 20} MiB; not one of ours")
        content = path.read_bytes()
        model = onnx.ModelProto.FromString(content)
    except OSError as error:
        raise ArtefactError(f"{path}: {error.strerror}") from error
    except DecodeError as error:
        raise ArtefactError(f"{path}: not an ONNX file, or a damaged one") from error
    if not model.graph.node:  # an empty file is a valid, empty model
        raise ArtefactError(f"{path}: not an ONNX file, or one without a graph")
    if not all(isinstance(text, str) for text in _texts(model)):
        raise ArtefactError(f"{path}: damaged; a name in it is not text")
    unexpected = _unexpected_part(model)
    if unexpected is not None:
        raise ArtefactError(f"{path}: holds {unexpected}, which our files never do; not loaded")
    return content, model


def read_description(model: onnx.ModelProto, path: Path) -> Description:
    """The metadata in the file, checked against its input and output.

    Raises:
        ArtefactError: there is none, or it does not fit the graph.
    """
    found = {prop.key: prop.value for prop in model.metadata_props}
    description = parse_description(found.get(METADATA_KEY), path)
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if [value.name for value in inputs] != [INPUT]:
        raise ArtefactError(f"{path}: its inputs are not just '{INPUT}'; not one of our files")
    if [value.name for value in model.graph.output] != [OUTPUT]:
        raise ArtefactError(f"{path}: its outputs are not just '{OUTPUT}'; not one of our files")
    size, classes = description.image_size, len(description.classes)
    if _shape(inputs[0])[1:] != [3, size, size] or inputs[0].type.tensor_type.elem_type != 1:
        raise ArtefactError(f"{path}: its input is not float32 [N, 3, {size}, {size}]")
    output = model.graph.output[0]
    if _shape(output)[1:] != [classes] or output.type.tensor_type.elem_type != 1:
        raise ArtefactError(f"{path}: its output is not float32 [N, {classes}], one a class")
    return description


def file_facts(model: onnx.ModelProto) -> FileFacts:
    """Operators, input and output of a model that :func:`read_description` accepted."""
    weights = {tensor.name for tensor in model.graph.initializer}
    shape = next(_shape(value) for value in model.graph.input if value.name not in weights)
    kinds = Counter(node.op_type for node in model.graph.node)
    return FileFacts(
        input=InputFacts(name=INPUT, layout="NCHW", dtype="float32", shape=shape),
        output=OutputFacts(name=OUTPUT),
        operators=dict(sorted(kinds.items())),
    )


def _shape(value: onnx.ValueInfoProto) -> list[int]:
    """Dimensions; -1 where any size is accepted."""
    dims = value.type.tensor_type.shape.dim
    return [dim.dim_value if dim.HasField("dim_value") else -1 for dim in dims]


def _unexpected_part(model: onnx.ModelProto) -> str | None:
    graph = model.graph
    if model.functions or model.training_info:
        return "functions"
    if graph.sparse_initializer:
        return "sparse weights"
    tensors = list(graph.initializer)
    for node in graph.node:
        if node.domain not in ("", "ai.onnx"):
            return f"an operator of '{node.domain}'"
        for attribute in node.attribute:
            if attribute.HasField("g") or attribute.graphs:
                return "a subgraph"
            if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
                return "sparse weights"
            tensors += [attribute.t, *attribute.tensors]
    if any(tensor.data_location or tensor.external_data for tensor in tensors):
        return "weights kept in another file"
    return None


def _texts(model: onnx.ModelProto) -> list[object]:
    """All names. Protobuf gives bytes where a string's bytes are not UTF-8."""
    graph = model.graph
    texts: list[object] = []
    for value in (*graph.input, *graph.output):
        texts += [value.name, *(dim.dim_param for dim in value.type.tensor_type.shape.dim)]
    for node in graph.node:
        texts += [node.name, node.op_type, node.domain, *node.input, *node.output]
        texts += [attribute.name for attribute in node.attribute]
    texts += [tensor.name for tensor in graph.initializer]
    for prop in model.metadata_props:
        texts += [prop.key, prop.value]
    return texts
