"""Model registry: every name that ``create_model`` knows, and how it is built."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch import nn

from hierattn.errors import ConfigError, UnknownNameError
from hierattn.models import hierattn, peers

MINIMUM_IMAGE_SIZE = 64
"""Smallest square input, pixels: below it the stages at 1/32 have too little to pool."""


@dataclass(frozen=True)
class ModelEntry:
    """One model of the registry.

    Attributes:
        name: what users type.
        build: makes the model with random weights, given the number of classes.
        source: who defines the network, and where it is described.
        family: ``"hierattn"``, ``"peer"`` or ``"teacher"``.
        library: whose state-dict names the model has: ``hierattn``, ``torchvision`` or ``timm``.
        stages: the modules that give the last feature maps at 1/2, 1/4, 1/8, 1/16 and 1/32 of the
            input.
        minimum_image_size: smallest side of the square input, pixels.
    """

    name: str
    build: Callable[[int], nn.Module]
    source: str
    family: str
    library: str
    stages: tuple[str, str, str, str, str]
    minimum_image_size: int = MINIMUM_IMAGE_SIZE


def build_registry(entries: Iterable[ModelEntry]) -> Mapping[str, ModelEntry]:
    """Index entries by name, read-only.

    Raises:
        ConfigError: two entries share a name.
    """
    table: dict[str, ModelEntry] = {}
    for entry in entries:
        if entry.name in table:
            raise ConfigError(f"model '{entry.name}' is registered twice; rename one of them")
        table[entry.name] = entry
    return MappingProxyType(table)


def _hierattn(name: str, build: Callable[[int], nn.Module]) -> ModelEntry:
    stages = ("layer1", "layer2", "layer3", "layer4", "layer5")
    return ModelEntry(name, build, "arXiv 2205.04326", "hierattn", "hierattn", stages)


def _library(peer: peers.Peer, family: str) -> ModelEntry:
    source = f"{peer.library}, {peer.paper}"
    return ModelEntry(peer.name, peer.build, source, family, peer.library, peer.stages)


REGISTRY = build_registry(
    (
        _hierattn("hierattn_xs", hierattn.hierattn_xs),
        _hierattn("hierattn_s", hierattn.hierattn_s),
        _hierattn("hierattn_m", hierattn.hierattn_m),
        *(_library(peer, "peer") for peer in peers.PEERS),
        *(_library(teacher, "teacher") for teacher in peers.TEACHERS),
    )
)


def list_models(pattern: str = "*") -> list[str]:
    """Names that match a shell pattern, in registry order; empty if none does."""
    return [name for name in REGISTRY if fnmatch.fnmatchcase(name, pattern.lower())]


def find_model(name: str) -> ModelEntry:
    """The entry of a name.

    Raises:
        UnknownNameError: no model has this name.
    """
    if name not in REGISTRY:
        raise UnknownNameError("model", name, REGISTRY)
    return REGISTRY[name]


def create_model(name: str, num_classes: int = 8) -> nn.Module:
    """A model with random weights: [N, 3, S, S] in [0, 1] to logits [N, num_classes].

    Raises:
        UnknownNameError: no model has this name.
        ConfigError: fewer than one class.
    """
    entry = find_model(name)
    if num_classes < 1:
        raise ConfigError(f"num_classes is {num_classes}; it must be at least 1")
    return entry.build(num_classes)


def minimum_image_size(name: str) -> int:
    """Smallest side of the square input, pixels.

    Raises:
        UnknownNameError: no model has this name.
    """
    return find_model(name).minimum_image_size


def check_image_size(name: str, size: int) -> None:
    """Refuse an input too small for the network.

    Raises:
        UnknownNameError: no model has this name.
        ConfigError: ``size`` (pixels) is below the model's minimum.
    """
    least = minimum_image_size(name)
    if size < least:
        raise ConfigError(f"image size {size} is too small for {name}; use at least {least}")
