"""Handlers of the operations that the evaluator knows, a module for each family."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from export.formats.coreml.evaluator.bind import Operation
from export.formats.coreml.evaluator.operations import (
    activation,
    compressed,
    convolution,
    elementwise,
    linear,
    normalisation,
    pooling,
    reduction,
    resizing,
    shape,
)
from export.formats.coreml.evaluator.values import Constant

OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    activation.OPERATIONS
    | convolution.OPERATIONS
    | elementwise.OPERATIONS
    | linear.OPERATIONS
    | normalisation.OPERATIONS
    | pooling.OPERATIONS
    | reduction.OPERATIONS
    | resizing.OPERATIONS
    | shape.OPERATIONS
)
"""By name in the program; the constant expressions of compressed weights are in COMPRESSED."""

COMPRESSED: Mapping[str, Callable[[Mapping[str, Constant], str], Constant]] = MappingProxyType(
    compressed.OPERATIONS
)
"""Decoded once, when a program is compiled."""
