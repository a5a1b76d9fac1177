"""Safe reading of weights from safetensors files, PyTorch files and run folders: runs no code."""

from __future__ import annotations

import pickle
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from hierattn.common.files import regular_file
from hierattn.errors import CheckpointError, first_line
from hierattn.models.pretrained.archives import archive_fault
from hierattn.models.pretrained.wrappers import unwrap
from hierattn.run_files import WEIGHTS
from hierattn.shipped import run_names

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
    return read_weights(Path(path))[0]


def read_weights(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """As :func:`read_state_dict`; besides the tensors, the prefixes taken off their names."""
    if path.is_dir():
        if not (path / WEIGHTS).is_file():
            raise CheckpointError(f"{path}: no {WEIGHTS} in this folder; give a weight file")
        path = path / WEIGHTS
    try:
        with regular_file(path).open("rb") as file:
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
