"""TFLite flatbuffers as Python objects: reading, bounds checks, and deterministic packing."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from export.errors import ArtefactError

IDENTIFIER = b"TFL3"
BUFFER_ALIGNMENT = 16
"""Bytes; the schema's ``force_align`` of a buffer's data."""

# Far above our models (about 1000); a damaged count must not make the parser run for hours.
_MOST_ENTRIES = 50_000

_LARGEST_SHORT_CODE = 127
"""The schema's ``PLACEHOLDER_FOR_GREATER_OP_CODES``: such codes are in the wide field alone."""


def read_tflite(content: bytes, path: Path) -> tuple[Any, bytes]:
    """Parse and check the model at the start of ``content``; what follows it is ignored.

    Returns:
        ``ModelT`` of ``ai_edge_litert.schema_py_generated``, with one subgraph, whose tensors,
        operators and buffers all refer to one another within bounds; and the same packed again.
        A runtime follows the offsets of a flatbuffer unchecked, and a damaged one crashes it; the
        repacked bytes have none out of bounds. For files of this project they equal the file.

    Raises:
        ArtefactError: not a whole .tflite file.
    """
    from ai_edge_litert import schema_py_generated as schema

    if len(content) < 8 or content[4:8] != IDENTIFIER:
        raise ArtefactError(f"{path}: not a .tflite file; export it again")
    # What reading out of bounds raises in Python's flatbuffers and in numpy.
    parsing = (struct.error, ValueError, TypeError, IndexError, RuntimeError, OverflowError)
    try:
        _check_counts(schema.Model.GetRootAs(content), path)
        model = schema.ModelT.InitFromPackedBuf(content)
        _check_references(model, path)
        packed = pack(model)
    except (*parsing, AttributeError, KeyError, MemoryError) as error:
        raise ArtefactError(f"{path}: the .tflite file is damaged; export it again") from error
    return model, packed


def _check_counts(model: Any, path: Path) -> None:
    counts = [model.SubgraphsLength(), model.OperatorCodesLength(), model.BuffersLength()]
    counts += [model.MetadataLength(), model.SignatureDefsLength(), model.MetadataBufferLength()]
    if model.SubgraphsLength() == 1:
        subgraph = model.Subgraphs(0)
        counts += [subgraph.TensorsLength(), subgraph.OperatorsLength()]
        counts += [subgraph.InputsLength(), subgraph.OutputsLength()]
    if model.SubgraphsLength() != 1 or max(counts) > _MOST_ENTRIES:
        raise ArtefactError(f"{path}: not one plain graph, as our .tflite files are")


def _check_references(model: Any, path: Path) -> None:
    """Check every index that a runtime follows unchecked."""
    graph = model.subgraphs[0]
    tensors, operators = graph.tensors or [], graph.operators or []
    for operator in operators:
        if not 0 <= operator.opcodeIndex < len(model.operatorCodes or []):
            raise IndexError("operator code")
        _check_indices(operator.inputs, len(tensors), lowest=-1)
        _check_indices(operator.outputs, len(tensors))
    for tensor in tensors:
        tensor.name.decode("utf-8")
        _check_tensor(tensor, model.buffers)
    for entry in model.metadata or []:
        entry.name.decode("utf-8")
        _check_indices([entry.buffer], len(model.buffers))
    for ends in (graph.inputs, graph.outputs):
        if ends is None or len(ends) != 1:
            raise ArtefactError(f"{path}: has not one input and one output, as our files have")
        _check_indices(ends, len(tensors))
    for signature in model.signatureDefs or []:
        for entry in [*(signature.inputs or []), *(signature.outputs or [])]:
            entry.name.decode("utf-8")
            _check_indices([entry.tensorIndex], len(tensors))


def _check_indices(indices: Any, count: int, lowest: int = 0) -> None:
    found = np.asarray(indices if indices is not None else [], dtype=np.int64)
    if found.size and (found.min() < lowest or found.max() >= count):
        raise IndexError("tensor")


def _check_tensor(tensor: Any, buffers: Any) -> None:
    if not 0 <= tensor.buffer < len(buffers):
        raise IndexError("buffer")
    shape = np.asarray(tensor.shape if tensor.shape is not None else [], dtype=np.int64)
    if (shape < 0).any() or tensor.isVariable or tensor.sparsity is not None:
        raise ValueError("tensor")
    data, width = buffers[tensor.buffer].data, item_bits(tensor.type)
    if data is not None and len(data) and len(data) * 8 != int(np.prod(shape)) * width:
        raise ValueError("buffer size")


def item_bits(kind: int) -> int:
    """Bits of one number of a tensor type.

    Raises:
        KeyError: a type that no file of this project has.
    """
    from ai_edge_litert.schema_py_generated import TensorType

    bits = {
        TensorType.FLOAT32: 32,
        TensorType.FLOAT16: 16,
        TensorType.INT32: 32,
        TensorType.INT8: 8,
        TensorType.UINT8: 8,
        TensorType.INT16: 16,
        TensorType.INT64: 64,
        TensorType.BOOL: 8,
    }
    return bits[kind]


def operator_kinds(model: Any) -> list[str]:
    """Kind of each operator, in execution order, such as ``CONV_2D``."""
    from ai_edge_litert.schema_py_generated import BuiltinOperator

    names = {value: name for name, value in vars(BuiltinOperator).items() if name.isupper()}
    codes = [names.get(code.builtinCode, "unknown") for code in model.operatorCodes]
    return [codes[operator.opcodeIndex] for operator in model.subgraphs[0].operators or []]


def pack(model: Any) -> bytes:
    """Flatbuffer bytes that depend on the model alone, with every constant inside and aligned.

    The quantiser's own writer puts constants after the flatbuffer, where runtimes of 2023 do not
    look; and it leaves the older, byte-wide field of an operator's code at 0, which OpenVINO and
    tf2onnx take for ADD. Both fields are written as the schema says.
    """
    import flatbuffers  # type: ignore[import-untyped]

    builder = flatbuffers.Builder(1 << 20)
    for code in model.operatorCodes or []:
        code.deprecatedBuiltinCode = min(code.builtinCode, _LARGEST_SHORT_CODE)
    plain = model.buffers
    model.buffers = [_AlignedBuffer(buffer.data) for buffer in plain]
    try:
        builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    finally:
        model.buffers = plain
    return bytes(builder.Output())


class _AlignedBuffer:
    """Packs like a schema buffer, with the alignment that the schema demands."""

    def __init__(self, data: np.ndarray | None) -> None:
        self.data = data

    def Pack(self, builder: Any) -> int:  # noqa: N802 - the name that the schema's code calls
        """Write the buffer; returns its offset."""
        from ai_edge_litert import schema_py_generated as schema

        place = None
        if self.data is not None:
            content = bytes(self.data)
            builder.StartVector(1, len(content), BUFFER_ALIGNMENT)
            builder.head = builder.Head() - len(content)
            builder.Bytes[builder.Head() : builder.Head() + len(content)] = content
            place = builder.EndVector()
        schema.BufferStart(builder)
        if place is not None:
            schema.BufferAddData(builder, place)
        return int(schema.BufferEnd(builder))
