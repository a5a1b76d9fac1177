"""Where does a file depart from torch? The first layer that does, by module and operator.

Torch's operations (:mod:`export.torch_trace`) are matched with the file's intermediate tensors by
value, so that nothing has to be known of the format: names, layouts, fused and split operators
differ everywhere. Torch runs twice: once as it is, and once led by the file, where each result
that the file shows replaces torch's own. In the second run every step starts from the file's own
numbers, so that its distance from the file is what this one operation added.

A tensor of the file stands for the step of the first run that it comes nearest to. A step is
*confirmed* if its tensor is within the rounding of the precision in the second run, and *sound* if
a confirmed one was computed from it, too; that is how fused steps, which no file shows, become
sound. The departure is the first step that is not sound. Where all are and yet the logits are off,
it is the step that added most.

What this cannot see: a permutation of values in a tensor whose layout is unknown (a later step is
named then), and which of several fused steps is at fault (the first and the last are named).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from export.description import Precision
from export.errors import ArtefactError
from export.formats import format_of
from export.formats.interface import Format, TracedTensor
from export.gates import TOLERANCES
from export.tensor_match import (
    MATCH_TOLERANCES,
    RECOGNISABLE,
    Fingerprint,
    align,
    nearest,
    same_values,
)
from export.torch_trace import TorchStep, trace_torch


@dataclass(frozen=True)
class LayerRow:
    """One torch operation and what the file shows of it.

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
        """Module and operation in words."""
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
    """What was found of one file.

    Attributes:
        logits_error: largest difference of a logit over the largest |logit| of torch.
        tolerance: what the gate allows for it.
        rows: every torch operation in order.
    """

    file: str
    precision: Precision
    logits_error: float
    tolerance: float
    departure: Departure | None
    rows: tuple[LayerRow, ...]

    @property
    def agrees(self) -> bool:
        """Whether the logits are within the tolerance."""
        return self.departure is None

    @property
    def largest_addition(self) -> LayerRow | None:
        """The operation that adds most to the error."""
        known = [row for row in self.rows if row.added is not None]
        return max(known, key=lambda row: row.added or 0.0, default=None)

    def summary(self) -> str:
        """One line."""
        logits = (
            f"{self.file}: logits differ by {self.logits_error:.2g} of their scale, "
            f"{self.tolerance:g} is allowed"
        )
        if self.departure is None:
            most = self.largest_addition
            added = f"; most is added by {most.layer}: {most.added:.2g}" if most else ""
            return f"{logits}; agrees everywhere{added}"
        found = self.departure
        after = f"after {found.after.layer}" if found.after else "the very first layer"
        error, seen = "", ""
        if found.seen is not None and found.seen.added is not None:
            error = f", {found.seen.added:.2g} off"
            seen = "" if found.seen == found.layer else f", seen in {found.seen.layer}"
        broken = f"; NaN or infinity from '{found.not_finite}' on" if found.not_finite else ""
        return (
            f"{logits}; departs in {found.layer.layer}, {after}; in the file: operator "
            f"{found.operator} making '{found.tensor}'{seen}{error}{broken}"
        )


def explain(
    run_model: nn.Module,
    path: Path,
    image: np.ndarray,
    precision: Precision,
    tracer: Format | None = None,
) -> Explanation:
    """Find the first layer where a file departs from torch on one image.

    Args:
        run_model: the graph the file was made from, in evaluation mode.
        path: the exported file.
        image: float32 [1, 3, S, S] in [0, 1]; best one whose logits differ.
        precision: of the file; sets the tolerances.
        tracer: the file's format; found by its suffix if not given.

    Raises:
        ArtefactError: the file is damaged, or answers with another number of logits.
        ExportError: the network does not answer with one tensor.
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
    error = float(np.abs(logits - wanted).max()) / (float(np.abs(wanted).max()) or 1.0)
    error = error if np.isfinite(error) else float("inf")
    tolerance = TOLERANCES[precision].max_relative
    led = _LedByFile(steps, traced, precision, error <= tolerance)
    trace_torch(run_model, image, led.follow)
    return Explanation(
        file=path.name,
        precision=precision,
        logits_error=error,
        tolerance=tolerance,
        departure=None if error <= tolerance else led.departure(),
        rows=tuple(led.row(step.index) for step in steps),
    )


@dataclass(frozen=True, eq=False)
class _Shown:
    """A tensor of the file that stands for a step.

    Attributes:
        place: its index in the file's trace.
        error: relative distance from the step computed from the file's own inputs.
        confirmed: whether that is rounding.
        value: in the step's shape; None where the places of the values are not known.
    """

    place: int
    error: float
    confirmed: bool
    value: np.ndarray | None


class _LedByFile:
    """The second run: takes over what the file shows, and remembers what it showed."""

    def __init__(
        self,
        steps: list[TorchStep],
        traced: list[TracedTensor],
        precision: Precision,
        agrees: bool,
    ) -> None:
        self.steps = {step.index: step for step in steps}
        self.last = steps[-1].index
        self.traced = traced
        self.file = [Fingerprint(tensor.value) for tensor in traced]
        self.tolerance = MATCH_TOLERANCES[precision]
        # Where the logits agree nothing is broken, and what only resembles a step is another one.
        self.loosest = self.tolerance.ordered if agrees else RECOGNISABLE
        self.shown: dict[int, _Shown] = {}
        self.owned = self._find_owners()
        self.claimed = {place for places in self.owned.values() for place in places}

    def _find_owners(self) -> dict[int, list[int]]:
        """Tensors of the file by the step of the first run that each comes nearest to."""
        by_count: dict[int, dict[int, Fingerprint]] = defaultdict(dict)
        for step in list(self.steps.values())[:-1]:
            by_count[step.value.size][step.index] = Fingerprint(step.value)
        owned: dict[int, list[int]] = defaultdict(list)
        for place, tensor in enumerate(self.file[:-1]):
            owner = nearest(tensor, by_count[tensor.count])
            if owner is not None:
                owned[owner].append(place)
        # The logits are known by their place in the file.
        owned[self.last].append(len(self.file) - 1)
        return owned

    def follow(self, step: TorchStep) -> np.ndarray | None:
        """Compare a step that was computed from the file's numbers; see :func:`trace_torch`."""
        if step.index not in self.steps:
            return None
        computed = Fingerprint(step.value)
        found = self._own(step, computed) or self._shared(step, computed)
        if found is None:
            return None
        self.shown[step.index] = found
        return found.value

    def _own(self, step: TorchStep, computed: Fingerprint) -> _Shown | None:
        """The first of the step's tensors that is within its tolerance, else the nearest."""
        best, bound = None, self.loosest
        start = self._first_place(step.index)
        for place in (place for place in self.owned[step.index] if place >= start):
            found = align(computed, self.file[place], bound)
            if found is not None:
                bound = found.error
                confirmed = bound <= self.tolerance.ordered
                value = found.restore(self.file[place], step.value.shape)
                best = _Shown(place, bound, confirmed, value)
                if confirmed:
                    break
        return best

    def _first_place(self, index: int) -> int:
        """Where in the file a step may begin to show: nothing comes before what it is made from."""
        return max((self.shown[earlier].place for earlier in self._shown_before(index)), default=0)

    def _shared(self, step: TorchStep, computed: Fingerprint) -> _Shown | None:
        """A tensor that is an earlier step's, too, as of x and relu(x), or in no known layout."""
        earlier = {shown.place: shown.error for shown in self.shown.values()}
        for place in range(self._first_place(step.index), len(self.file) - 1):
            tensor = self.file[place]
            if place in earlier:
                found = align(computed, tensor, 2 * earlier[place] + 1e-6)
                if found is not None and found.error <= self.tolerance.ordered:
                    value = found.restore(tensor, step.value.shape)
                    return _Shown(place, found.error, True, value)
            elif place not in self.claimed:
                error = same_values(computed, tensor, self.tolerance.unordered)
                if error is not None:
                    return _Shown(place, error, True, None)
        return None

    def departure(self) -> Departure:
        """The first step that is not sound, else the one that added most."""
        sound = self._sound()
        unsound = [index for index in self.steps if index not in sound]
        culprit = unsound[0] if unsound else max(self.shown, key=lambda i: self.shown[i].error)
        before = self._shown_before(culprit)
        start = max((self.shown[index].place for index in before), default=-1) + 1
        seen = next((i for i in [culprit, *unsound] if i in self.shown), None)
        place = self.shown[culprit].place if seen == culprit else self._first_wrong(sound, start)
        following = range(start, len(self.file))
        not_finite = next((p for p in following if not self.file[p].finite), None)
        return Departure(
            layer=self.row(culprit),
            operator=self.traced[place].operator,
            tensor=self.traced[place].name,
            seen=None if seen is None else self.row(seen),
            after=self.row(max(before)) if before else None,
            not_finite=None if not_finite is None else self.traced[not_finite].name,
        )

    def _first_wrong(self, sound: set[int], start: int) -> int:
        """The first of the file's tensors, from ``start`` on, that is no sound step's."""
        right = {place for index in sound for place in self.owned[index]}
        right |= {self.shown[index].place for index in sound & self.shown.keys()}
        wrong = (place for place in range(start, len(self.file)) if place not in right)
        return next(wrong, len(self.file) - 1)

    def row(self, index: int) -> LayerRow:
        """What the file shows of a step."""
        step, shown = self.steps[index], self.shown.get(index)
        if shown is None:
            return LayerRow(step.module, step.operation)
        error = None
        if shown.value is not None:
            difference = float(np.linalg.norm(shown.value - step.value))
            error = difference / (Fingerprint(step.value).scale or 1.0)
        made = self.traced[shown.place]
        return LayerRow(step.module, step.operation, made.name, made.operator, error, shown.error)

    def _sound(self) -> set[int]:
        """Confirmed steps and what they were computed from, up to steps shown to be wrong."""
        sound: set[int] = set()
        waiting = [index for index, shown in self.shown.items() if shown.confirmed]
        while waiting:
            index = waiting.pop()
            wrong = index in self.shown and not self.shown[index].confirmed
            if index not in sound and not wrong:
                sound.add(index)
                waiting.extend(self.steps[index].inputs)
        return sound

    def _shown_before(self, index: int) -> set[int]:
        """The nearest steps that a step was computed from and the file shows."""
        found: set[int] = set()
        visited: set[int] = set()
        waiting = list(self.steps[index].inputs)
        while waiting:
            earlier = waiting.pop()
            if earlier in self.shown:
                found.add(earlier)
            elif earlier not in visited:
                visited.add(earlier)
                waiting.extend(self.steps[earlier].inputs)
        return found
