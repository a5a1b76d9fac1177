"""Every model of the list, converted, saved and evaluated."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from export.formats.coreml.artefact import EvaluatedArtefact
from export.formats.coreml.evaluator import Arithmetic
from export.formats.coreml.format import CoremlFormat
from export.passes import deployment_graph
from export.schema.metadata import Precision
from hierattn import create_model, list_models
from tests.export.formats.coreml.evaluator.sources import (
    CLASSES,
    images_of,
    relative_error,
    source_of,
)


def check_model(
    name: str, size: int, folder: Path, half: Arithmetic | None = None, *, naive: bool = False
) -> None:
    """Single precision, and half precision in the given arithmetic, against torch."""
    torch.manual_seed(1)
    model = create_model(name, len(CLASSES)).eval()
    source = source_of(model if naive else deployment_graph(model, size), size)
    exporter, images = CoremlFormat(), images_of(2, size)
    converted = exporter.convert(source, folder)
    single = folder / "fp32.mlpackage"
    exporter.write(converted, source, Precision.FP32, single)
    assert relative_error(exporter.load(single)(images), model, images) <= 1e-5
    if half is not None:
        exporter.write(converted, source, Precision.FP16, folder / "fp16.mlpackage")
        artefact = EvaluatedArtefact(folder / "fp16.mlpackage", arithmetic=half)
        assert relative_error(artefact(images), model, images) <= 1e-2


def test_hierattn_xs(tmp_path: Path) -> None:
    check_model("hierattn_xs", 64, tmp_path)


@pytest.mark.slow
def test_hierattn_xs_in_half_precision(tmp_path: Path) -> None:
    check_model("hierattn_xs", 64, tmp_path, Arithmetic.COMPUTE)


@pytest.mark.slow
def test_untouched_graph(tmp_path: Path) -> None:
    check_model("hierattn_xs", 64, tmp_path, naive=True)


# In untrained networks without layer norm, signals fade below the smallest half-precision number:
# rounding each result leaves nothing of them.
HALF = {"mobilenet_v3_large": Arithmetic.STORAGE, "shufflenet_v2_x1_0": Arithmetic.STORAGE}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(list_models()) - {"hierattn_xs"}))
def test_other_models(name: str, tmp_path: Path) -> None:
    check_model(name, 224, tmp_path, HALF.get(name))
