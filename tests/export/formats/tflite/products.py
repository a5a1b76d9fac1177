"""Small .tflite models made by hand, such as one product with a constant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from export.formats.tflite.flatbuffer import pack
from export.formats.tflite.half_arithmetic import HINT, HINT_NAME
from export.formats.tflite.standard_metadata import add_metadata

LEFT = np.random.default_rng(0).normal(size=(1, 4, 8)).astype(np.float32)


def product_model(*, left: bool, halved: bool = False) -> Any:
    """A ``ModelT``: the constant times the input, or the input times the constant.

    ``halved``: the constant is stored in float16 and widened.
    """
    model = empty_model()
    graph = model.subgraphs[0]
    fed, made = ((1, 8, 6), (1, 4, 6)) if left else ((1, 6, 4), (1, 6, 8))
    image = add_tensor(model, b"input", fed)
    stored = LEFT.astype(np.float16) if halved else LEFT
    constant = add_tensor(model, b"constant", LEFT.shape, stored)
    if halved:
        widened = add_tensor(model, b"widened", LEFT.shape)
        add_operator(model, "DEQUANTIZE", [constant], widened)
        constant = widened
    logits = add_tensor(model, b"logits", made)
    sides = [constant, image] if left else [image, constant]
    product = add_operator(model, "BATCH_MATMUL", sides, logits)
    product.builtinOptionsType = schema.BuiltinOptions.BatchMatMulOptions
    product.builtinOptions = schema.BatchMatMulOptionsT()
    graph.inputs, graph.outputs = (np.array([index], np.int32) for index in (image, logits))
    return model


def write_product(path: Path, *, left: bool, hint: bool) -> Path:
    """Write the model, with or without the hint that export refuses to give it."""
    model = product_model(left=left)
    if hint:
        add_metadata(model, HINT_NAME, HINT)
    path.write_bytes(pack(model))
    return path


def empty_model() -> Any:
    """A ``ModelT`` with one graph without operators."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
    model.operatorCodes, graph.operators, graph.tensors, graph.name = [], [], [], b"main"
    return model


def add_tensor(
    model: Any, name: bytes, shape: tuple[int, ...], data: np.ndarray | None = None
) -> int:
    """Add a tensor of float32, or of the type of its data; its number."""
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name, np.array(shape, np.int32), 0
    kind = np.dtype(np.float32) if data is None else data.dtype
    tensor.type = getattr(schema.TensorType, kind.name.upper())
    if data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(data.tobytes(), np.uint8)
        tensor.buffer = len(model.buffers)
        model.buffers.append(buffer)
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def add_operator(model: Any, kind: str, inputs: list[int], output: int) -> Any:
    """Add an operator, without options."""
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode, code.version = getattr(schema.BuiltinOperator, kind), 1
    operator.opcodeIndex = len(model.operatorCodes)
    operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
    model.operatorCodes.append(code)
    model.subgraphs[0].operators.append(operator)
    return operator
