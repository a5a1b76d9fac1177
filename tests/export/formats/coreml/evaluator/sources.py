"""Networks on their way into Core ML packages, for several test files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import nn

from export.formats.conversion_input import ExportSource, FormatOptions
from export.formats.coreml.format import CoremlFormat
from export.schema.metadata import Description, Precision
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.preprocessing import PreprocessSpec

CLASSES = ["melanoma", "naevus", "other"]
SIZE = 32


def describe(size: int, classes: list[str]) -> Description:
    return Description(
        model="tiny",
        precision=Precision.FP32,
        classes=classes,
        image_size=size,
        preprocessing=PreprocessSpec(image_size=size),
        operating_point=OperatingPoint(temperature=1.6),
        weights_sha256="ab" * 32,
        licence="CC BY 4.0",
        intended_use="Research. Not a medical device.",
    )


def source_of(
    graph: nn.Module,
    size: int = SIZE,
    options: FormatOptions = FormatOptions(),  # noqa: B008 - frozen
) -> ExportSource:
    photos = np.random.default_rng(0).random((2, 3, size, size), np.float32)
    return ExportSource(graph, describe(size, CLASSES), photos, options)


def tiny_network() -> nn.Module:
    torch.manual_seed(4)
    parts = [nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.SiLU(), nn.Conv2d(16, 64, 3)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, len(CLASSES))]
    return nn.Sequential(*parts, nn.ReLU(), *head).eval()


def images_of(count: int, size: int = SIZE) -> np.ndarray:
    pixels = np.random.default_rng(9).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    return PreprocessSpec(image_size=size).to_input(pixels)


def relative_error(found: np.ndarray, graph: nn.Module, images: np.ndarray) -> float:
    with torch.inference_mode():
        expected = graph(torch.from_numpy(images)).numpy()
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def package_hash(path: Path) -> str:
    parts = [
        f"{file.relative_to(path)} {hashlib.sha256(file.read_bytes()).hexdigest()}"
        for file in sorted(path.rglob("*"))
        if file.is_file()
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def export_all(source: ExportSource, folder: Path) -> dict[Precision, Path]:
    exporter, workspace = CoremlFormat(), folder / "workspace"
    workspace.mkdir(parents=True)
    converted = exporter.convert(source, workspace)
    files = {}
    for precision in Precision:
        files[precision] = folder / f"tiny-{precision}.mlpackage"
        exporter.write(converted, source, precision, files[precision])
    return files
