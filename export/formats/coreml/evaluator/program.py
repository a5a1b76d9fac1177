"""A compiled ML program, and running it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor

from export.formats.coreml.evaluator.kinds import TensorType

Slots = int | None | tuple[int, ...]
"""Where a kernel finds one argument: a value, no value, or a list of values."""


class Arithmetic(StrEnum):
    """How half-precision results are kept; inside, every operation computes in float32.

    Core ML promises neither: what it rounds depends on the processor it picks.
    """

    STORAGE = "storage"
    """Stored numbers and explicit casts are half precision, results between them float32."""
    COMPUTE = "compute"
    """The result of each operation is rounded to half precision."""


@dataclass(frozen=True, eq=False)
class Step:
    """One operation, ready to run.

    Attributes:
        names: of its results.
        half: its results are half precision.
        rounded: they are, and are not exact already.
        released: slots that no later step reads.
    """

    names: tuple[str, ...]
    operation: str
    kernel: Callable[..., Any]
    inputs: tuple[Slots, ...]
    outputs: tuple[int, ...]
    half: bool
    rounded: bool
    released: tuple[int, ...] = ()

    def reads(self) -> list[int]:
        """Every slot it reads."""
        listed = [slots if isinstance(slots, tuple) else (slots,) for slots in self.inputs]
        return [slot for slots in listed for slot in slots if slot is not None]

    def releasing(self, slots: tuple[int, ...]) -> Step:
        """The same step, with what can be forgotten after it."""
        return dataclasses.replace(self, released=slots)


@dataclass(frozen=True, eq=False)
class Program:
    """A program whose every operation is known and whose shapes fit.

    Attributes:
        inputs: types by name.
        outputs: types by name, a classifier's label and dictionary left out.
        operations: their number by kind, plain constants not counted.
        half: some result is half precision.
        labels: of the classifier, where the program is one.
        values: the constants in their slots, None in all others.
        slots: of inputs and outputs, by name.
    """

    inputs: dict[str, TensorType]
    outputs: dict[str, TensorType]
    operations: Counter[str]
    half: bool
    labels: list[str] | None
    steps: tuple[Step, ...]
    values: tuple[Tensor | None, ...]
    slots: dict[str, int]

    def execute(
        self, inputs: Mapping[str, Tensor], arithmetic: Arithmetic
    ) -> Iterator[tuple[Step, tuple[Tensor, ...]]]:
        """Run the operations in order; yield each with its results, float32.

        Args:
            inputs: by name, float32, of the declared shapes.
        """
        values: list[Any] = list(self.values)
        for name in self.inputs:
            values[self.slots[name]] = inputs[name]
        rounding = arithmetic is Arithmetic.COMPUTE
        for step in self.steps:
            arguments: list[Any] = []
            for slots in step.inputs:
                if isinstance(slots, int):
                    arguments.append(values[slots])
                else:
                    arguments.append(slots and [values[slot] for slot in slots])
            result = step.kernel(*arguments)
            results = result if isinstance(result, tuple) else (result,)
            if rounding and step.rounded:
                results = tuple(round_to_half(value) for value in results)
            for slot, value in zip(step.outputs, results, strict=True):
                values[slot] = value
            for slot in step.released:
                values[slot] = None
            yield step, results

    @torch.inference_mode()
    def run(self, inputs: Mapping[str, Tensor], arithmetic: Arithmetic) -> dict[str, Tensor]:
        """The outputs by name, float32; see :meth:`execute`."""
        names = {self.slots[name]: name for name in self.outputs}
        outputs = {}
        for step, results in self.execute(inputs, arithmetic):
            for slot, value in zip(step.outputs, results, strict=True):
                if slot in names:
                    outputs[names[slot]] = value
        return outputs

    @torch.inference_mode()
    def run_many(self, inputs: Mapping[str, Tensor], arithmetic: Arithmetic) -> dict[str, Tensor]:
        """The outputs of several photos: each operation is computed for all of them at once.

        Args:
            inputs: by name, float32 [N, ...], N times the declared shapes.
        """
        found: dict[str, Tensor] = torch.vmap(lambda one: self.run(one, arithmetic))(dict(inputs))
        return found


def round_to_half(value: Tensor) -> Tensor:
    """The nearest half-precision numbers, kept in float32."""
    return value.half().float()
