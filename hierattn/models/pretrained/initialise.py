"""Starting a model from the weights of any kind of checkpoint that fits it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import torch
from torch import Tensor, nn

from hierattn.errors import CheckpointError
from hierattn.models.efficientnet_lite import own_names
from hierattn.models.hierattn import HierAttn
from hierattn.models.peers import CentredInput
from hierattn.models.pretrained.official import convert_official_state_dict, is_official
from hierattn.models.pretrained.transfer import mobilevit_dialect, transfer_mobilevit
from hierattn.models.pretrained.weights import read_weights
from hierattn.models.registry import ModelEntry, create_model, find_model, list_models


class SourceKind(StrEnum):
    """What a checkpoint turned out to be."""

    OWN = "hierattn"
    OFFICIAL = "official HierAttn"
    MOBILEVIT_CVNETS = "MobileViT (ml-cvnets)"
    MOBILEVIT_TIMM = "MobileViT (timm)"
    TORCHVISION = "torchvision"
    TIMM = "timm"


@dataclass(frozen=True)
class InitialisationReport:
    """What :func:`initialise` took from a checkpoint.

    Attributes:
        source_kind: what the checkpoint turned out to be.
        taken: state-dict names of the model that were filled.
        left_out: names of the checkpoint that were not used.
        untouched: state-dict names of the model that kept their random start.
        transferred_parameters: the filled trainable parameters, to freeze and unfreeze.
        unwrapped: the prefixes taken off the checkpoint's names, the outermost first.
    """

    source_kind: SourceKind
    taken: tuple[str, ...]
    left_out: tuple[str, ...]
    untouched: tuple[str, ...]
    transferred_parameters: frozenset[str]
    unwrapped: tuple[str, ...] = ()


def initialise(model: nn.Module, name: str, path: str | Path) -> InitialisationReport:
    """Start ``model`` (made by ``create_model(name)``) from a checkpoint.

    The content tells what it is: weights of the same model, ours or the library's (the classifier
    is left out where its class count differs), an official HierAttn checkpoint, or a MobileViT for
    a HierAttn of the matching size. On an error the model is unchanged.

    Raises:
        UnknownNameError: no model is called ``name``.
        CheckpointError: the file cannot be read, or belongs to another model.
    """
    entry = find_model(name)
    state_dict, unwrapped = read_weights(Path(path))
    try:
        return replace(_copy_any(model, state_dict, entry), unwrapped=unwrapped)
    except CheckpointError as error:
        other = identify(state_dict)
        if other is None or other == name:
            raise CheckpointError(f"{path}: cannot start {name}: {error}") from error
        raise CheckpointError(
            f"{path}: this is a checkpoint of {other}, not of {name}; pass --model or --init "
            "so that they agree"
        ) from error


def classifier_prefix(model: nn.Module) -> str:
    """Name of the model's last linear layer, with a dot: where the class count shows.

    Raises:
        CheckpointError: the model has no linear layer.
    """
    linear = [name for name, part in model.named_modules() if isinstance(part, nn.Linear)]
    if not linear:
        raise CheckpointError(f"{type(model).__name__} has no linear layer to classify with")
    return linear[-1] + "."


def identify(state_dict: Mapping[str, Tensor]) -> str | None:
    """The registered model, or MobileViT, that these tensors belong to; None if unknown."""
    if is_official(state_dict):
        state_dict = convert_official_state_dict(state_dict)
    for name in list_models():
        with torch.device("meta"):
            candidate = create_model(name)
        named = state_dict
        if isinstance(candidate, CentredInput):
            named = own_names(candidate, state_dict)
        if not _disagreements(candidate, named):
            return name
    return "a MobileViT of another size" if mobilevit_dialect(state_dict) else None


def _copy_any(
    model: nn.Module, state_dict: Mapping[str, Tensor], entry: ModelEntry
) -> InitialisationReport:
    if isinstance(model, HierAttn):
        return _initialise_hierattn(model, state_dict)
    if isinstance(model, CentredInput):
        state_dict = dict(own_names(model, state_dict))
    kind = SourceKind.TIMM if entry.library == "timm" else SourceKind.TORCHVISION
    return _copy_same_model(model, state_dict, kind)


def _initialise_hierattn(model: HierAttn, state_dict: Mapping[str, Tensor]) -> InitialisationReport:
    if is_official(state_dict):
        converted = convert_official_state_dict(state_dict)
        return _copy_same_model(model, converted, SourceKind.OFFICIAL)
    dialect = mobilevit_dialect(state_dict)
    if dialect is None:
        return _copy_same_model(model, state_dict, SourceKind.OWN)
    transfer = transfer_mobilevit(model, state_dict)
    return InitialisationReport(
        SourceKind.MOBILEVIT_TIMM if dialect == "timm" else SourceKind.MOBILEVIT_CVNETS,
        transfer.taken,
        transfer.left_out,
        transfer.untouched,
        transfer.transferred_parameters,
    )


def _copy_same_model(
    model: nn.Module, state_dict: Mapping[str, Tensor], kind: SourceKind
) -> InitialisationReport:
    """Copy all tensors; only a classifier of another class count may stay out.

    Such a classifier begins at zero, as in BiT (Kolesnikov et al., arXiv 1912.11370): a random
    one, of which timm's EfficientNets have large values, first drives learnt features apart.
    """
    problems = _disagreements(model, state_dict)
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise CheckpointError(f"{'; '.join(problems[:3])}{more}")
    targets = model.state_dict()
    prefix = classifier_prefix(model)
    classifier = [name for name in targets if name.startswith(prefix)]
    # Weight and bias belong together: both fit, or neither is taken.
    same_classes = all(
        name in state_dict and state_dict[name].shape == targets[name].shape for name in classifier
    )
    taken = [
        name for name in targets if name in state_dict and (same_classes or name not in classifier)
    ]
    with torch.no_grad():
        for name in taken:
            targets[name].copy_(state_dict[name])
        if not same_classes:
            for name in classifier:
                targets[name].zero_()
    parameters = dict(model.named_parameters())
    return InitialisationReport(
        kind,
        taken=tuple(taken),
        left_out=tuple(name for name in state_dict if name not in set(taken)),
        untouched=tuple(name for name in targets if name not in set(taken)),
        transferred_parameters=frozenset(name for name in taken if name in parameters),
    )


def _disagreements(model: nn.Module, state_dict: Mapping[str, Tensor]) -> list[str]:
    """Why the tensors are not those of ``model``, classifier aside; empty if they are."""
    targets = model.state_dict()
    prefix = classifier_prefix(model)
    problems = []
    for name, target in targets.items():
        # Files from before PyTorch 0.4.1 lack the batch counters, which only momentum=None reads.
        if name.startswith(prefix) or name.endswith("num_batches_tracked"):
            continue
        if name not in state_dict:
            problems.append(f"{name} is missing")
        elif state_dict[name].shape != target.shape:
            given, wanted = list(state_dict[name].shape), list(target.shape)
            problems.append(f"{name} is {given} instead of {wanted}")
    problems += [f"{name} is unexpected" for name in state_dict if name not in targets]
    return problems
