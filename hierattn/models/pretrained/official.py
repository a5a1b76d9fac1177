"""Strict converter from the official HierAttn checkpoints to our names."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from hierattn.errors import CheckpointError
from hierattn.models.hierattn import HierAttn
from hierattn.models.pretrained.wrappers import unwrap

# Official name to ours, applied in order; what no rule touches stays.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^Conv1\.", "stem."),
        (r"^Layer([1-5])\.", r"layer\1."),
        (r"^Conv1x1Hier\.", "head."),
        (r"^Classifier\.fc\.", "classifier."),
        (r"\.Block\.0\.", ".expand."),
        (r"\.Block\.1\.", ".depthwise."),
        (r"\.Block\.3\.", ".project."),
        (r"\.LocalRep\.conv_3x3\.", ".local."),
        (r"\.LocalRep\.conv_1x1\.Conv\.", ".widen."),
        (r"\.GlobalRep\.0\.Layers\.(\d+)\.0\.0\.LayerNorm\.", r".blocks.\1.attention_norm."),
        (r"\.GlobalRep\.0\.Layers\.(\d+)\.0\.1\.toQKV\.", r".blocks.\1.attention.qkv."),
        (r"\.GlobalRep\.0\.Layers\.(\d+)\.0\.1\.toOut\.0\.", r".blocks.\1.attention.out."),
        (r"\.GlobalRep\.0\.Layers\.(\d+)\.1\.0\.LayerNorm\.", r".blocks.\1.mlp_norm."),
        (r"\.GlobalRep\.0\.Layers\.(\d+)\.1\.1\.MLP\.0\.", r".blocks.\1.mlp.0."),
        (r"\.GlobalRep\.0\.Layers\.(\d+)\.1\.1\.MLP\.3\.", r".blocks.\1.mlp.2."),
        (r"\.GlobalRep\.1\.LayerNorm\.", ".norm."),
        (r"\.ConvProj\.", ".narrow."),
        (r"\.Fusion\.", ".fuse."),
        (r"\.Conv\.", ".conv."),
        (r"\.Bn\.", ".norm."),
    )
)


def is_official(state_dict: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of an official HierAttn checkpoint."""
    names, _ = unwrap(state_dict)
    return "Conv1.Conv.weight" in names and any("GlobalRep" in name for name in names)


def convert_official_name(name: str) -> str:
    """Our name of an official tensor; a name that is not official may come back unchanged."""
    for pattern, replacement in _RULES:
        name = pattern.sub(replacement, name)
    return name


def convert_official_state_dict(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under our names, without the prefixes of :func:`unwrap`."""
    stripped, _ = unwrap(state_dict)
    return {convert_official_name(name): value for name, value in stripped.items()}


def load_official_state_dict(model: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Copy an official HierAttn checkpoint into ``model``, which keeps its dtype and device.

    Strict: every tensor must be there, no other may be, and every shape must agree. On an error
    the model is unchanged.

    Raises:
        CheckpointError: the model is no HierAttn, or tensors are missing, unexpected or misshapen.
    """
    if not isinstance(model, HierAttn):
        raise CheckpointError(
            f"an official HierAttn checkpoint cannot go into {type(model).__name__}; "
            "create hierattn_xs, hierattn_s or hierattn_m"
        )
    official, _ = unwrap(state_dict)
    own_names = {name: convert_official_name(name) for name in official}
    targets = model.state_dict()
    problems = _differences(official, own_names, targets)
    if problems:
        raise CheckpointError(f"official checkpoint does not fit the model: {'; '.join(problems)}")
    with torch.no_grad():
        for name, value in official.items():
            targets[own_names[name]].copy_(value)


def _differences(
    official: Mapping[str, Tensor], own_names: Mapping[str, str], targets: Mapping[str, Tensor]
) -> list[str]:
    problems = []
    missing = sorted(targets.keys() - set(own_names.values()))
    # A name in our own style is not official either, even if it would fit.
    unexpected = [n for n, own in own_names.items() if own not in targets or own == n]
    misshapen = [
        f"{name} {list(value.shape)} instead of {list(targets[own_names[name]].shape)}"
        for name, value in official.items()
        if own_names[name] in targets and value.shape != targets[own_names[name]].shape
    ]
    for kind, names in (
        ("missing", missing),
        ("unexpected", unexpected),
        ("misshapen", misshapen),
    ):
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            problems.append(f"{len(names)} {kind} ({', '.join(names[:5])}{more})")
    return problems
