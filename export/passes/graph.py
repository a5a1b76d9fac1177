"""The deployment graph: an exact rewrite of a network for fast mobile inference."""

from __future__ import annotations

import copy

from torch import nn

from export.formats.registry import FORMATS, abilities_of
from export.passes.attention import ROW_ATTENTION, SPLIT_HEADS
from export.passes.batch_norm import FOLD_BATCH_NORM
from export.passes.layer_norm import CENTRE_STREAM, FOLD_LAYER_NORM
from export.passes.pooling import POOL_BY_MATRIX, POOL_GATES
from export.passes.rewrite import ANY, Rewrite
from export.passes.stripes import ROW_STRIPES
from export.passes.training_only import REMOVE_TRAINING_ONLY
from export.passes.winograd import WINOGRAD
from export.schema.metadata import Precision
from hierattn.errors import ConfigError
from hierattn.models.registry import MINIMUM_IMAGE_SIZE

REWRITES: tuple[Rewrite, ...] = (
    REMOVE_TRAINING_ONLY,
    FOLD_BATCH_NORM,
    FOLD_LAYER_NORM,
    CENTRE_STREAM,
    ROW_ATTENTION,
    SPLIT_HEADS,
    POOL_BY_MATRIX,
    POOL_GATES,
    WINOGRAD,
    ROW_STRIPES,
)
"""All of them, in the order in which they are applied."""


def rewrites_for(target: str, precision: str = Precision.FP32) -> tuple[Rewrite, ...]:
    """The rewrites for a target, in order; for what is no format, those that suit all."""
    wanted: frozenset[str] = frozenset()
    if target in FORMATS:
        abilities = abilities_of(target)
        unwanted = abilities.not_in_int8 if precision == Precision.INT8 else frozenset()
        wanted = abilities.rewrites - unwanted
    return tuple(r for r in REWRITES if not r.optional or r.name in wanted)


def deployment_graph(
    model: nn.Module, image_size: int, target: str = ANY, precision: str = Precision.FP32
) -> nn.Module:
    """A copy of a network that computes the same logits and converts to a faster file.

    Args:
        model: [N, 3, S, S] to logits, in float32 or float64; never changed.
        image_size: side S of the square input, pixels; the copy takes no other.
        target: a format's name, to add its own rewrites.
        precision: that the file will have.

    Raises:
        ConfigError: ``image_size`` is too small.
    """
    if image_size < MINIMUM_IMAGE_SIZE:
        raise ConfigError(
            f"image size {image_size} is too small; use at least {MINIMUM_IMAGE_SIZE}"
        )
    graph = copy.deepcopy(model).eval().requires_grad_(False)
    for rewrite in rewrites_for(target, precision):
        rewrite.apply(graph, image_size)
    return graph
