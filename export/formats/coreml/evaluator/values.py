"""Constant values of ML programs: written in the program itself, or stored in the weight file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, get_args, get_origin

import numpy as np
import torch
from torch import Tensor

from export.errors import ArtefactError, UnsupportedOperationError
from export.formats.coreml.evaluator.kinds import BOOL, INT32, STRING, Kind, TensorType, read_type
from export.formats.coreml.evaluator.weights import WeightFile

WEIGHT_REFERENCE = "@model_path/weights/weight.bin"
"""The only file a program may refer to."""


@dataclass(frozen=True, eq=False)
class Constant:
    """A value known before the program runs; an array of objects for strings."""

    kind: Kind
    value: np.ndarray


def read_value(message: Any, weights: WeightFile, where: str) -> Constant:
    """Read a ``Value`` message.

    Raises:
        UnsupportedOperationError: a kind of value the evaluator does not know.
        ArtefactError: its content does not fit its type, or lies out of range.
    """
    declared = read_type(message.type, where)
    source = message.WhichOneof("value")
    if source == "blobFileValue":
        if message.blobFileValue.fileName != WEIGHT_REFERENCE:
            raise ArtefactError(f"{where}: refers to a file that is not {WEIGHT_REFERENCE}")
        if declared.kind.storage_code is None:
            raise ArtefactError(f"{where}: {declared.kind.label} values in the weight file")
        offset = message.blobFileValue.offset
        return Constant(declared.kind, weights.read(offset, declared.kind, declared.shape))
    if source != "immediateValue" or message.immediateValue.WhichOneof("value") != "tensor":
        raise UnsupportedOperationError(f"{where}: a constant that is not a tensor")
    return Constant(declared.kind, _immediate(message.immediateValue.tensor, declared, where))


def read_strings(message: Any, where: str) -> list[str]:
    """Read a ``Value`` message that must be a list of strings.

    Raises:
        UnsupportedOperationError: it is something else.
    """
    values = message.immediateValue.list.values
    parts = [value.immediateValue.tensor.strings.values for value in values]
    if not parts or any(len(part) != 1 for part in parts):
        raise UnsupportedOperationError(f"{where}: not a list of strings")
    return [part[0] for part in parts]


def _immediate(tensor: Any, declared: TensorType, where: str) -> np.ndarray:
    kind, count = declared.kind, math.prod(declared.shape)
    held = tensor.WhichOneof("value")
    if held != kind.field and not (held is None and count == 0):
        raise ArtefactError(f"{where}: holds {held} where its type says {kind.label}")
    content = getattr(tensor, kind.field).values
    size = len(content) // kind.dtype.itemsize if kind.field == "bytes" else len(content)
    if size != count or (kind.field == "bytes" and len(content) % kind.dtype.itemsize):
        raise ArtefactError(f"{where}: holds {size} values where its type says {count}")
    if kind.field == "bytes":
        return np.frombuffer(content, kind.dtype).reshape(declared.shape)
    return np.array(content, dtype=kind.dtype).reshape(declared.shape)


def to_python(constant: Constant, wanted: Any, where: str) -> Any:
    """A constant as the Python value of a handler's parameter.

    Args:
        wanted: the annotation: ``int``, ``float``, ``bool``, ``str``, one of them or None, or a
            tuple of one of them.

    Raises:
        UnsupportedOperationError: the constant is of another kind or rank.
    """
    kind, value = constant.kind, constant.value
    element = wanted if isinstance(wanted, type) else get_args(wanted)[0]
    rank = 1 if get_origin(wanted) is tuple else 0
    fits = {
        int: kind is INT32,
        # A scale factor may be written as an integer.
        float: kind.is_float or kind is INT32,
        bool: kind is BOOL,
        str: kind is STRING,
    }[element]
    if not fits or value.ndim != rank:
        raise UnsupportedOperationError(
            f"{where}: {kind.label} of rank {value.ndim} where {element.__name__} "
            f"of rank {rank} is known"
        )
    if rank == 0:
        return element(value.item())
    return tuple(element(item) for item in value.tolist())


def to_torch(constant: Constant) -> Tensor:
    """Stored floats as float32, exactly; weights of convolutions in channels-last order."""
    return owned(torch.from_numpy(constant.value.astype(np.float32)))


def owned(tensor: Tensor) -> Tensor:
    """A copy in torch's own memory, images and their weights in channels-last order.

    numpy aligns memory less strictly than torch, and fast kernels sum in another order where the
    alignment differs: the last bit would change from load to load.
    """
    images = tensor.ndim == 4
    return tensor.clone(memory_format=torch.channels_last if images else torch.contiguous_format)
