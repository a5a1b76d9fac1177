"""Safe reading of weight files, and initialisation of a model from any kind of checkpoint."""

from __future__ import annotations

import pickle
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from hierattn.errors import CheckpointError, first_line
from hierattn.models.efficientnet_lite import own_names
from hierattn.models.hierattn import HierAttn
from hierattn.models.peers import CentredInput
from hierattn.models.pretrained.archives import archive_fault
from hierattn.models.pretrained.official import convert_official_state_dict, is_official
from hierattn.models.pretrained.transfer import mobilevit_dialect, transfer_mobilevit
from hierattn.models.pretrained.wrappers import unwrap
from hierattn.models.registry import ModelEntry, create_model, find_model, list_models
from hierattn.shipped import run_names

RUN_WEIGHTS = "model.safetensors"
_LEARNT = frozenset({"weight", "bias", "running_mean", "running_var"})
_NESTED_KEYS = ("state_dict", "model_state_dict", "model")

# What torch.load raises on files cut short or with bytes changed at random. By the suffix
# .safetensors it hands a path to that library, whatever the file holds.
DAMAGE = (
    RuntimeError,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    OSError,
    OverflowError,
    MemoryError,
    struct.error,
    safetensors.SafetensorError,
)


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


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read a weight file into CPU tensors, running no code from it.

    Takes safetensors files, PyTorch files (``weights_only``) with the tensors at the top or under
    ``state_dict``, ``model_state_dict`` or ``model``, and run folders. The content decides, not
    the file's name. Prefixes are taken off, see :func:`unwrap`.

    Raises:
        CheckpointError: missing, not a weight file, truncated, with pickled objects, or with a
            tensor that cannot be a weight (sparse, quantised, complex, without values, whole
            numbers, not finite).
    """
    return _read_weights(Path(path))[0]


def _read_weights(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors, and the prefixes taken off their names."""
    if path.is_dir():
        if not (path / RUN_WEIGHTS).is_file():
            raise CheckpointError(f"{path}: no {RUN_WEIGHTS} in this folder; give a weight file")
        path = path / RUN_WEIGHTS
    try:
        with open(path, "rb") as file:
            head = file.read(9)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path}: no such weight file or run folder (shipped: {', '.join(run_names())})"
        ) from error
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror or error}") from error
    if not head:
        raise CheckpointError(f"{path}: the weight file is empty; fetch it again")
    if head[8:] == b"{":
        return unwrap(_checked(_read_safetensors(path), path))
    # Zip archives (PyTorch 1.6 and later), and the older bare pickles.
    if head.startswith((b"PK\x03\x04", b"\x80")):
        return unwrap(_checked(_find_tensors(_read_torch(path), path), path))
    raise CheckpointError(f"{path}: not a weight file (neither safetensors nor PyTorch)")


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
    state_dict, unwrapped = _read_weights(Path(path))
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


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, ValueError, OSError) as error:
        raise CheckpointError(
            f"{path}: damaged or truncated safetensors file ({first_line(error)[:100]}); "
            "fetch it again"
        ) from error


def _read_torch(path: Path) -> object:
    try:
        # An open file, as of a path torch would judge by the suffix.
        with open(path, "rb") as file, warnings.catch_warnings():
            fault = archive_fault(file)
            if fault is not None:
                raise CheckpointError(
                    f"{path}: damaged or truncated PyTorch file ({fault}); fetch it again"
                )
            file.seek(0)
            # Remarks on old pickles and storages, which the user can do nothing about.
            warnings.simplefilter("ignore", UserWarning)
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "Unsupported" in str(error) or "GLOBAL" in str(error) or "disallowed" in str(error):
            raise CheckpointError(
                f"{path}: holds pickled objects, which could run code and are refused; save only "
                "its state dict, for instance torch.save(model.state_dict(), path)"
            ) from error
        raise CheckpointError(
            f"{path}: damaged or truncated PyTorch file ({first_line(error)[:100]}); fetch it again"
        ) from error
    except DAMAGE as error:
        if "TorchScript" in str(error):
            raise CheckpointError(
                f"{path}: a TorchScript archive; save its state dict instead"
            ) from error
        raise CheckpointError(
            f"{path}: damaged or truncated PyTorch file ({first_line(error)[:100]}); fetch it again"
        ) from error


def _find_tensors(content: object, path: Path) -> dict[str, Tensor]:
    """The tensors of a loaded PyTorch file, from its top or from a known key."""
    if isinstance(content, Mapping):
        for candidate in (content, *(content.get(key) for key in _NESTED_KEYS)):
            if (
                isinstance(candidate, Mapping)
                and candidate
                and all(
                    isinstance(name, str) and isinstance(value, Tensor)
                    for name, value in candidate.items()
                )
            ):
                return dict(candidate)
    raise CheckpointError(
        f"{path}: no tensors at the top or under {', '.join(_NESTED_KEYS)}; give a state dict"
    )


def _checked(state_dict: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    for name, value in state_dict.items():
        fault = _fault(name, value)
        if fault is not None:
            raise CheckpointError(
                f"{path}: tensor {name} {fault}; save dense, finite floating-point weights"
            )
    return state_dict


def _fault(name: str, value: Tensor) -> str | None:
    """Why a tensor cannot be one of a network's, or None if it can."""
    if value.is_meta:
        return "is without values (meta)"
    if value.is_quantized:
        return "is quantised"
    if value.is_nested or value.layout is not torch.strided:
        return "is sparse or nested"
    if value.is_complex():
        return "is complex"
    if not value.is_floating_point():
        # Counters and index tables are whole numbers; what a layer learns is not.
        learnt = name.rpartition(".")[2] in _LEARNT
        return "holds whole numbers" if learnt else None
    try:
        # As float32, in which the models compute: a large float64 becomes infinite there.
        finite = bool(torch.isfinite(value.float()).all())
    except RuntimeError as error:
        return f"cannot be read as numbers ({first_line(error)[:100]})"
    return None if finite else "holds values that are not finite"


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
