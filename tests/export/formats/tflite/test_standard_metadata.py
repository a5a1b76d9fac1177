from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from export.formats.interface import Quantisation
from export.formats.tflite.archive import split_archive
from export.formats.tflite.flatbuffer import pack, read_tflite
from export.formats.tflite.interpreter import open_interpreter
from export.formats.tflite.standard_metadata import (
    HALF_ARITHMETIC,
    HINT_NAME,
    METADATA_IDENTIFIER,
    METADATA_NAME,
    allow_half_arithmetic,
    standard_metadata,
)
from export.schema.metadata import Precision
from tests.export.formats.tflite.tiny import tiny_description

Written = dict[Precision, tuple[Path, Quantisation]]


def entries(path: Path) -> dict[str, bytes]:
    model, _ = read_tflite(split_archive(path.read_bytes(), path)[0], path)
    return {
        entry.name.decode(): bytes(model.buffers[entry.buffer].data) for entry in model.metadata
    }


def test_every_file_carries_tflite_metadata(tiny_tflite: Written) -> None:
    for precision, (path, _) in tiny_tflite.items():
        found = entries(path)[METADATA_NAME]
        assert found == standard_metadata(tiny_description(precision))
        assert found[4:8] == METADATA_IDENTIFIER
        assert b"labels.txt" in found and np.float32(255).tobytes() in found


def test_only_half_files_may_be_computed_in_half(tiny_tflite: Written) -> None:
    hints = {kind: entries(path).get(HINT_NAME) for kind, (path, _) in tiny_tflite.items()}
    assert hints == {
        Precision.FP32: None,
        Precision.FP16: HALF_ARITHMETIC,
        Precision.INT8: None,
    }
    assert "float16 on processors" in tiny_tflite[Precision.FP16][1].scheme


def product(left_is_stored: bool) -> Any:
    """A ModelT: 4 x 4 matrix times the input, or the input times it."""
    from ai_edge_litert import schema_py_generated as schema

    model, graph, code = schema.ModelT(), schema.SubGraphT(), schema.OperatorCodeT()
    code.builtinCode, code.version = schema.BuiltinOperator.BATCH_MATMUL, 1
    empty, matrix = schema.BufferT(), schema.BufferT()
    matrix.data = np.frombuffer(np.eye(4, dtype=np.float32).tobytes(), np.uint8)
    graph.tensors = []
    for name, buffer in (("input", 0), ("matrix", 1), ("logits", 0)):
        tensor = schema.TensorT()
        tensor.name, tensor.buffer, tensor.shape = name.encode(), buffer, np.array([4, 4], np.int32)
        graph.tensors.append(tensor)
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = ([1, 0] if left_is_stored else [0, 1]), [2]
    operator.builtinOptionsType = schema.BuiltinOptions.BatchMatMulOptions
    operator.builtinOptions = schema.BatchMatMulOptionsT()
    graph.operators, graph.inputs, graph.outputs = [operator], [0], [2]
    model.version, model.subgraphs, model.buffers = 3, [graph], [empty, matrix]
    model.operatorCodes = [code]
    return model


def test_a_product_with_a_stored_left_side_gets_no_hint() -> None:
    model = product(left_is_stored=True)
    assert not allow_half_arithmetic(model)
    open_interpreter(pack(model), Path("product.tflite"))
    assert allow_half_arithmetic(product(left_is_stored=False))
