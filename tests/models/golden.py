"""The reference page's recipe for weights and pictures made by formula, and the official numbers.

The JSON files beside this module come from the official code: ``official_state_dict_shapes.json``
lists its tensors in order, ``official_logits.json`` what it computes in float64.
"""

from __future__ import annotations

import json
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

REFERENCE = Path(__file__).parent / "reference"
OFFICIAL_RESULTS: list[dict[str, Any]] = json.loads(
    (REFERENCE / "official_logits.json").read_text()
)


@cache
def official_shapes(model: str) -> dict[str, tuple[int, ...]]:
    shapes = json.loads((REFERENCE / "official_state_dict_shapes.json").read_text())[model]
    return {name: tuple(shape) for name, shape in shapes.items()}


def golden_tensor(name: str, shape: tuple[int, ...]) -> Tensor:
    z = np.random.RandomState(zlib.crc32(name.encode()) & 0xFFFFFFFF).standard_normal(size=shape)
    if name.endswith("num_batches_tracked"):
        return torch.tensor(1)
    if name.endswith("running_var"):
        value = 1 + 0.1 * np.abs(z)
    elif name.endswith("running_mean"):
        value = 0.1 * z
    elif len(shape) == 1:
        value = 0.1 * z + (1 if name.endswith("weight") else 0)
    else:
        value = z * np.sqrt(2 / np.prod(shape[1:]))
    return torch.from_numpy(np.asarray(value))


def golden_state_dict(model: str, num_classes: int = 8) -> dict[str, Tensor]:
    """Official names to float64 tensors."""
    state_dict = {}
    for name, shape in official_shapes(model).items():
        if name.startswith("Classifier."):
            shape = (num_classes, *shape[1:])
        state_dict[name] = golden_tensor(name, shape)
    return state_dict


def golden_images(size: int) -> Tensor:
    """Float64 [2, 3, size, size]."""
    random = np.random.RandomState(0)
    p = random.uniform(0.5, 6, (2, 3, 3))[..., None, None]
    h = random.uniform(0, 2 * np.pi, (2, 3, 3))[..., None, None]
    x, y = np.meshgrid(np.linspace(0, 1, size), np.linspace(0, 1, size))
    waves = sum(
        np.sin(2 * np.pi * p[:, :, i] * axis + h[:, :, i]) for i, axis in enumerate((x, y, x * y))
    )
    return torch.from_numpy(0.5 + waves / 6)
