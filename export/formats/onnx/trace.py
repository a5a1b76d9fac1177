"""Every intermediate value of an ONNX file, for traces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx

from export.formats.interface import TracedTensor
from export.formats.onnx.engine import Engine
from export.formats.onnx.reading import INPUT, OUTPUT
from export.runtime.engine import runtime_errors


def trace_model(model: onnx.ModelProto, path: Path, image: np.ndarray) -> Iterator[TracedTensor]:
    """Every float value that depends on the image, in execution order, without optimisation."""
    known = {INPUT}
    seen: list[tuple[str, str]] = []
    for node in model.graph.node:
        if known.intersection(node.input):
            known.update(node.output)
            seen += [(name, node.op_type) for name in node.output if name]
    names = [name for name, _ in seen if name != OUTPUT]
    open_ended = onnx.ModelProto()
    open_ended.CopyFrom(model)
    open_ended.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    engine = Engine(open_ended.SerializeToString(), 1, 1, optimise=False)
    with runtime_errors(engine, path, f"onnxruntime {engine.version}", "cannot run"):
        engine.load()
        found = engine.outputs([OUTPUT, *names], image)
    values = dict(zip([OUTPUT, *names], found, strict=True))
    # The logits last.
    for name, operator in sorted(seen, key=lambda pair: pair[0] == OUTPUT):
        if values[name].dtype == np.float32:
            yield TracedTensor(name, operator, values[name])
