"""Inference: predictors from images to logits, and running one over many photos."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Protocol

import numpy as np

from hierattn.preprocessing import PreprocessSpec

# Torch is loaded where one of its networks is run: a process that asks an exported file needs none.
if TYPE_CHECKING:
    import torch
    from torch import nn


class Predictor(Protocol):
    """Anything that maps float32 [N, 3, S, S] in [0, 1] to logits [N, K]."""

    def __call__(self, images: np.ndarray, /) -> np.ndarray:
        """Logits for a batch."""


def to_device(model: nn.Module, device: torch.device) -> nn.Module:
    """Move a model to where it runs, its convolutions in channels_last order."""
    import torch

    return model.to(device=device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class TorchPredictor:
    """A torch model in evaluation mode behind the :class:`Predictor` interface.

    Args:
        model: put into eval mode and moved to ``device``.
        device: where it runs.
        bf16: autocast to bfloat16; for quick looks during training, never for final figures.
    """

    def __init__(
        self, model: nn.Module, device: torch.device | str = "cpu", *, bf16: bool = False
    ) -> None:
        import torch

        self.device = torch.device(device)
        self.model = to_device(model, self.device).eval()
        self.bf16 = bf16

    def __call__(self, images: np.ndarray, /) -> np.ndarray:
        """Logits float32 [N, K]."""
        import torch

        batch = torch.from_numpy(images).to(self.device, memory_format=torch.channels_last)
        cast = torch.autocast(self.device.type, torch.bfloat16) if self.bf16 else nullcontext()
        with torch.inference_mode(), cast:
            return self.model(batch).float().cpu().numpy()


def predict_logits(
    predictor: Predictor,
    pixels: np.ndarray,
    spec: PreprocessSpec,
    *,
    indices: np.ndarray | None = None,
    batch_size: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Run a predictor over decoded photos.

    Args:
        predictor: what answers.
        pixels: uint8 [N, S, S, 3], as :func:`hierattn.data.pixels.decode.decode_folder` gives them.
        spec: the preprocessing the pixels were made by.
        indices: which photos, in which order; None for all.
        batch_size: photos a call.
        progress: called with (done, all).

    Returns:
        float64 [N, K].
    """
    order = np.arange(len(pixels)) if indices is None else indices
    parts = []
    for start in range(0, len(order), batch_size):
        batch = spec.to_input(pixels[order[start : start + batch_size]])
        parts.append(np.asarray(predictor(batch), dtype=np.float64))
        if progress is not None:
            progress(min(start + batch_size, len(order)), len(order))
    return np.concatenate(parts)
