"""The comparison networks and the teachers, from torchvision and timm, with random weights.

To add one: write its row in :data:`PEERS` or :data:`TEACHERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from hierattn.models._torchvision import import_timm, import_torchvision

BATCH_NORM_MOMENTUM = 0.1
"""PyTorch's own, for all networks alike. torchvision gives MnasNet 0.0003 and MobileNetV3 0.01, for
trainings of a million steps: after a few hundred, their running statistics would not have left
their start, and the network would be judged by noise."""


@dataclass(frozen=True)
class Peer:
    """One network of a library.

    Attributes:
        name: what users type.
        library: ``torchvision`` or ``timm``.
        identifier: its name there.
        paper: what defines it.
        stages: its modules that give the last feature maps at 1/2, 1/4, 1/8, 1/16 and 1/32 of the
            input.
        centred: whether its published weights want pixels in [-1, 1] instead of [0, 1].
    """

    name: str
    library: str
    identifier: str
    paper: str
    stages: tuple[str, str, str, str, str]
    centred: bool = False

    def build(self, num_classes: int) -> nn.Module:
        """The network with random weights and ``num_classes`` outputs. Never downloads."""
        network = _BUILDERS[self.library](self.identifier, num_classes)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = BATCH_NORM_MOMENTUM
        return CentredInput(network) if self.centred else network


class CentredInput(nn.Module):
    """A network that wants [-1, 1] behind the [0, 1] that all networks here are given."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """[B, 3, H, W] in [0, 1] to the network's output."""
        return self.network(x * 2 - 1)


def _build_torchvision(identifier: str, num_classes: int) -> nn.Module:
    return import_torchvision().models.get_model(identifier, weights=None, num_classes=num_classes)


def _build_timm(identifier: str, num_classes: int) -> nn.Module:
    return import_timm().create_model(identifier, pretrained=False, num_classes=num_classes)


_BUILDERS: dict[str, Callable[[str, int], nn.Module]] = {
    "torchvision": _build_torchvision,
    "timm": _build_timm,
}

PEERS = (
    Peer(
        "mobilenet_v2",
        "torchvision",
        "mobilenet_v2",
        "arXiv 1801.04381",
        ("features.1", "features.3", "features.6", "features.13", "features.18"),
    ),
    Peer(
        "mobilenet_v3_large",
        "torchvision",
        "mobilenet_v3_large",
        "arXiv 1905.02244",
        ("features.1", "features.3", "features.6", "features.12", "features.16"),
    ),
    Peer(
        "shufflenet_v2_x1_0",
        "torchvision",
        "shufflenet_v2_x1_0",
        "arXiv 1807.11164",
        ("conv1", "maxpool", "stage2", "stage3", "conv5"),
    ),
    Peer(
        "mnasnet1_0",
        "torchvision",
        "mnasnet1_0",
        "arXiv 1807.11626",
        ("layers.7", "layers.8", "layers.9", "layers.11", "layers.16"),
    ),
    Peer(
        "efficientnet_b0",
        "torchvision",
        "efficientnet_b0",
        "arXiv 1905.11946",
        ("features.1", "features.2", "features.3", "features.5", "features.8"),
    ),
    Peer(
        "mobilevit_s",
        "timm",
        "mobilevit_s",
        "arXiv 2110.02178",
        ("stages.0", "stages.1", "stages.2", "stages.3", "final_conv"),
    ),
)

_LITE_STAGES = (
    "network.blocks.0",
    "network.blocks.1",
    "network.blocks.2",
    "network.blocks.4",
    "network.conv_head",
)
TEACHERS = tuple(
    Peer(
        f"efficientnet_lite{size}",
        "timm",
        f"tf_efficientnet_lite{size}",
        "arXiv 1905.11946, its Lite variants",
        _LITE_STAGES,
        centred=True,
    )
    for size in range(3)
)
"""Networks whose ImageNet weights can be had under Apache-2.0: to teach, or to fine-tune."""
