"""Feature distillation: learning a teacher's features without labels (arXiv 1412.6550)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hierattn.models.features import read_features
from hierattn.preprocessing import PreprocessSpec
from hierattn.training.objective import TrainingPhotos, Validation

_BATCH = 64
_EPSILON = 1e-5


class FeaturePredictor(nn.Module):
    """A network with a linear head on each of its features, which predicts the teacher's.

    Args:
        network: made by ``create_model(name)``; what is kept in the end.
        name: of the registry.
        channels: of the teacher's features, its maps' and its vector's.
    """

    def __init__(self, network: nn.Module, name: str, channels: list[int]) -> None:
        super().__init__()
        self.network, self.name = network, name
        self.maps = len(channels) - 1
        sides = feature_channels(network, name, self.maps)
        pairs = list(zip(sides, channels, strict=True))
        self.heads = nn.ModuleList(nn.Conv2d(own, theirs, 1) for own, theirs in pairs[:-1])
        self.heads.append(nn.Linear(*pairs[-1]))

    def forward(self, images: Tensor) -> list[Tensor]:
        """[B, 3, S, S] to the predicted maps [B, C, H, W] and vector [B, C]."""
        features = read_features(self.network, self.name, images, self.maps)
        return [head(feature) for head, feature in zip(self.heads, features, strict=True)]


class FeatureDistillation:
    """Mean squared error to the teacher's features, each channel standardised over the batch.

    A predictor that knows nothing has a loss of 1; maps and vector count alike.

    Args:
        teacher: in evaluation mode.
        name: the teacher's, of the registry.
        image_size: side of validation images, pixels.
        maps: how many of its feature maps, see :func:`read_features`.
    """

    def __init__(self, teacher: nn.Module, name: str, image_size: int, maps: int) -> None:
        self.teacher, self.name, self.maps = teacher.eval(), name, maps
        self.spec = PreprocessSpec(image_size=image_size)

    def loss(
        self, network: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator
    ) -> Tensor:
        """See :class:`hierattn.training.objective.Objective`; the labels are not looked at."""
        with torch.no_grad():
            wanted = read_features(self.teacher, self.name, images, self.maps)
        return feature_loss(network(images), wanted)

    def validate(
        self, model: nn.Module, photos: TrainingPhotos, indices: np.ndarray, bf16: bool
    ) -> Validation:
        """See :class:`hierattn.training.objective.Objective`."""
        model.eval()
        device = next(model.parameters()).device
        losses = []
        with torch.no_grad():
            for start in range(0, len(indices), _BATCH):
                pixels = photos.pixels[indices[start : start + _BATCH]]
                images = torch.from_numpy(self.spec.to_input(pixels)).to(device)
                wanted = read_features(self.teacher, self.name, images, self.maps)
                losses += [float(feature_loss(model(images), wanted))] * len(pixels)
        return Validation(loss=float(np.mean(losses)))


def feature_loss(predicted: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """Mean over the features of the squared error, the wanted standardised per channel.

    Args:
        predicted: [B, C, H, W] or [B, C].
        wanted: the same channels; maps of another size are resized.
    """
    losses = []
    for own, theirs in zip(predicted, wanted, strict=True):
        if theirs.ndim == 4 and theirs.shape[2:] != own.shape[2:]:
            theirs = F.interpolate(theirs, own.shape[2:], mode="bilinear", antialias=True)
        over = [0, *range(2, theirs.ndim)]
        variance, mean = torch.var_mean(theirs.float(), over, correction=0, keepdim=True)
        losses.append(F.mse_loss(own.float(), (theirs - mean) * (variance + _EPSILON).rsqrt()))
    return torch.stack(losses).mean()


@torch.no_grad()
def feature_channels(network: nn.Module, name: str, maps: int) -> list[int]:
    """Channels of a network's maps and vector; the network is left in the mode it was in."""
    training = network.training
    device = next(network.parameters()).device
    features = read_features(network.eval(), name, torch.zeros(1, 3, 64, 64, device=device), maps)
    network.train(training)
    return [feature.shape[1] for feature in features]
