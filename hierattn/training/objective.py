"""Training objectives: the loss on an augmented batch, and metrics on validation photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hierattn.inference import TorchPredictor, predict_logits
from hierattn.metrics.classification import balanced_accuracy, confusion_matrix, top1_accuracy
from hierattn.preprocessing import PreprocessSpec
from hierattn.training.distributed import ProcessGroup
from hierattn.training.recipe.augment import mix
from hierattn.training.recipe.config import TrainingConfig


@dataclass(frozen=True)
class TrainingPhotos:
    """Decoded photos: pixels uint8 [N, S, S, 3] and labels int64 [N]."""

    pixels: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Validation:
    """Figures of one epoch; None for what was not judged."""

    loss: float | None = None
    accuracy: float | None = None
    balanced_accuracy: float | None = None


class Objective(Protocol):
    """What is learnt."""

    def loss(
        self, network: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator
    ) -> Tensor:
        """The loss of float images [B, 3, S, S] in [0, 1] with int64 labels [B]."""

    def validate(
        self, model: nn.Module, photos: TrainingPhotos, indices: np.ndarray, bf16: bool
    ) -> Validation:
        """Judge a model on some of the photos; every process calls it with the same arguments."""


class Classification:
    """Cross-entropy against the labels.

    Args:
        config: mixing, smoothing and logit adjustment.
        group: this process.
        classes: number of classes.
        shares: float [K], share of each class in an epoch, for the logit adjustment.
    """

    def __init__(
        self,
        config: TrainingConfig,
        group: ProcessGroup,
        classes: int,
        shares: np.ndarray,
    ) -> None:
        self.config, self.group, self.classes = config, group, classes
        prior = torch.from_numpy(shares).float().clamp_min(1e-8).log()
        self._adjustment = (config.logit_adjustment * prior).to(group.device)

    def loss(
        self, network: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator
    ) -> Tensor:
        """See :class:`Objective`."""
        config = self.config
        targets = F.one_hot(labels, self.classes).float()
        images, targets = mix(images, targets, config.mixup, config.cutmix, generator)
        return self.loss_of(images, network(images).float(), targets)

    def loss_of(self, images: Tensor, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of the network's answers.

        Args:
            images: what it was shown, float [B, 3, S, S].
            logits: float [B, K].
            targets: float [B, K], rows sum to 1.
        """
        return F.cross_entropy(
            logits + self._adjustment, targets, label_smoothing=self.config.label_smoothing
        )

    def validate(
        self, model: nn.Module, photos: TrainingPhotos, indices: np.ndarray, bf16: bool
    ) -> Validation:
        """See :class:`Objective`."""
        group, labels = self.group, photos.labels[indices]
        mine = np.array_split(indices, group.size)[group.rank]
        predictor = TorchPredictor(model, group.device, bf16=bf16)
        part = np.zeros((0, self.classes))
        if len(mine):
            spec = PreprocessSpec(image_size=self.config.image_size)
            part = predict_logits(predictor, photos.pixels, spec, indices=mine)
        logits = torch.from_numpy(group.gather(part))
        loss = float(F.cross_entropy(logits, torch.from_numpy(labels)))
        confusion = confusion_matrix(labels, logits.argmax(1).numpy(), self.classes)
        return Validation(loss, top1_accuracy(confusion), balanced_accuracy(confusion))
