"""Run folders with random weights, to export and time a network before it is trained."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save
from torch import nn

from export.checks.golden.images import golden_images
from hierattn.common.files import file_sha256, write_bytes, write_text
from hierattn.data.provenance import DataProvenance
from hierattn.errors import ConfigError
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.models.registry import check_image_size, create_model
from hierattn.preprocessing import PreprocessSpec
from hierattn.run_files import CONFIG, WEIGHTS
from hierattn.runs import RunConfig, tool_versions
from hierattn.training.recipe.config import build_config

CLASSES = tuple(f"class {number}" for number in range(8))
LARGEST_IMAGE_SIZE = 1024
UNTRAINED = "Random weights: for latency and conversion only. Its answers mean nothing."


def write_untrained_run(
    folder: Path, model: str, image_size: int, classes: Sequence[str] = CLASSES, seed: int = 0
) -> Path:
    """Write a run folder with a randomly initialised network.

    Args:
        folder: made if missing.
        model: a name of ``hierattn models``.
        image_size: pixels.
        classes: their names.
        seed: of the weights.

    Raises:
        UnknownNameError: no such model.
        ConfigError: too small or too large an image.
    """
    check_image_size(model, image_size)
    if image_size > LARGEST_IMAGE_SIZE:
        raise ConfigError(f"image size {image_size} is too large; use at most {LARGEST_IMAGE_SIZE}")
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = create_model(model, len(classes))
        _initialise_batch_norms(network, image_size)
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / WEIGHTS, save(network.state_dict()))
    config = RunConfig(
        model=model,
        classes=list(classes),
        image_size=image_size,
        preprocessing=PreprocessSpec(image_size=image_size),
        operating_point=OperatingPoint(fitted_on="not fitted: untrained"),
        intended_use=UNTRAINED,
        data=DataProvenance(
            name="none (untrained)",
            sha256="",
            images=0,
            groups=0,
            counts={},
            licences={},
            sources=[],
        ),
        initialisation=None,
        training=build_config(model=model, image_size=image_size, seed=seed),
        best_epoch=0,
        seed=seed,
        processes=1,
        device="cpu",
        weights_sha256=file_sha256(folder / WEIGHTS),
        tools=tool_versions(),
    )
    write_text(folder / CONFIG, config.model_dump_json(indent=2) + "\n")
    return folder


@torch.no_grad()
def _initialise_batch_norms(network: nn.Module, image_size: int) -> None:
    """Estimate batch norm statistics from the golden images, at half weight.

    Without any statistics the signal of most peers dies out on its way (below 1e-8, out of reach of
    half precision); with those alone the random network magnifies rounding a hundredfold. Trained
    networks do neither, nor does the mean of both (measured on all nine).
    """
    spec = PreprocessSpec(image_size=image_size)
    opened = (
        Image.open(io.BytesIO(image.png)).convert("RGB") for image in golden_images(image_size)
    )
    pixels = np.stack([np.asarray(spec.resize_image(image)) for image in opened])
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.5
    network.train()
    network(torch.from_numpy(spec.to_input(pixels)))
