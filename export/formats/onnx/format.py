"""ONNX format: torch's dynamo exporter, simplified, for ONNX Runtime and readers of opset 20."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from export.errors import ExportError
from export.formats.conversion_input import ExportSource
from export.formats.interface import (
    EngineArtefact,
    FileFacts,
    Format,
    TracedTensor,
    check_images,
)
from export.formats.onnx.abilities import ABILITIES
from export.formats.onnx.graph import OPSET, name_after_modules, tidy
from export.formats.onnx.int8 import quantise_linears
from export.formats.onnx.reading import INPUT, OUTPUT, file_facts, read_description, read_model
from export.formats.onnx.storage import store_as_half, store_as_int8
from export.runtime.engine import load_engine
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import METADATA_KEY, Description, Precision
from hierattn.common.files import write_bytes

if TYPE_CHECKING:
    import onnx
    import onnx_ir as ir

_TRACED_BATCH = 4
"""A batch of 1 would be traced as a constant."""

_SLOWER = ["fuse_qkv"]
"""Simplifications left out: one fused query, key and value product, split again, is slower."""

_MOVING = ("Reshape", "Transpose", "Concat", "Split", "Slice", "Squeeze", "Unsqueeze", "Flatten")
"""Operators that only move data."""


class OnnxFormat(Format):
    """``.onnx`` files: opset 20, any batch size, input "input", output "logits"."""

    abilities = ABILITIES

    def convert(self, source: ExportSource, workspace: Path) -> Path:
        """Export, simplify and bring into canonical form: ``workspace/model.onnx``."""
        import onnx
        import onnxsim

        exported = _export(source)
        try:
            simple, _ = onnxsim.simplify(exported, skipped_optimizers=_SLOWER, certify=False)
            model = tidy(simple, source.description.model)
            onnx.checker.check_model(model, full_check=True)
        except (
            RuntimeError,
            onnx.checker.ValidationError,
            onnx.shape_inference.InferenceError,
        ) as error:
            raise ExportError(
                f"onnx: the exported graph is not valid: {_root_cause(error)}"
            ) from error
        path = workspace / "model.onnx"
        write_bytes(path, model.SerializeToString(deterministic=True))
        return path

    def write(
        self, converted: Path, source: ExportSource, precision: Precision, target: Path
    ) -> QuantisationRecord:
        """Bring to a precision and embed the metadata."""
        import onnx
        import onnx_ir as ir

        if precision is Precision.INT8 and source.calibration is None:
            raise ExportError("int8 needs calibration photos; pass --data")
        model = ir.from_proto(onnx.load(converted))
        report = _REDUCTIONS[precision](model.graph)
        written = ir.to_proto(model)
        for key, value in _metadata(source.describe(precision)).items():
            written.metadata_props.add(key=key, value=value)
        onnx.checker.check_model(written, full_check=True)
        write_bytes(target, written.SerializeToString(deterministic=True))
        return report

    def load(self, path: Path, threads: int | None = None) -> EngineArtefact:
        """Load into an ONNX Runtime session on the CPU."""
        from export.formats.onnx.engine import Engine

        content, model = read_model(path)
        description = read_description(model, path)
        # Dynamic ranges span the batch; a result must not depend on the other images in it.
        alone = any(node.op_type == "DynamicQuantizeLinear" for node in model.graph.node)
        engine = Engine(content, threads, batch=1)
        evaluator = f"onnxruntime {engine.version}"
        load_engine(engine, path, evaluator)
        return EngineArtefact(path, engine, description, evaluator, any_batch=not alone)

    def describe(self, path: Path) -> FileFacts:
        """Operators of the stored graph, before the runtime fuses any."""
        _, model = read_model(path)
        read_description(model, path)
        return file_facts(model)

    def read_description(self, path: Path) -> Description:
        """The metadata, checked against the graph's input and output."""
        _, model = read_model(path)
        return read_description(model, path)

    def trace(self, path: Path, image: np.ndarray) -> Iterator[TracedTensor]:
        """Run without the runtime's fusions, so that every value of the file exists."""
        from export.formats.onnx.trace import trace_model

        _, model = read_model(path)
        description = read_description(model, path)
        check_images(image, description.image_size, path, several=False)
        yield from trace_model(model, path, image)


def _export(source: ExportSource) -> onnx.ModelProto:
    import torch

    size = source.image_size
    example = torch.zeros(_TRACED_BATCH, 3, size, size)
    batch = torch.export.Dim("batch", min=1, max=2**16)
    try:
        with torch.no_grad():
            program = torch.onnx.export(
                source.graph.eval(),
                (example,),
                dynamo=True,
                external_data=False,
                input_names=[INPUT],
                output_names=[OUTPUT],
                opset_version=OPSET,
                dynamic_shapes=({0: batch},),
                verbose=False,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        raise ExportError(f"onnx: torch cannot export the network: {_root_cause(error)}") from error
    if program is None:
        raise ExportError("onnx: torch exported nothing")
    name_after_modules(program.model)
    return program.model_proto


def _keep(graph: ir.Graph) -> QuantisationRecord:
    return QuantisationRecord(scheme="float32 throughout", left_in_float={})


def _halve(graph: ir.Graph) -> QuantisationRecord:
    stored = store_as_half(graph)
    return QuantisationRecord(
        scheme=f"{stored} weights stored in float16, widened to float32 when the file is loaded; "
        "arithmetic in float32, which every CPU has",
        left_in_float={},
    )


def _quantise(graph: ir.Graph) -> QuantisationRecord:
    before = _computing(graph)
    linears = quantise_linears(graph)
    left = before & _computing(graph)  # the smaller count: quantisation adds operators of its own
    stored = store_as_int8(graph, ("Conv", "MatMul", "Gemm"))
    halves = store_as_half(graph)
    return QuantisationRecord(
        scheme=f"{linears} linear layers in int8 arithmetic, one scale for each output, inputs "
        f"ranged at run time; {stored} large weights of other layers stored in int8 and {halves} "
        "small ones in float16, widened to float32 when the file is loaded",
        left_in_float=dict(sorted(left.items())),
    )


def _computing(graph: ir.Graph) -> Counter[str]:
    return Counter(node.op_type for node in graph if node.op_type not in _MOVING)


_REDUCTIONS = {Precision.FP32: _keep, Precision.FP16: _halve, Precision.INT8: _quantise}


def _metadata(description: Description) -> dict[str, str]:
    """The metadata, and its main fields again as plain keys for other readers."""
    return {
        METADATA_KEY: description.to_json(),
        "model": description.model,
        "precision": description.precision.value,
        "labels": json.dumps(description.classes, ensure_ascii=False),
        "image_size": str(description.image_size),
        "preprocessing": description.preprocessing.model_dump_json(),
        "output": description.output,
        "temperature": repr(description.operating_point.temperature),
        "licence": description.licence,
        "intended_use": description.intended_use,
    }


def _root_cause(error: BaseException) -> str:
    """First line of the root cause; what wraps it is advice to torch's own developers."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
