"""Binding of an operation's arguments to its handler; unknown ones are refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from torch import Tensor

from export.errors import ArtefactError, UnsupportedOperationError
from export.formats.coreml.evaluator.values import Constant, to_python

Kernel = Callable[..., Any]
"""Computes results from tensors: the operation with its constant arguments filled in."""


@dataclass(frozen=True)
class Operation:
    """A handler of one kind of operation.

    Its two signatures define the known arguments: the parameters of
    ``build`` are those that must be constant, the parameters of the kernel it returns are tensors.
    Defaults are those of the operation set.

    Attributes:
        build: takes the constant arguments by keyword, returns the kernel.
        exact: the result consists of numbers of the arguments, so nothing is left to round.
    """

    build: Callable[..., Kernel]
    exact: bool = False


class ValueRefusedError(Exception):
    """A constant argument has a value whose meaning a handler does not know."""

    def __init__(self, argument: str, value: object) -> None:
        super().__init__(f"argument '{argument}' = {value!r}")


@dataclass(frozen=True)
class TensorArgument:
    """The values a kernel takes for one parameter; none if it was left out."""

    names: tuple[str, ...]
    listed: bool


def bind_operation(
    operation: Operation,
    given: Mapping[str, list[str]],
    constants: Mapping[str, Constant],
    where: str,
) -> tuple[Kernel, list[TensorArgument]]:
    """The kernel of an operation, and what to call it with, in its parameters' order.

    Args:
        given: names of values by argument.
        constants: by name of value.
        where: opening of an error message.

    Raises:
        UnsupportedOperationError: an argument, or a value of one, that the handler does not know.
        ArtefactError: an argument that must be there is missing.
    """
    wanted = get_type_hints(operation.build)
    parameters = inspect.signature(operation.build).parameters
    settings = {}
    for name, parameter in parameters.items():
        if name in given:
            place = f"{where}: argument '{name}'"
            if len(given[name]) != 1 or given[name][0] not in constants:
                raise UnsupportedOperationError(f"{place} is not one constant")
            settings[name] = to_python(constants[given[name][0]], wanted[name], place)
        elif parameter.default is inspect.Parameter.empty:
            raise ArtefactError(f"{where}: argument '{name}' is missing")
    try:
        kernel = operation.build(**settings)
    except ValueRefusedError as error:
        raise UnsupportedOperationError(f"{where}: {error} is not known to the evaluator") from None
    return kernel, _bind_tensors(kernel, set(parameters), given, where)


def _bind_tensors(
    kernel: Kernel, settings: set[str], given: Mapping[str, list[str]], where: str
) -> list[TensorArgument]:
    tensors = inspect.signature(kernel).parameters
    unknown = sorted(set(given) - settings - set(tensors))
    if unknown:
        raise UnsupportedOperationError(
            f"{where}: argument {unknown[0]!r} is not known to the evaluator"
        )
    bound = []
    hints = get_type_hints(kernel)
    for name, parameter in tensors.items():
        listed = hints[name] == list[Tensor]
        names = tuple(given.get(name, ()))
        if not names and parameter.default is inspect.Parameter.empty:
            raise ArtefactError(f"{where}: argument '{name}' is missing")
        if len(names) > 1 and not listed:
            raise UnsupportedOperationError(f"{where}: a list of values for argument '{name}'")
        bound.append(TensorArgument(names, listed))
    return bound
