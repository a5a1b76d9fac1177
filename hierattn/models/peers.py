"""The comparison networks, from torchvision and timm, always with random weights.

To add one: write its row in :data:`PEERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from hierattn.models._torchvision import import_timm, import_torchvision

BATCH_NORM_MOMENTUM = 0.1
"""PyTorch's own, for all networks alike. torchvision gives MnasNet 0.0003 and MobileNetV3 0.01, for
trainings of a million steps: after a few hundred, their running statistics would not have left
their start, and the network would be judged by noise."""


@dataclass(frozen=True)
class Peer:
    """One comparison network; ``identifier`` is its name in ``library``, ``paper`` defines it."""

    name: str
    library: str
    identifier: str
    paper: str

    def build(self, num_classes: int) -> nn.Module:
        """The network with random weights and ``num_classes`` outputs. Never downloads."""
        network = _BUILDERS[self.library](self.identifier, num_classes)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = BATCH_NORM_MOMENTUM
        return network


def _build_torchvision(identifier: str, num_classes: int) -> nn.Module:
    return import_torchvision().models.get_model(identifier, weights=None, num_classes=num_classes)


def _build_timm(identifier: str, num_classes: int) -> nn.Module:
    return import_timm().create_model(identifier, pretrained=False, num_classes=num_classes)


_BUILDERS: dict[str, Callable[[str, int], nn.Module]] = {
    "torchvision": _build_torchvision,
    "timm": _build_timm,
}

PEERS = (
    Peer("mobilenet_v2", "torchvision", "mobilenet_v2", "arXiv 1801.04381"),
    Peer("mobilenet_v3_large", "torchvision", "mobilenet_v3_large", "arXiv 1905.02244"),
    Peer("shufflenet_v2_x1_0", "torchvision", "shufflenet_v2_x1_0", "arXiv 1807.11164"),
    Peer("mnasnet1_0", "torchvision", "mnasnet1_0", "arXiv 1807.11626"),
    Peer("efficientnet_b0", "torchvision", "efficientnet_b0", "arXiv 1905.11946"),
    Peer("mobilevit_s", "timm", "mobilevit_s", "arXiv 2110.02178"),
)
