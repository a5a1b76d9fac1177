"""Resizing of the last two axes."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional as F

from export.formats.coreml.evaluator.bind import Kernel, Operation, ValueRefusedError


def upsample_bilinear(
    scale_factor_height: float = 1.0,
    scale_factor_width: float = 1.0,
    align_corners: bool = True,
    half_pixel_centers: bool | None = None,
) -> Kernel:
    """Bilinear interpolation to floor(side * factor), the step recomputed from the two sides.

    Without ``half_pixel_centers``, centres are at half pixels unless corners are aligned; the
    other two combinations are refused.
    """
    if half_pixel_centers is not None and half_pixel_centers == align_corners:
        raise ValueRefusedError("half_pixel_centers", half_pixel_centers)
    for name, factor in (
        ("scale_factor_height", scale_factor_height),
        ("scale_factor_width", scale_factor_width),
    ):
        if not 0 < factor < math.inf:
            raise ValueRefusedError(name, factor)

    def run(x: Tensor) -> Tensor:
        height = math.floor(x.shape[-2] * scale_factor_height)
        width = math.floor(x.shape[-1] * scale_factor_width)
        return F.interpolate(x, (height, width), mode="bilinear", align_corners=align_corners)

    return run


OPERATIONS = {"upsample_bilinear": Operation(upsample_bilinear)}
