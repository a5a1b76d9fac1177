"""Feature maps of any registered network, read while it runs."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from hierattn.models.pretrained.initialise import classifier_prefix
from hierattn.models.registry import find_model


def read_features(model: nn.Module, name: str, images: Tensor, maps: int) -> list[Tensor]:
    """Run a network and keep what its stages and its classifier's input hold.

    Args:
        model: made by ``create_model(name)``.
        name: of the registry, which says where the stages are.
        images: float [B, 3, S, S] in [0, 1].
        maps: how many feature maps, from 1 (at 1/32 of the input) to 5 (1/2, 1/4, ... 1/32).

    Returns:
        Feature maps [B, C, H, W], the largest first, and the vector [B, C] that the classifier
        reads.
    """
    parts = dict(model.named_modules())
    found: dict[str, Tensor] = {}
    stages = find_model(name).stages[-maps:]
    classifier = classifier_prefix(model).removesuffix(".")
    # Hooks only while it runs: a copy of the model, such as an average, has none of its own.
    hooks = [parts[stage].register_forward_hook(partial(_keep, found, stage)) for stage in stages]
    hooks.append(parts[classifier].register_forward_pre_hook(partial(_keep_input, found)))
    try:
        model(images)
    finally:
        for hook in hooks:
            hook.remove()
    return [*(found[stage] for stage in stages), found[""]]


def _keep(
    found: dict[str, Tensor], stage: str, module: nn.Module, given: object, output: Tensor
) -> None:
    found[stage] = output


def _keep_input(found: dict[str, Tensor], module: nn.Module, given: tuple[Tensor, ...]) -> None:
    found[""] = given[0]
