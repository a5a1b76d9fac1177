"""Input of a conversion: a network with its metadata, calibration images and options."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from export.errors import ExportError
from export.schema.metadata import Description, Precision
from hierattn.errors import first_line

if TYPE_CHECKING:
    from torch import nn

_CONVERTER_ERRORS = (
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
)
"""Raised by torch's and other converters for a network that they cannot convert."""


@contextmanager
def converter_errors(problem: str) -> Iterator[None]:
    """Turn what a converter raises into one line.

    Raises:
        ExportError: ``PROBLEM: REASON``.
    """
    try:
        yield
    except _CONVERTER_ERRORS as error:
        raise ExportError(f"{problem}: {first_line(error)}") from error


@dataclass(frozen=True)
class FormatOptions:
    """Options of single formats.

    Attributes:
        coreml_image_input: the Core ML input is an RGB image instead of a tensor.
        coreml_classifier: the Core ML file also returns the class name.
    """

    coreml_image_input: bool = False
    coreml_classifier: bool = False


@dataclass(frozen=True, eq=False)
class ExportSource:
    """One network to convert.

    Attributes:
        graph: evaluation mode, float32, CPU: [N, 3, S, S] in [0, 1] to logits [N, K].
        description: precision is replaced for each file, see :meth:`describe`.
        calibration: float32 [N, 3, S, S] photos for int8, or None.
    """

    graph: nn.Module
    description: Description
    calibration: np.ndarray | None = None
    options: FormatOptions = field(default_factory=FormatOptions)

    @property
    def image_size(self) -> int:
        """Side of the square input, pixels."""
        return self.description.image_size

    def describe(self, precision: Precision) -> Description:
        """The metadata of the file of one precision."""
        return self.description.model_copy(update={"precision": precision})
