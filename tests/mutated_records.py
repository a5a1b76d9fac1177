"""Whole records, weights and networks for :mod:`tests.mutated_files`: what others may send."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from ai_edge_litert import schema_py_generated as schema
from safetensors.torch import save

from benchmarks.results import read_results
from export.formats.tflite.flatbuffer import pack, read_tflite
from export.schema.apple_record import read_apple_record
from export.schema.manifest import read_manifest
from export.schema.parity import ParityRecord, PhotoAnswer, read_parity_record
from hierattn.models.pretrained.weights import read_state_dict
from hierattn.runs import read_config
from tests.benchmarks.helpers import results, row
from tests.export.schema.test_manifest import document

SHIPPED = Path(__file__).parents[1] / "hierattn" / "checkpoints" / "hierattn_xs.pad_ufes_20"


def records() -> Iterator[tuple[str, bytes, Callable[[Path], object]]]:
    """Name of the file, its whole content, and what reads it."""
    yield "config.json", (SHIPPED / "config.json").read_bytes(), read_config
    yield "manifest.json", document().to_json().encode(), lambda path: read_manifest(path.parent)
    yield "results.json", results(row()).model_dump_json(by_alias=True).encode(), read_results
    answers = ParityRecord(
        torch="2", golden={"a": [0.5, 1.0]}, artefacts={"a.onnx": {"a": [0.5, 1.0]}},
        photos=[PhotoAnswer(file="a/1.jpg", label="a", logits=[1.0, 2.0])],
    )  # fmt: skip
    yield "parity.json", answers.model_dump_json().encode(), read_parity_record
    yield "apple_record.json", _apple_record().encode(), read_apple_record
    weights = {"layer.weight": torch.ones(4, 3), "layer.bias": torch.zeros(4)}
    yield "model.safetensors", save(weights), read_state_dict
    buffer = io.BytesIO()
    torch.save({"state_dict": weights}, buffer)
    yield "weights.pt", buffer.getvalue(), read_state_dict
    yield "file.tflite", _network(), lambda path: read_tflite(path.read_bytes(), path)


def _apple_record() -> str:
    row = {"path": "a.mlpackage", "sha256": "0" * 64, "units": "ALL", "logits": {"a.png": [0.5]}}
    fields = {"system": "macOS 15.1", "machine": "arm64", "coremltools": "9.0", "rows": [row]}
    return json.dumps({"schema": 1, "swift_tests": 76, "simulator_build": "passed", **fields})


def _network() -> bytes:
    """One operator between two tensors."""
    code = schema.OperatorCodeT()
    code.deprecatedBuiltinCode = code.builtinCode = schema.BuiltinOperator.LOGISTIC
    tensors = []
    for name in (b"in", b"out"):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, [1, 4], 0
        tensors.append(tensor)
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0], [1]
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, [operator], [0], [1]
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers = [schema.BufferT()]
    return pack(model)
