"""The deployment graph: a network rewritten, exactly, into what mobile runtimes run fast."""

from __future__ import annotations

import copy

from torch import nn

from export.deployment.attention import SPLIT_ATTENTION
from export.deployment.batch_norm import FOLD_BATCH_NORM
from export.deployment.layer_norm import FOLD_LAYER_NORM
from export.deployment.pooling import POOL_BY_MATRIX
from export.deployment.rewrite import Rewrite
from export.deployment.training_only import REMOVE_TRAINING_ONLY
from export.errors import ExportError
from hierattn.models.registry import MINIMUM_IMAGE_SIZE

REWRITES: tuple[Rewrite, ...] = (
    REMOVE_TRAINING_ONLY,
    FOLD_BATCH_NORM,
    FOLD_LAYER_NORM,
    SPLIT_ATTENTION,
    POOL_BY_MATRIX,
)
"""In the order in which they are applied."""


def deployment_graph(model: nn.Module, image_size: int) -> nn.Module:
    """A copy of a network that computes the same logits and converts to a faster file.

    Args:
        model: [N, 3, S, S] to logits, in float32 or float64; never changed.
        image_size: side of the square input, pixels; the copy takes no other.

    Raises:
        ExportError: ``image_size`` is too small.
    """
    if image_size < MINIMUM_IMAGE_SIZE:
        raise ExportError(
            f"image size {image_size} is too small; use at least {MINIMUM_IMAGE_SIZE}"
        )
    graph = copy.deepcopy(model).eval().requires_grad_(False)
    for rewrite in REWRITES:
        rewrite.apply(graph, image_size)
    return graph
