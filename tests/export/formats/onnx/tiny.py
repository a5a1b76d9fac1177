"""A network that exports fast, with a layer of every kind that int8 treats apart."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from export.formats.conversion_input import ExportSource
from export.schema.metadata import Description, Precision
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.preprocessing import PreprocessSpec

SIZE = 32
CLASSES = ["MEL", "NEV", "né vus, «autre»"]


class Tiny(nn.Module):
    """A small and a large convolution, two linear layers that read one tensor, a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, stride=4, padding=1)
        self.conv = nn.Conv2d(16, 32, 3, padding=1)
        self.left = nn.Linear(32, 48)
        self.right = nn.Linear(32, 48)
        self.classifier = nn.Linear(48, len(CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """[B, 3, 32, 32] to logits."""
        tokens = self.conv(torch.relu(self.stem(x))).flatten(2).transpose(1, 2)
        flat = tokens.reshape(-1, 32)
        mixed = torch.tanh(self.left(flat)) * self.right(flat)
        return self.classifier(mixed.reshape(-1, 64, 48).mean(1))


def tiny_network() -> nn.Module:
    """With the same weights every time."""
    torch.manual_seed(7)
    return Tiny().eval()


def tiny_source(graph: nn.Module | None = None, calibrated: bool = True) -> ExportSource:
    """Ready to export."""
    point = OperatingPoint(temperature=1.5, fitted_on="nothing")
    description = Description(
        model="tiny",
        precision=Precision.FP32,
        classes=CLASSES,
        image_size=SIZE,
        preprocessing=PreprocessSpec(image_size=SIZE),
        operating_point=point,
        weights_sha256="0" * 64,
        licence="CC0-1.0",
        intended_use="tests",
    )
    return ExportSource(graph or tiny_network(), description, images(4) if calibrated else None)


def images(count: int, seed: int = 0) -> np.ndarray:
    """Random inputs float32 [count, 3, 32, 32] in [0, 1]."""
    return np.random.default_rng(seed).random((count, 3, SIZE, SIZE), np.float32)
