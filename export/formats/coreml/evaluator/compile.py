"""Compilation of a package's ML program to runnable steps, with all names and shapes checked."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import Tensor

from export.errors import ArtefactError, UnsupportedOperationError
from export.formats.coreml.evaluator.bind import TensorArgument, bind_operation
from export.formats.coreml.evaluator.kinds import FP16, FP32, STRING, TensorType, read_type
from export.formats.coreml.evaluator.operations import COMPRESSED, OPERATIONS
from export.formats.coreml.evaluator.package import Package
from export.formats.coreml.evaluator.program import Program, Slots, Step
from export.formats.coreml.evaluator.values import Constant, read_strings, read_value, to_torch
from hierattn.errors import first_line

OPSET = "CoreML6"
"""The operations of iOS 16; handlers know the defaults and meanings of this set."""

_KERNEL_ERRORS = (RuntimeError, ValueError, TypeError, IndexError, ArithmeticError)
"""What torch raises for shapes and settings that do not fit."""


def compile_program(package: Package) -> Program:
    """Check and compile the program of a package.

    Raises:
        UnsupportedOperationError: an operation, an argument or a value that is not known.
        ArtefactError: a program that contradicts itself, or weights that are not there.
    """
    model = package.model
    if model.WhichOneof("Type") != "mlProgram":
        raise ArtefactError(f"{package.path}: not an ML program")
    functions = model.mlProgram.functions
    if list(functions) != ["main"] or functions["main"].opset != OPSET:
        raise UnsupportedOperationError(
            f"{package.path}: only one function 'main' with the operations of {OPSET} is known"
        )
    function = functions["main"]
    if OPSET not in function.block_specializations:
        raise ArtefactError(f"{package.path}: the program has no block of operations")
    block = function.block_specializations[OPSET]
    if function.attributes or block.attributes or block.inputs:
        raise UnsupportedOperationError(f"{package.path}: attributes of a function are not known")
    compiler = _Compiler(package)
    for entry in function.inputs:
        compiler.take_input(entry)
    for operation in block.operations:
        compiler.take_operation(operation)
    return compiler.finish(list(block.outputs))


class _Compiler:
    """Compiles a program part by part. Slots number the values, constants included."""

    def __init__(self, package: Package) -> None:
        self.path = package.path
        self.weights = package.weights
        self.slots: dict[str, int] = {}
        self.types: list[TensorType] = []
        self.meta: list[Tensor | None] = []
        self.constants: dict[str, Constant] = {}
        self.steps: list[Step] = []
        self.inputs: list[str] = []
        self.operations: Counter[str] = Counter()
        self.labels: list[str] | None = None
        self.label_outputs: set[str] = set()

    def take_input(self, entry: Any) -> None:
        where = f"{self.path}: input {entry.name!r}"
        declared = read_type(entry.type, where)
        if not declared.kind.is_float:
            raise UnsupportedOperationError(f"{where}: {declared.kind.label} values")
        self._add(entry.name, declared, where)
        self.inputs.append(entry.name)

    def take_operation(self, operation: Any) -> None:
        name = operation.outputs[0].name if operation.outputs else ""
        where = f"{self.path}: operation {_printable(operation.type)} {name!r}"
        if operation.blocks:
            raise UnsupportedOperationError(f"{where}: blocks inside an operation are not known")
        if operation.type != "const":
            self.operations[operation.type] += 1
        if operation.type == "const" or operation.type in COMPRESSED:
            self._take_constant(operation, where)
        elif operation.type == "classify":
            self._take_classifier(operation, where)
        elif operation.type in OPERATIONS:
            self._take_step(operation, where)
        else:
            raise UnsupportedOperationError(f"{where} is not known to the evaluator")

    def finish(self, outputs: list[str]) -> Program:
        """Number of steps, slots and outputs are final: build the program."""
        named = [name for name in outputs if name not in self.label_outputs]
        missing = [name for name in named if name not in self.slots or name in self.constants]
        if missing or not named:
            raise ArtefactError(f"{self.path}: no operation computes the output {missing}")
        values = self._constant_tensors()
        steps = _with_releases(self.steps, {self.slots[name] for name in named})
        return Program(
            inputs={name: self._type(name) for name in self.inputs},
            outputs={name: self._type(name) for name in named},
            operations=self.operations,
            half=any(step.half for step in steps),
            labels=self.labels,
            steps=steps,
            values=values,
            slots={name: self.slots[name] for name in (*self.inputs, *named)},
        )

    def _add(self, name: str, declared: TensorType, where: str) -> int:
        if name in self.slots or name in self.label_outputs or not name:
            raise ArtefactError(f"{where}: the name {name!r} is not a new one")
        self.slots[name] = len(self.types)
        self.types.append(declared)
        floating = declared.kind.is_float
        self.meta.append(torch.empty(declared.shape, device="meta") if floating else None)
        return self.slots[name]

    def _type(self, name: str) -> TensorType:
        return self.types[self.slots[name]]

    def _names(self, operation: Any, where: str) -> dict[str, list[str]]:
        """Names of the values bound to each argument, all of them known."""
        found = {}
        for argument, message in operation.inputs.items():
            names = [
                part.name for part in message.arguments if part.WhichOneof("binding") == "name"
            ]
            if len(names) != len(message.arguments) or not names:
                raise UnsupportedOperationError(f"{where}: argument {argument!r} written in place")
            for name in names:
                if name not in self.slots:
                    raise ArtefactError(f"{where}: {argument!r} reads {name!r}, not computed yet")
            found[argument] = names
        return found

    def _take_constant(self, operation: Any, where: str) -> None:
        values = {
            name: read_value(value, self.weights, f"{where}: {name!r}")
            for name, value in operation.attributes.items()
            if name != "name"
        }
        if operation.inputs or len(operation.outputs) != 1:
            raise UnsupportedOperationError(f"{where}: a constant with arguments is not known")
        declared = read_type(operation.outputs[0].type, where)
        if operation.type != "const":
            value = COMPRESSED[operation.type](values, where)
        elif set(values) == {"val"}:
            value = values["val"]
        else:
            raise UnsupportedOperationError(f"{where}: {sorted(values)} instead of a value")
        if (value.kind, value.value.shape) != (declared.kind, declared.shape):
            raise ArtefactError(f"{where}: the value is not of the declared type")
        name = operation.outputs[0].name
        self._add(name, declared, where)
        self.constants[name] = value

    def _take_classifier(self, operation: Any, where: str) -> None:
        """Read the labels and check the scores; the logits are an output of their own."""
        if set(operation.inputs) != {"probabilities", "classes"} or len(operation.outputs) != 2:
            raise UnsupportedOperationError(f"{where}: arguments {sorted(operation.inputs)}")
        classes = operation.inputs["classes"].arguments
        scores = operation.inputs["probabilities"].arguments
        if len(classes) != 1 or len(scores) != 1 or scores[0].name not in self.slots:
            raise UnsupportedOperationError(f"{where}: its arguments are not one list and scores")
        self.labels = read_strings(classes[0].value, where)
        if self._type(scores[0].name).shape[-1:] != (len(self.labels),):
            raise ArtefactError(f"{where}: {len(self.labels)} classes do not fit the scores")
        self.label_outputs = {output.name for output in operation.outputs}

    def _take_step(self, operation: Any, where: str) -> None:
        known = OPERATIONS[operation.type]
        extra = sorted(set(operation.attributes) - {"name"})
        if extra:
            raise UnsupportedOperationError(f"{where}: attribute {extra[0]!r} is not known")
        given = self._names(operation, where)
        kernel, tensors = bind_operation(known, given, self.constants, where)
        declared = [read_type(output.type, where) for output in operation.outputs]
        kind = self._check_kinds(operation.type, given, tensors, declared, where)
        inputs = tuple(self._slots_of(tensor) for tensor in tensors)
        self._check_shapes(kernel, inputs, declared, where)
        outputs = tuple(
            self._add(output.name, type_, where)
            for output, type_ in zip(operation.outputs, declared, strict=True)
        )
        names = tuple(output.name for output in operation.outputs)
        half = kind is FP16
        rounded = half and not known.exact
        step = Step(names, operation.type, kernel, inputs, outputs, half, rounded)
        self.steps.append(step)

    def _slots_of(self, tensor: TensorArgument) -> Slots:
        slots = tuple(self.slots[name] for name in tensor.names)
        return slots if tensor.listed else slots[0] if slots else None

    def _check_kinds(
        self,
        operation: str,
        given: dict[str, list[str]],
        tensors: list[TensorArgument],
        declared: list[TensorType],
        where: str,
    ) -> Any:
        """The kind of the results. Only a cast changes the kind of what flows through it."""
        kinds = {self._type(name).kind for tensor in tensors for name in tensor.names}
        results = {output.kind for output in declared}
        if operation == "cast":
            target = str(self.constants[given["dtype"][0]].value)
            fits = {kind.label for kind in results} == {target}
        else:
            fits = kinds == results
        if not fits or len(results) != 1 or not kinds | results <= {FP16, FP32}:
            labels = sorted(kind.label for kind in kinds | results)
            raise UnsupportedOperationError(f"{where}: values of kinds {labels} together")
        return results.pop()

    def _check_shapes(
        self, kernel: Any, inputs: tuple[Slots, ...], declared: list[TensorType], where: str
    ) -> None:
        """Compute shapes without numbers; those of the results must be the declared ones."""
        arguments = [
            None
            if slots is None
            else self.meta[slots]
            if isinstance(slots, int)
            else [self.meta[slot] for slot in slots]
            for slots in inputs
        ]
        try:
            result = kernel(*arguments)
        except _KERNEL_ERRORS as error:
            reason = first_line(error)
            raise ArtefactError(f"{where}: its arguments do not fit ({reason})") from error
        results = result if isinstance(result, tuple) else (result,)
        shapes = [tuple(value.shape) for value in results]
        if shapes != [output.shape for output in declared]:
            expected = [list(output.shape) for output in declared]
            found = [list(shape) for shape in shapes]
            raise ArtefactError(f"{where}: gives the shape {found}, not {expected} as declared")

    def _constant_tensors(self) -> tuple[Tensor | None, ...]:
        """Those constants that some step computes with, by slot."""
        read = {slot for step in self.steps for slot in step.reads()}
        values: list[Tensor | None] = [None] * len(self.types)
        for name, constant in self.constants.items():
            if constant.kind is not STRING and self.slots[name] in read:
                values[self.slots[name]] = to_torch(constant)
        return tuple(values)


def _printable(name: str) -> str:
    return name if name.isidentifier() else repr(name)


def _with_releases(steps: list[Step], kept: set[int]) -> tuple[Step, ...]:
    """Each step with the slots whose last reader it is; outputs of the program are kept."""
    last: dict[int, int] = {}
    for index, step in enumerate(steps):
        for slot in (*step.outputs, *step.reads()):
            last[slot] = index
    released: dict[int, list[int]] = {}
    for slot, index in last.items():
        if slot not in kept:
            released.setdefault(index, []).append(slot)
    return tuple(step.releasing(tuple(released.get(index, ()))) for index, step in enumerate(steps))
