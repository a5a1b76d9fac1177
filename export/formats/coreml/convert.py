"""Conversion of torch networks to ML programs with coremltools."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from export.formats.conversion_input import ExportSource, converter_errors
from export.formats.coreml.classifier import PROBABILITIES, Classifier
from export.formats.coreml.converter import load_coremltools
from export.formats.coreml.package import StoredModel, stored_model

INPUT, LOGITS = "input", "logits"


def convert_graph(source: ExportSource, *, half: bool) -> StoredModel:
    """Convert a network, batch size 1, for iOS 16.

    Args:
        source: its options choose an image as input, and probabilities as a second output.
        half: compute in half precision; input and outputs stay float32.

    Raises:
        ExportError: the converter refused.
    """
    ct = load_coremltools()
    size = source.image_size
    shape = (1, 3, size, size)
    options = source.options
    if options.coreml_image_input:
        entry: Any = ct.ImageType(
            name=INPUT, shape=shape, scale=1 / 255, color_layout=ct.colorlayout.RGB
        )
    else:
        entry = ct.TensorType(name=INPUT, shape=shape, dtype=np.float32)
    graph, names = source.graph, [LOGITS]
    if options.coreml_classifier:
        point = source.description.operating_point
        graph, names = Classifier(graph, point.temperature).eval(), [LOGITS, PROBABILITIES]
    precision = ct.precision.FLOAT16 if half else ct.precision.FLOAT32
    with converter_errors("Core ML: the network cannot be converted"):
        exported = torch.export.export(graph, (torch.zeros(shape),)).run_decompositions({})
        converted = ct.convert(
            exported,
            convert_to="mlprogram",
            minimum_deployment_target=ct.target.iOS16,
            compute_precision=precision,
            inputs=[entry],
            outputs=[ct.TensorType(name=name, dtype=np.float32) for name in names],
            skip_model_load=True,
        )
    return stored_model(converted)
