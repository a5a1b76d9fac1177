"""Distillation: learning from labels and teachers' logits (Hinton et al., arXiv 1503.02531)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hierattn.training.distributed import ProcessGroup
from hierattn.training.objective import Classification
from hierattn.training.recipe.config import TrainingConfig


class Distillation(Classification):
    """The labels' loss, and the distance to the teachers' answers on the very same pictures.

    With w = ``teacher_weight`` and T = ``teacher_temperature``, the loss is
    (1 - w) * hard + w * T^2 * KL(mean of the teachers' softmax(z / T) || softmax(own z / T)).
    The teachers see each batch as the student does, cropped, coloured and mixed: with fixed
    answers, or on other crops, they teach worse (Beyer et al., arXiv 2106.05237).

    The distance is between the logits that are judged. The logit adjustment is part of the hard
    loss alone: a network that was trained with it answers as if all classes were equally frequent,
    and so does its student.

    Args:
        config: the recipe.
        group: this process.
        classes: number of classes.
        shares: float [K], share of each class in an epoch.
        teachers: networks of the same classes in the same order.
    """

    def __init__(
        self,
        config: TrainingConfig,
        group: ProcessGroup,
        classes: int,
        shares: np.ndarray,
        teachers: Sequence[nn.Module],
    ) -> None:
        super().__init__(config, group, classes, shares)
        self.teachers = [teacher.eval().to(group.device) for teacher in teachers]

    def loss_of(self, images: Tensor, logits: Tensor, targets: Tensor) -> Tensor:
        """See :class:`Classification`."""
        weight, temperature = self.config.teacher_weight, self.config.teacher_temperature
        hard = super().loss_of(images, logits, targets)
        with torch.no_grad():
            answers = [teacher(images).float() for teacher in self.teachers]
        soft = answer_loss(logits, answers, temperature)
        return (1 - weight) * hard + weight * temperature**2 * soft


def answer_loss(logits: Tensor, answers: Sequence[Tensor], temperature: float) -> Tensor:
    """KL divergence from the teachers' mean probabilities to the student's, mean over the batch.

    Args:
        logits: the student's, float [B, K].
        answers: each teacher's logits, float [B, K].
        temperature: what all logits are divided by, above 0.
    """
    wanted = torch.stack([(answer / temperature).softmax(1) for answer in answers]).mean(0)
    return F.kl_div((logits / temperature).log_softmax(1), wanted, reduction="batchmean")
