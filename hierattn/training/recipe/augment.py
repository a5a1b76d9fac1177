"""Augmentation of a whole batch at once, on the device that trains.

One affine resampling (flip, rotation, scale, shift and the progressive size in one pass) and one
colour matrix. All random numbers come from the generator that is passed in, on the CPU, so that
every device draws the same ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class AugmentationStrength:
    """Ranges of the random changes.

    Attributes:
        rotation: largest rotation either way, degrees.
        vertical_flip: whether top and bottom may change places, and quarter turns happen.
        scale: zoom is drawn log-uniformly from 1/(1+scale) to 1+scale.
        stretch: the aspect ratio likewise.
        shift: largest shift, as a share of the side.
        brightness, contrast, saturation: largest relative change.
        tint: largest relative change of one colour channel against the others (white balance).
        erase: probability of one grey rectangle of up to 1/9 of the area.
    """

    rotation: float = 0.0
    vertical_flip: bool = False
    scale: float = 0.0
    stretch: float = 0.0
    shift: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    tint: float = 0.0
    erase: float = 0.0


STRENGTHS = {
    # Official code: rotation up to 10 degrees and a horizontal flip, nothing else.
    "paper": AugmentationStrength(rotation=10),
    # A lesion has no upright side; lamps, cameras and distances differ a little.
    "light": AugmentationStrength(
        rotation=20,
        vertical_flip=True,
        scale=0.15,
        stretch=0.05,
        shift=0.05,
        brightness=0.1,
        contrast=0.1,
        saturation=0.1,
        tint=0.03,
    ),
    # The same, much.
    "strong": AugmentationStrength(
        rotation=45,
        vertical_flip=True,
        scale=0.3,
        stretch=0.12,
        shift=0.08,
        brightness=0.2,
        contrast=0.2,
        saturation=0.25,
        tint=0.06,
        erase=0.25,
    ),
    # For learning features: the label, which an extreme crop may lose, is not asked for.
    "crops": AugmentationStrength(
        rotation=45,
        vertical_flip=True,
        scale=0.9,
        stretch=0.2,
        shift=0.2,
        brightness=0.4,
        contrast=0.4,
        saturation=0.5,
        tint=0.12,
    ),
}


def augment(
    pixels: Tensor, strength: AugmentationStrength | None, size: int, generator: torch.Generator
) -> Tensor:
    """Turn cached photos into training inputs.

    Args:
        pixels: uint8 [B, S, S, 3].
        strength: None for no change but the size.
        size: side of the result, pixels.
        generator: on the CPU.

    Returns:
        float32 [B, 3, size, size] in [0, 1], channels last in memory.
    """
    images = pixels.permute(0, 3, 1, 2).float().div_(255)
    if strength is None:
        if images.shape[-1] != size:
            images = F.interpolate(images, (size, size), mode="bilinear", antialias=True)
        return images.contiguous(memory_format=torch.channels_last)
    matrices = _affine_matrices(len(pixels), strength, generator).to(images.device)
    grid = F.affine_grid(matrices, [len(pixels), 3, size, size], align_corners=False)
    images = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    images = _colour(images, strength, generator)
    if strength.erase:
        _erase(images, strength.erase, generator)
    return images.contiguous(memory_format=torch.channels_last)


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def _affine_matrices(
    count: int, strength: AugmentationStrength, generator: torch.Generator
) -> Tensor:
    """Matrices [B, 2, 3] from output to input coordinates, as affine_grid takes them."""
    angle = _uniform(count, -strength.rotation, strength.rotation, generator) * math.pi / 180
    flip = torch.where(_uniform(count, 0, 1, generator) < 0.5, -1.0, 1.0)
    upside = torch.ones(count)
    if strength.vertical_flip:
        upside = torch.where(_uniform(count, 0, 1, generator) < 0.5, -1.0, 1.0)
        turns = torch.randint(0, 4, (count,), generator=generator)
        angle = angle + turns * (math.pi / 2)
    zoom = math.log1p(strength.scale)
    stretch = math.log1p(strength.stretch)
    log_zoom = _uniform(count, -zoom, zoom, generator)
    log_stretch = _uniform(count, -stretch, stretch, generator)
    x_scale = torch.exp(log_zoom + log_stretch) * flip
    y_scale = torch.exp(log_zoom - log_stretch) * upside
    cosine, sine = torch.cos(angle), torch.sin(angle)
    x_shift = _uniform(count, -2 * strength.shift, 2 * strength.shift, generator)
    y_shift = _uniform(count, -2 * strength.shift, 2 * strength.shift, generator)
    top = torch.stack([cosine * x_scale, -sine * y_scale, x_shift], dim=1)
    bottom = torch.stack([sine * x_scale, cosine * y_scale, y_shift], dim=1)
    return torch.stack([top, bottom], dim=1)


def _colour(images: Tensor, strength: AugmentationStrength, generator: torch.Generator) -> Tensor:
    """Brightness, tint and saturation as one 3x3 matrix, contrast about each photo's own mean."""
    if not (strength.brightness or strength.contrast or strength.saturation or strength.tint):
        return images
    count = len(images)
    brightness = 1 + _uniform(count, -strength.brightness, strength.brightness, generator)
    contrast = 1 + _uniform(count, -strength.contrast, strength.contrast, generator)
    saturation = 1 + _uniform(count, -strength.saturation, strength.saturation, generator)
    tint = 1 + (torch.rand(count, 3, generator=generator) * 2 - 1) * strength.tint
    # Rec. 601 luma, the weights Pillow's own saturation filter uses.
    luma = torch.tensor([0.299, 0.587, 0.114]).expand(count, 3, 3)
    share = saturation.view(-1, 1, 1)
    matrix = share * torch.eye(3) + (1 - share) * luma
    matrix = matrix * (tint * (brightness * contrast).view(-1, 1)).unsqueeze(2)
    mean = images.mean((1, 2, 3))
    offset = mean * ((1 - contrast) * brightness).to(images.device)
    flat = images.reshape(count, 3, -1)
    changed = torch.baddbmm(offset.view(-1, 1, 1), matrix.to(images.device), flat)
    return changed.clamp_(0, 1).view_as(images)


def _erase(images: Tensor, probability: float, generator: torch.Generator) -> None:
    side = images.shape[-1]
    count = len(images)
    chosen = torch.rand(count, generator=generator) < probability
    extent = (torch.rand(count, 2, generator=generator) * side / 3).long() + 1
    corner = (torch.rand(count, 2, generator=generator) * (side - extent)).long()
    for index in chosen.nonzero().flatten().tolist():
        (height, width), (y, x) = extent[index].tolist(), corner[index].tolist()
        images[index, :, y : y + height, x : x + width] = 0.5


def mix(
    images: Tensor, targets: Tensor, mixup: float, cutmix: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Mixup (arXiv 1710.09412) or CutMix (arXiv 1905.04899), a coin deciding where both are on.

    Args:
        images: float [B, 3, H, W].
        targets: float [B, K], rows sum to 1.
        mixup: Beta parameter, 0 for none.
        cutmix: Beta parameter, 0 for none.
        generator: on the CPU.
    """
    use_cutmix = cutmix > 0 and (mixup <= 0 or torch.rand(1, generator=generator).item() < 0.5)
    parameter = cutmix if use_cutmix else mixup
    if parameter <= 0:
        return images, targets
    keep = _beta(parameter, generator)
    order = torch.randperm(len(images), generator=generator).to(images.device)
    if use_cutmix:
        side = images.shape[-1]
        extent = round(side * math.sqrt(1 - keep))
        y, x = (int(v) for v in torch.randint(0, side - extent + 1, (2,), generator=generator))
        area = (slice(None), slice(None), slice(y, y + extent), slice(x, x + extent))
        images = images.clone(memory_format=torch.channels_last)
        images[area] = images[order][area]
        keep = 1 - extent * extent / (side * side)
    else:
        images = torch.lerp(images[order], images, keep)
    return images, torch.lerp(targets[order], targets, keep)


def _beta(parameter: float, generator: torch.Generator) -> float:
    """One draw from Beta(parameter, parameter), through two Gamma draws."""
    concentration = torch.full((2,), parameter, dtype=torch.float64)
    gammas = torch._standard_gamma(concentration, generator=generator)
    return float(gammas[0] / gammas.sum()) if float(gammas.sum()) > 0 else 1.0
