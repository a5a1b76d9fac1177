"""Localisation of errors in an exported file: the first layer where it departs from torch.

Torch's operations are matched with the file's intermediate tensors by value, which needs no
knowledge of the format: names, layouts, fused and split operators differ everywhere. Torch runs
twice: once as it is, and once guided by the file (:mod:`export.debug.guided_trace`), where each
result that the file shows replaces torch's own. There every step starts from the file's own
numbers, so that its distance from the file is what this one operation added.

A step is *confirmed* if that is within the rounding of the precision, and *sound* if a confirmed
one was computed from it, too; that is how fused steps, which no file shows, become sound. The
departure is the first step that is not sound. Where all are and yet the logits are off, it is the
step that added most; so it is in int8, too, where rounding alone may make a step look wrong.

What this cannot see: a permutation of values in a tensor whose layout is unknown (a later step is
named then), and which of several fused steps is at fault (the first and the last are named).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from export.checks.gates import TOLERANCES
from export.debug.guided_trace import GuidedTrace
from export.debug.torch_trace import trace_torch
from export.errors import ArtefactError
from export.formats.interface import Format
from export.formats.registry import format_of
from export.schema.metadata import Precision

_ALIKE = 2.0
"""A file at most so many times as far from float64 as torch is as near as torch."""


@dataclass(frozen=True)
class LayerRow:
    """One torch operation and the matching tensor of the file.

    Attributes:
        module: qualified name; "" for the network itself.
        tensor: the file's tensor that is its result; None where none is (fused, or wrong).
        operator: the file's operator that made the tensor.
        error: distance from torch's tensor, everything before it included, relative to the
            tensor's spread; None where only the sorted values agree.
        added: the same from torch's tensor computed from the file's own inputs: what this
            operation, and fused ones before it, added.
    """

    module: str
    operation: str
    tensor: str | None = None
    operator: str | None = None
    error: float | None = None
    added: float | None = None

    @property
    def layer(self) -> str:
        """Module and operation, as text."""
        return f"{self.module or 'the network itself'} ({self.operation})"


@dataclass(frozen=True)
class Departure:
    """The first layer that departs.

    Attributes:
        layer: the first torch step that is not sound.
        operator: the file's operator at fault: that of ``layer``, if the file shows it, else the
            first one whose result is no sound step's.
        tensor: what that operator made.
        seen: the first wrong step whose result the file shows; later than ``layer`` where
            operators are fused between them; None where nothing in the file resembles one.
        after: the last sound step before it that the file shows; None if there is none.
        not_finite: the file's first tensor with NaN or infinity from there on.
    """

    layer: LayerRow
    operator: str
    tensor: str
    seen: LayerRow | None
    after: LayerRow | None
    not_finite: str | None


@dataclass(frozen=True)
class Explanation:
    """Result for one file.

    Attributes:
        image: name of the image that was asked; "" where it has none.
        logits_error: largest difference of a logit over the image's scale.
        tolerance: what the gate allows for it.
        rows: every torch operation in order.
        torch_exact_error: distance of torch's own float32 logits from its float64 ones on this
            image, on the same scale; None where the network has no float64.
        file_exact_error: the same of the file's logits.
    """

    file: str
    precision: Precision
    logits_error: float
    tolerance: float
    departure: Departure | None
    rows: tuple[LayerRow, ...]
    torch_exact_error: float | None = None
    file_exact_error: float | None = None
    image: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the logits are within the tolerance."""
        return self.departure is None

    @property
    def largest_addition(self) -> LayerRow | None:
        """The operation that adds most to the error."""
        known = [row for row in self.rows if row.added is not None]
        return max(known, key=lambda row: row.added or 0.0, default=None)

    @property
    def accumulation(self) -> str:
        """How far torch and the file lie from exact arithmetic, and what follows; "" if unknown.

        Sums of float32 differ with their order. Where the file is as near to float64 as torch is,
        no operator is wrong: the tolerance is narrower than torch's own rounding.
        """
        ours, theirs = self.torch_exact_error, self.file_exact_error
        if ours is None or theirs is None or self.precision is not Precision.FP32:
            return ""
        told = f"from torch in float64, torch's float32 lies {ours:.2g} and the file {theirs:.2g}"
        if self.agrees:
            return told
        if theirs <= _ALIKE * ours:
            return f"{told}: the order of float32 sums explains it, no operator is wrong"
        return f"{told}: more than the order of float32 sums explains"

    def summary(self) -> str:
        """Summary in one line."""
        logits = (
            f"{self.file}: logits{f' of {self.image}' if self.image else ''} differ by "
            f"{self.logits_error:.2g} of the scale, "
            f"{self.tolerance:g} is allowed"
        )
        exact = f"; {self.accumulation}" if self.accumulation else ""
        if self.departure is None:
            most = self.largest_addition
            added = (
                f"; of single results, {most.layer} adds most, {most.added:.2g} of its deviation"
                if most
                else ""
            )
            return f"{logits}; agrees everywhere{added}{exact}"
        found = self.departure
        after = f"after {found.after.layer}" if found.after else "the very first layer"
        error, seen = "", ""
        if found.seen is not None and found.seen.added is not None:
            error = f", {found.seen.added:.2g} off"
            seen = "" if found.seen == found.layer else f", seen in {found.seen.layer}"
        broken = f"; NaN or infinity from '{found.not_finite}' on" if found.not_finite else ""
        return (
            f"{logits}; departs in {found.layer.layer}, {after}; in the file: operator "
            f"{found.operator} making '{found.tensor}'{seen}{error}{broken}{exact}"
        )


def explain(
    run_model: nn.Module,
    path: Path,
    image: np.ndarray,
    precision: Precision,
    tracer: Format | None = None,
    scale: float | None = None,
) -> Explanation:
    """Find the first layer where a file departs from torch on one image.

    Args:
        run_model: the graph the file was made from, in evaluation mode.
        path: the exported file.
        image: float32 [1, 3, S, S] in [0, 1]; preferably one whose logits differ.
        precision: of the file; sets the tolerances.
        tracer: the file's format; found by its suffix if not given.
        scale: of the image's logits (:func:`export.checks.parity.logit_scales`); its own largest if
            not given.

    Raises:
        ArtefactError: the file is damaged, or returns another number of logits.
        ExportError: the network does not return one tensor.
    """
    steps = trace_torch(run_model, image)
    traced = list((tracer or format_of(path)).trace(path, image))
    logits = np.asarray(traced[-1].value).ravel() if traced else np.empty(0)
    if logits.size != steps[-1].value.size:
        raise ArtefactError(
            f"{path}: answers with {logits.size} logits, torch with {steps[-1].value.size}; is it "
            "a file of another model?"
        )
    wanted = steps[-1].value.ravel()
    exact = _exact_logits(run_model, image)
    scale = scale or float(np.abs(wanted).max()) or 1.0

    def distance(one: np.ndarray, other: np.ndarray) -> float:
        largest = float(np.abs(one - other).max()) / scale
        return largest if np.isfinite(largest) else float("inf")

    error = distance(logits, wanted)
    tolerance = TOLERANCES[precision].max_relative
    guided = GuidedTrace(steps, traced, precision, broken=error > tolerance)
    trace_torch(run_model, image, guided.follow)
    return Explanation(
        file=path.name,
        precision=precision,
        logits_error=error,
        tolerance=tolerance,
        departure=None if error <= tolerance else _departure(guided),
        rows=tuple(_row(guided, step.index) for step in steps),
        torch_exact_error=None if exact is None else distance(wanted, exact),
        file_exact_error=None if exact is None else distance(logits, exact),
    )


def _exact_logits(network: nn.Module, image: np.ndarray) -> np.ndarray | None:
    """The network's logits in float64; None where it has a step that takes float32 alone."""
    double = copy.deepcopy(network).double()
    try:
        with torch.no_grad():
            return double(torch.from_numpy(image).double()).numpy().ravel()
    except RuntimeError:
        return None


def _departure(guided: GuidedTrace) -> Departure:
    """The first step that is not sound, else the one that added most."""
    sound = _sound(guided)
    unsound = [index for index in guided.steps if index not in sound]
    culprit = _culprit(guided, unsound)
    before = guided.matched_before(culprit)
    start = max((guided.matches[index].place for index in before), default=-1) + 1
    seen = next((index for index in [culprit, *unsound] if index in guided.matches), None)
    place = guided.matches[culprit].place if seen == culprit else _first_wrong(guided, sound, start)
    following = range(start, len(guided.file))
    not_finite = next((p for p in following if not guided.file[p].finite), None)
    return Departure(
        layer=_row(guided, culprit),
        operator=guided.traced[place].operator,
        tensor=guided.traced[place].name,
        seen=None if seen is None else _row(guided, seen),
        after=_row(guided, max(before)) if before else None,
        not_finite=None if not_finite is None else guided.traced[not_finite].name,
    )


def _culprit(guided: GuidedTrace, unsound: list[int]) -> int:
    wrong = [index for index in unsound if index in guided.matches]
    finite = all(tensor.finite for tensor in guided.file)
    if guided.precision is Precision.INT8 and wrong and finite:
        return max(wrong, key=lambda index: guided.matches[index].error)
    return (
        unsound[0]
        if unsound
        else max(guided.matches, key=lambda index: guided.matches[index].error)
    )


def _sound(guided: GuidedTrace) -> set[int]:
    """Confirmed steps and what they were computed from, up to steps that are wrong."""
    sound: set[int] = set()
    waiting = [index for index, match in guided.matches.items() if match.confirmed]
    while waiting:
        index = waiting.pop()
        wrong = index in guided.matches and not guided.matches[index].confirmed
        if index not in sound and not wrong:
            sound.add(index)
            waiting.extend(guided.steps[index].inputs)
    return sound


def _first_wrong(guided: GuidedTrace, sound: set[int], start: int) -> int:
    """The first of the file's tensors, from ``start`` on, that is no sound step's."""
    right = {place for index in sound for place in guided.owned[index]}
    right |= {guided.matches[index].place for index in sound & guided.matches.keys()}
    wrong = (place for place in range(start, len(guided.file)) if place not in right)
    return next(wrong, len(guided.file) - 1)


def _row(guided: GuidedTrace, index: int) -> LayerRow:
    """The row of a step, with the matching tensor if there is one."""
    step, match = guided.steps[index], guided.matches.get(index)
    if match is None:
        return LayerRow(step.module, step.operation)
    made = guided.traced[match.place]
    return LayerRow(
        step.module, step.operation, made.name, made.operator, guided.error(index), match.error
    )
