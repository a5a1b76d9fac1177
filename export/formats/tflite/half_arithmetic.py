"""Last pass of the fp16 precision: the file allows runtimes to compute in half precision.

LiteRT reads the metadata entry of TFLite's converter and has XNNPACK compute in float16 where the
processor does so natively (ARMv8.2 and newer). Elsewhere, as on x86 without AVX-512 FP16, the entry
changes nothing. Processors differ in what they answer then: an app must test itself, and have a
float32 file to fall back on.
"""

from __future__ import annotations

from typing import Any

from export.errors import ExportError
from export.formats.tflite.flatbuffer import operator_kinds
from export.formats.tflite.standard_metadata import add_metadata

HINT_NAME, HINT = "reduced_precision_support", b"fp16accfp16"


def allow_half_arithmetic(model: Any) -> None:
    """Add the hint to a ``ModelT``.

    Raises:
        ExportError: a product that LiteRT 2.3 refuses in half precision, so that the whole file
            would not open on such a phone; names it.
    """
    place = constant_product(model)
    if place is not None:
        graph = model.subgraphs[0]
        name = graph.tensors[graph.operators[place].outputs[0]].name.decode("utf-8", "replace")
        raise ExportError(
            f"{name}: a BATCH_MATMUL with a constant, which LiteRT refuses to open where it "
            "computes in half precision; make it a linear layer, or leave fp16 out (--precision)"
        )
    add_metadata(model, HINT_NAME, HINT)


def constant_product(model: Any) -> int | None:
    """Index of the first BATCH_MATMUL with a constant side; None where there is none."""
    graph, stored = model.subgraphs[0], constants(model)
    for place, kind in enumerate(operator_kinds(model)):
        if kind == "BATCH_MATMUL" and not stored.keys().isdisjoint(
            int(index) for index in graph.operators[place].inputs
        ):
            return place
    return None


def constants(model: Any) -> dict[int, int]:
    """Tensors that are the same at every run: for each, by number, the tensor that the file stores.

    That is itself, or for one stored in float16 and widened by DEQUANTIZE the stored one.
    """
    graph = model.subgraphs[0]
    stored = {
        index: index
        for index, tensor in enumerate(graph.tensors)
        if (data := model.buffers[tensor.buffer].data) is not None and len(data)
    }
    for operator, kind in zip(graph.operators, operator_kinds(model), strict=True):
        if kind == "DEQUANTIZE" and int(operator.inputs[0]) in stored:
            stored[int(operator.outputs[0])] = stored[int(operator.inputs[0])]
    return stored
