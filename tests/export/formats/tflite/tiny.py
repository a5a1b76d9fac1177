"""A network small enough to convert in seconds, with the operators that int8 treats apart."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from export.formats.conversion_input import ExportSource
from export.schema.metadata import Description, Precision
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.models.blocks import ConvNormAct, MBConv
from hierattn.preprocessing import PreprocessSpec

SIZE = 32
CLASSES = ["MEL", "NEV", "né vus, «autre»"]


class Tiny(nn.Module):
    """Convolutions light and heavy, a gate, a residual, two alike linear layers, a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNormAct(3, 16, kernel=3, stride=2)
        self.block = MBConv(16, 16, stride=1, expand=2)
        self.dense = ConvNormAct(16, 32, kernel=3)
        self.left = nn.Linear(32, 96)
        self.right = nn.Linear(32, 96)
        self.norm = nn.LayerNorm(96)
        self.classifier = nn.Linear(96, len(CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """[B, 3, 32, 32] to logits."""
        tokens = self.dense(self.block(self.stem(x))).flatten(2).transpose(1, 2)
        mixed = self.left(tokens).softmax(dim=-1) * self.right(tokens)
        return self.classifier(self.norm(mixed).mean(1))


def tiny_network(seed: int = 7) -> nn.Module:
    """With the same weights every time, batch norms as after training."""
    torch.manual_seed(seed)
    network = Tiny()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return network.eval()


def tiny_description(precision: Precision = Precision.FP32) -> Description:
    """Of the tiny network."""
    return Description(
        model="tiny",
        precision=precision,
        classes=CLASSES,
        image_size=SIZE,
        preprocessing=PreprocessSpec(image_size=SIZE),
        operating_point=OperatingPoint(temperature=1.5, fitted_on="nothing"),
        weights_sha256="0" * 64,
        licence="CC0-1.0",
        intended_use="tests",
    )


def tiny_source(calibrated: bool = True) -> ExportSource:
    """Ready to export."""
    return ExportSource(tiny_network(), tiny_description(), images(8) if calibrated else None)


def images(count: int, seed: int = 0) -> np.ndarray:
    """Smooth noise, float32 [N, 3, 32, 32] in [0, 1]."""
    coarse = np.random.default_rng(seed).random((count, 3, SIZE // 4, SIZE // 4), np.float32)
    return coarse.repeat(4, axis=2).repeat(4, axis=3)
