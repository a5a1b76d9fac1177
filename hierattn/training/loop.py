"""The training loop: runs an epoch, returns its history row and weights; touches no file."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor, nn

from hierattn.errors import TrainingError
from hierattn.inference import to_device
from hierattn.models.depthwise import hasten
from hierattn.preprocessing import PreprocessSpec
from hierattn.training.distributed import ProcessGroup
from hierattn.training.objective import Classification, Objective, TrainingPhotos, Validation
from hierattn.training.recipe.augment import STRENGTHS, augment
from hierattn.training.recipe.config import TrainingConfig
from hierattn.training.recipe.ema import WeightAverage
from hierattn.training.recipe.sampler import class_shares, epoch_order
from hierattn.training.recipe.schedule import learning_rate
from hierattn.training.run.checkpoint import HistoryRow


class TrainingLoop:
    """Model, average and optimiser, one epoch at a time.

    Every random number is a function of (seed, epoch, rank), so an epoch gives the same weights
    whether or not the process was started anew before it.

    Args:
        config: the recipe.
        group: this process among its peers.
        model: the network, on the CPU.
        classes: number of classes.
        photos: pixels and labels; nothing of them is copied but to a GPU.
        training: indices of the photos to learn from.
        validation: indices of the photos to judge each epoch by; may be empty.
        frozen: parameter names that stay put for ``config.freeze_epochs``.
        bf16: whether to autocast to bfloat16.
        objective: what is learnt; the classes, where none is given.
    """

    def __init__(
        self,
        config: TrainingConfig,
        group: ProcessGroup,
        model: nn.Module,
        classes: int,
        photos: TrainingPhotos,
        training: np.ndarray,
        validation: np.ndarray,
        *,
        frozen: frozenset[str] = frozenset(),
        bf16: bool = False,
        objective: Objective | None = None,
    ) -> None:
        self.config, self.group, self.classes = config, group, classes
        self.frozen, self.bf16 = frozen, bf16
        self.model = to_device(model, group.device)
        if bf16 and group.device.type == "cpu":
            hasten(self.model)
        self.ema = WeightAverage(self.model, config.ema_decay) if config.ema_decay else None
        self.optimizer = _optimizer(self.model, config, group.device)
        self.spec = PreprocessSpec(image_size=config.image_size)
        self._photos, self._training, self._validation = photos, training, validation
        self._pixels = torch.from_numpy(photos.pixels)
        if group.device.type == "cuda":
            self._pixels = self._pixels.to(group.device)
        self._labels = photos.labels[training]
        counts = np.bincount(self._labels, minlength=classes)
        self._shares = class_shares(counts, config.sampling_power)
        self.objective = objective or Classification(config, group, classes, self._shares)
        self._wrapped: nn.Module | None = None
        self._wrapped_frozen: bool | None = None

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return max(1, round(len(self._labels) / self.config.batch_size))

    def run_epoch(self, epoch: int, stepped: Callable[[], None]) -> HistoryRow:
        """Train one epoch (counted from 0) and validate.

        Raises:
            TrainingError: the loss is not finite; no state of this epoch is kept.
        """
        started = time.perf_counter()
        loss = self._train(epoch, stepped)
        seconds = time.perf_counter() - started
        validation = self._validate()
        return HistoryRow(
            epoch=epoch + 1,
            learning_rate=learning_rate(self.config, epoch),
            image_size=self.config.size_at(epoch),
            train_loss=loss,
            validation_loss=validation.loss,
            validation_accuracy=validation.accuracy,
            validation_balanced_accuracy=validation.balanced_accuracy,
            images_per_second=len(self._labels) / seconds,
            seconds=time.perf_counter() - started,
        )

    def inference_state(self) -> dict[str, Tensor]:
        """A copy of the weights to ship: the average's where there is one."""
        state = self._judged_model().state_dict()
        return {name: value.detach().cpu().clone() for name, value in state.items()}

    def _judged_model(self) -> nn.Module:
        return self.ema.module if self.ema is not None else self.model

    def _check_finite(self, epoch: int, loss: float) -> None:
        weights: list[Tensor] = list(self.model.parameters())
        norms = torch.stack(list(torch._foreach_norm(weights)))
        if not (np.isfinite(loss) and bool(norms.isfinite().all())):
            raise TrainingError(
                f"the loss or a weight is not finite in epoch {epoch + 1}; lower --lr or use "
                "--precision fp32; the checkpoint of the epoch before is kept"
            )

    def _train(self, epoch: int, stepped: Callable[[], None]) -> float:
        config, group = self.config, self.group
        network = self._network(epoch)
        # Dropout and stochastic depth draw from the global generator.
        torch.manual_seed(_mixed_seed(config.seed, epoch, group.rank, 2))
        generator = torch.Generator().manual_seed(_mixed_seed(config.seed, epoch, group.rank, 3))
        order = epoch_order(self._labels, self._shares, epoch, config.seed, group.size)
        batches = np.array_split(order[group.rank :: group.size], self.steps)
        size = config.size_at(epoch)
        total = torch.zeros((), device=group.device)
        for step, indices in enumerate(batches):
            rate = learning_rate(config, epoch + step / len(batches))
            for parameters in self.optimizer.param_groups:
                parameters["lr"] = rate
            loss = self._loss(network, indices, size, generator)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            if self.ema is not None:
                self.ema.update(self.model, epoch * len(batches) + step)
            total += loss.detach()
            # Looking at every loss costs nothing on a CPU, but a stall a step on a GPU; and with
            # several processes all must go through the same steps.
            if group.device.type == "cpu" and group.size == 1 and not bool(total.isfinite()):
                break
            stepped()
        mean = group.mean(float(total) / len(batches))
        self._check_finite(epoch, mean)
        return mean

    def _loss(
        self, network: nn.Module, indices: np.ndarray, size: int, generator: torch.Generator
    ) -> Tensor:
        device = self.group.device
        chosen = torch.from_numpy(self._training[indices])
        pixels = self._pixels[chosen.to(self._pixels.device)].to(device)
        images = augment(pixels, STRENGTHS.get(self.config.augmentation), size, generator)
        labels = torch.from_numpy(self._labels[indices]).to(device)
        cast = torch.autocast(device.type, torch.bfloat16) if self.bf16 else nullcontext()
        with cast:
            return self.objective.loss(network, images, labels, generator)

    def _network(self, epoch: int) -> nn.Module:
        """The model as training calls it, with the frozen tensors frozen or freed."""
        self.model.train()
        freeze = bool(self.frozen) and epoch < self.config.freeze_epochs
        if self._wrapped is None or freeze != self._wrapped_frozen:
            for name, parameter in self.model.named_parameters():
                parameter.requires_grad_(not (freeze and name in self.frozen))
            # Only one wrapper at a time may hook itself into the backward pass.
            self._wrapped = None
            self._wrapped = self.group.wrap(self.model)
            self._wrapped_frozen = freeze
        return self._wrapped

    def _validate(self) -> Validation:
        if len(self._validation) == 0:
            return Validation()
        model = self._judged_model()
        if self.group.size > 1:
            # Running statistics are each process's own; judge the main one's, which are kept.
            for buffer in model.buffers():
                torch.distributed.broadcast(buffer, 0)
        return self.objective.validate(model, self._photos, self._validation, self.bf16)


def _mixed_seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> 1)


def _optimizer(
    model: nn.Module, config: TrainingConfig, device: torch.device
) -> torch.optim.Optimizer:
    """AdamW; biases and norms (one-dimensional) do not decay."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    fused = device.type in ("cpu", "cuda")
    return torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, config.beta2), fused=fused)
