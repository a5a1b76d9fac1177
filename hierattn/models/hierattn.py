"""HierAttn xs, s and m: hierarchical attention for skin lesions (Dai et al., arXiv 2205.04326)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from hierattn.models.blocks import BranchAttention, ConvNormAct, MBConv, StageAttention

STEM_CHANNELS = 16
HEAD_DROPOUT = 0.1
DROP_PATH = 0.2


@dataclass(frozen=True)
class StageSpec:
    """One of the layers 3 to 5: its channels, token width and number of transformer blocks."""

    channels: int
    width: int
    depth: int


@dataclass(frozen=True)
class HierAttnSpec:
    """The numbers that tell one HierAttn from another."""

    layer1: int
    layer2: int
    expand: int
    stages: tuple[StageSpec, StageSpec, StageSpec]
    dropout: float


HIERATTN_XS = HierAttnSpec(
    16, 24, 2, (StageSpec(48, 64, 2), StageSpec(64, 80, 4), StageSpec(80, 96, 3)), 0.05
)
HIERATTN_S = HierAttnSpec(
    32, 48, 4, (StageSpec(64, 96, 2), StageSpec(80, 120, 4), StageSpec(96, 144, 3)), 0.1
)
HIERATTN_M = HierAttnSpec(
    32, 64, 4, (StageSpec(96, 144, 2), StageSpec(128, 192, 4), StageSpec(160, 240, 3)), 0.1
)


class HierAttn(nn.Module):
    """Classifier of RGB images in [0, 1], without mean or standard deviation.

    Attributes: ``stem``, ``layer1`` to ``layer5``, ``branch_attention``, ``head``, ``classifier``.
    """

    def __init__(self, spec: HierAttnSpec, num_classes: int = 8) -> None:
        super().__init__()
        self.spec = spec
        third, fourth, fifth = spec.stages
        # Stochastic depth grows over the stride-1 MBConvs of layers 1 and 2.
        drops = [DROP_PATH * step / 3 for step in (1, 2, 3)]
        self.stem = ConvNormAct(3, STEM_CHANNELS, kernel=3, stride=2)
        self.layer1 = nn.Sequential(MBConv(STEM_CHANNELS, spec.layer1, 1, spec.expand, drops[0]))
        self.layer2 = nn.Sequential(
            MBConv(spec.layer1, spec.layer2, 2, spec.expand),
            MBConv(spec.layer2, spec.layer2, 1, spec.expand, drops[1]),
            MBConv(spec.layer2, spec.layer2, 1, spec.expand, drops[2]),
        )
        self.layer3 = _stage(spec.layer2, third, spec)
        self.layer4 = _stage(third.channels, fourth, spec)
        self.layer5 = _stage(fourth.channels, fifth, spec)
        self.branch_attention = BranchAttention()
        folded = sum(stage.channels for stage in spec.stages)
        self.head = ConvNormAct(folded, 4 * folded)
        self.dropout = nn.Dropout(HEAD_DROPOUT)
        self.classifier = nn.Linear(4 * folded, num_classes)
        self.apply(_initialise)

    def forward_stages(self, x: Tensor) -> list[Tensor]:
        """[B, 3, H, W] to the outputs of layers 3, 4 and 5 (H/8, H/16 and H/32, rounded up)."""
        x = self.layer2(self.layer1(self.stem(x)))
        third = self.layer3(x)
        fourth = self.layer4(third)
        return [third, fourth, self.layer5(fourth)]

    def forward_features(self, x: Tensor) -> Tensor:
        """[B, 3, H, W] to the vector the classifier reads, [B, 4 C']."""
        folded = self.branch_attention(self.forward_stages(x))
        # The official code takes the mean of the absolute value; SiLU reaches below zero.
        positions = self.head(folded).abs()
        if self.training:
            # So that the gradient has the order of the map, channels last.
            return positions.permute(0, 2, 3, 1).flatten(1, 2).mean(1)
        return positions.mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """[B, 3, H, W] to logits [B, num_classes]."""
        return self.classifier(self.dropout(self.forward_features(x)))


def hierattn_xs(num_classes: int = 8) -> HierAttn:
    """HierAttn xs: 1.08 M parameters."""
    return HierAttn(HIERATTN_XS, num_classes)


def hierattn_s(num_classes: int = 8) -> HierAttn:
    """HierAttn s: 2.14 M parameters."""
    return HierAttn(HIERATTN_S, num_classes)


def hierattn_m(num_classes: int = 8) -> HierAttn:
    """HierAttn m: 5.44 M parameters."""
    return HierAttn(HIERATTN_M, num_classes)


def _stage(inputs: int, stage: StageSpec, spec: HierAttnSpec) -> nn.Sequential:
    return nn.Sequential(
        MBConv(inputs, stage.channels, 2, spec.expand),
        StageAttention(stage.channels, stage.width, stage.depth, spec.dropout),
    )


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
    elif isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
