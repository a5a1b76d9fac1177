"""Guided trace: torch run on the intermediate results of an exported file."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from export.debug.tensor_match import (
    MATCH_TOLERANCES,
    RECOGNISABLE,
    Fingerprint,
    align,
    mostly_alike,
    nearest,
    same_values,
)
from export.debug.torch_trace import TorchStep
from export.formats.interface import TracedTensor
from export.schema.metadata import Precision


@dataclass(frozen=True, eq=False)
class TensorMatch:
    """The tensor of the file that matches a torch step.

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


class GuidedTrace:
    """Matches the file's tensors with torch's steps in a second run, which continues with them.

    A tensor is *owned* by the step of the first run that it comes nearest to. In the second run a
    step takes the nearest of its tensors.

    Args:
        steps: of the first run.
        traced: the file's tensors, the logits last.
        precision: of the file; sets the tolerances.
        broken: the logits disagree, so that a tensor may be far from the step it matches. Where
            they agree, a tensor that only resembles a step belongs to another one.

    Attributes:
        steps: by index.
        file: the file's tensors, as ``traced``.
        owned: indices of tensors by step.
        matches: by step, after the second run.
    """

    def __init__(
        self,
        steps: list[TorchStep],
        traced: list[TracedTensor],
        precision: Precision,
        *,
        broken: bool,
    ) -> None:
        self.steps = {step.index: step for step in steps}
        self.traced, self.precision = traced, precision
        self.file = [Fingerprint(tensor.value) for tensor in traced]
        self.matches: dict[int, TensorMatch] = {}
        self._tolerance = MATCH_TOLERANCES[precision]
        self._broken = broken
        self._mostly: set[int] = set()
        self.owned = self._find_owners(steps[-1].index)
        self._claimed = {place for places in self.owned.values() for place in places}

    def follow(self, step: TorchStep) -> np.ndarray | None:
        """Match a step just computed; the ``substitute`` of :func:`.torch_trace.trace_torch`.

        Returns:
            The file's value in the step's shape; None without a match.
        """
        if step.index not in self.steps:
            return None
        computed = Fingerprint(step.value)
        found = self._own(step, computed) or self._shared(step, computed)
        if found is None:
            return None
        self.matches[step.index] = found
        return found.value

    def matched_before(self, index: int) -> set[int]:
        """The nearest matched steps among those that a step was computed from."""
        found: set[int] = set()
        visited: set[int] = set()
        waiting = list(self.steps[index].inputs)
        while waiting:
            earlier = waiting.pop()
            if earlier in self.matches:
                found.add(earlier)
            elif earlier not in visited:
                visited.add(earlier)
                waiting.extend(self.steps[earlier].inputs)
        return found

    def error(self, index: int) -> float | None:
        """Relative distance of a matched step from the first run, with all errors before it."""
        value = self.matches[index].value
        if value is None:
            return None
        wanted = self.steps[index].value
        return float(np.linalg.norm(value - wanted)) / (Fingerprint(wanted).scale or 1.0)

    def _find_owners(self, last: int) -> dict[int, list[int]]:
        by_count: dict[int, dict[int, Fingerprint]] = defaultdict(dict)
        for step in self.steps.values():
            if step.index != last:
                by_count[step.value.size][step.index] = Fingerprint(step.value)
        owned: dict[int, list[int]] = defaultdict(list)
        unmatched = []
        for place, tensor in enumerate(self.file[:-1]):
            owner = nearest(tensor, by_count[tensor.count])
            if owner is None:
                unmatched.append(place)
            else:
                owned[owner].append(place)
        for place in unmatched if self._broken else ():
            alike = by_count[self.file[place].count]
            owner = mostly_alike(
                self.file[place], {key: alike[key] for key in alike if key not in owned}
            )
            if owner is not None:
                self._mostly.add(place)
                owned[owner].append(place)
        # The logits are known by their place in the file.
        self._mostly.add(len(self.file) - 1)
        owned[last].append(len(self.file) - 1)
        return owned

    def _own(self, step: TorchStep, computed: Fingerprint) -> TensorMatch | None:
        best, bound = None, RECOGNISABLE if self._broken else self._tolerance.ordered
        start = self._first_place(step.index)
        for place in (place for place in self.owned[step.index] if place >= start):
            known = place in self._mostly and best is None
            found = align(computed, self.file[place], float("inf") if known else bound)
            if found is not None:
                bound = found.error
                value = found.restore(self.file[place], step.value.shape)
                best = TensorMatch(place, bound, bound <= self._tolerance.ordered, value)
        return best

    def _first_place(self, index: int) -> int:
        """First index in the file that can match a step: that of its last matched input."""
        return max(
            (self.matches[earlier].place for earlier in self.matched_before(index)), default=0
        )

    def _shared(self, step: TorchStep, computed: Fingerprint) -> TensorMatch | None:
        """A tensor that matches an earlier step, too (x and relu(x)), or of unknown layout."""
        earlier = {match.place: match.error for match in self.matches.values()}
        for place in range(self._first_place(step.index), len(self.file) - 1):
            tensor = self.file[place]
            if place in earlier:
                found = align(computed, tensor, 2 * earlier[place] + 1e-6)
                if found is not None and found.error <= self._tolerance.ordered:
                    value = found.restore(tensor, step.value.shape)
                    return TensorMatch(place, found.error, True, value)
            elif place not in self._claimed:
                error = same_values(computed, tensor, self._tolerance.unordered)
                if error is not None:
                    return TensorMatch(place, error, True, None)
        return None
