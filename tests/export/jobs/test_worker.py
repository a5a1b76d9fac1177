from __future__ import annotations

from types import SimpleNamespace

import pytest

from export.formats.registry import find_format
from export.jobs.messages import Job
from export.jobs.worker import _graphs
from export.schema.metadata import Precision
from hierattn.models.registry import create_model


@pytest.mark.parametrize(
    ("graph", "size", "format_name", "expected"),
    [
        ("deploy", 256, "tflite", [["fp32", "fp16"], ["int8"]]),
        ("deploy", 128, "tflite", [["fp32", "fp16", "int8"]]),
        ("deploy", 256, "onnx", [["fp32", "fp16", "int8"]]),
        ("naive", 256, "tflite", [["fp32", "fp16", "int8"]]),
    ],
)
def test_precisions_of_one_graph_are_converted_together(
    graph: str, size: int, format_name: str, expected: list[list[str]]
) -> None:
    job = Job.model_construct(
        graph=graph,
        description=SimpleNamespace(image_size=size),
        files=dict.fromkeys(Precision, None),
    )
    model = create_model("hierattn_xs", 2).eval()
    found = [precisions for precisions, _ in _graphs(find_format(format_name), job, model)]
    assert found == expected
