"""Kinds of numbers in ML programs, and the types of values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from export.errors import ArtefactError, UnsupportedOperationError

MAXIMUM_ELEMENTS = 2**26
"""Larger tensors are refused before any memory is taken; real ones here stay below 2**24."""


@dataclass(frozen=True)
class Kind:
    """One kind of number.

    Attributes:
        label: as MIL writes it.
        dtype: in memory and in the weight file, little-endian.
        storage_code: in a blob's header; None where the kind is never stored there.
        field: of the ``TensorValue`` message that holds immediate values.
    """

    label: str
    dtype: np.dtype
    storage_code: int | None
    field: str

    @property
    def is_float(self) -> bool:
        """Whether values of this kind flow through the graph."""
        return self.dtype.kind == "f"


FP16 = Kind("fp16", np.dtype("<f2"), 1, "bytes")
FP32 = Kind("fp32", np.dtype("<f4"), 2, "floats")
UINT8 = Kind("uint8", np.dtype("u1"), 3, "bytes")
INT8 = Kind("int8", np.dtype("i1"), 4, "bytes")
INT32 = Kind("int32", np.dtype("<i4"), 14, "ints")
UINT32 = Kind("uint32", np.dtype("<u4"), 15, "bytes")
BOOL = Kind("bool", np.dtype("?"), None, "bools")
STRING = Kind("string", np.dtype(object), None, "strings")

_KINDS = {
    "FLOAT16": FP16,
    "FLOAT32": FP32,
    "UINT8": UINT8,
    "INT8": INT8,
    "INT32": INT32,
    "UINT32": UINT32,
    "BOOL": BOOL,
    "STRING": STRING,
}


@dataclass(frozen=True)
class TensorType:
    """Kind and shape of a value; a scalar has the shape ()."""

    kind: Kind
    shape: tuple[int, ...]


def read_type(message: Any, where: str) -> TensorType:
    """Read a ``ValueType`` message that must be a tensor of a fixed shape.

    Args:
        where: opening of an error message.

    Raises:
        UnsupportedOperationError: another type, a kind without a handler, or a flexible shape.
        ArtefactError: a shape that cannot be.
    """
    if message.WhichOneof("type") != "tensorType" or message.tensorType.attributes:
        raise UnsupportedOperationError(f"{where}: a value that is not a plain tensor")
    tensor = message.tensorType
    names = tensor.DESCRIPTOR.fields_by_name["dataType"].enum_type.values_by_number
    name = names.get(tensor.dataType)
    kind = _KINDS.get(name.name) if name is not None else None
    if kind is None:
        number = name.name if name is not None else tensor.dataType
        raise UnsupportedOperationError(f"{where}: values of kind {number}")
    if any(size.WhichOneof("dimension") != "constant" for size in tensor.dimensions):
        raise UnsupportedOperationError(f"{where}: a shape that is not fixed")
    shape = tuple(int(size.constant.size) for size in tensor.dimensions)
    if tensor.rank != len(shape) or math.prod(shape) > MAXIMUM_ELEMENTS:
        raise ArtefactError(f"{where}: an impossible shape {list(shape)}")
    return TensorType(kind, shape)
