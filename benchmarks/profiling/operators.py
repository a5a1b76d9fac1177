"""``--profile``: the most expensive kinds of operators of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.cases import Case
from benchmarks.results import CostlyOperator
from export.errors import WorkerError
from export.progress import Observer, Progress, unobserved
from export.runtime.client import Worker, WorkerConfig

RUNS = 50
KEPT = 12
LIMIT_S = 300.0


def profile_all(cases: Sequence[Case], progress: Observer = unobserved) -> None:
    """Add the profile, or why there is none, to every row that can be run."""
    todo = [case for case in cases if case.config is not None]
    for number, case in enumerate(todo):
        progress(Progress("", f"profiling {case.label}", number, len(todo)))
        if case.config is None:
            continue
        try:
            update: dict[str, object] = {"profile": profile(case.config)}
        except WorkerError as error:
            update = {"profile_note": str(error)}
        case.row = case.row.model_copy(update=update)
    progress(Progress("", "profiled", len(todo), len(todo), over=True))


def profile(config: WorkerConfig) -> list[CostlyOperator]:
    """The costliest kinds of operators, in a process of its own.

    Raises:
        WorkerError: the runtime cannot be profiled from here, or died; says why.
    """
    try:
        with Worker(config) as worker:
            worker.wait_until_ready()
            return costliest(worker.profile(RUNS, LIMIT_S))
    except WorkerError as error:
        raise WorkerError(f"not profiled: {error}") from error


def costliest(milliseconds: Mapping[str, float], kept: int = KEPT) -> list[CostlyOperator]:
    """The kinds that take most, with their share of the whole.

    Args:
        milliseconds: a run, by kind.
        kept: how many.
    """
    whole = sum(milliseconds.values())
    ranked = sorted(milliseconds.items(), key=lambda pair: (-pair[1], pair[0]))
    return [
        CostlyOperator(operator=name, milliseconds=spent, share=spent / whole)  # whole >= spent > 0
        for name, spent in ranked[:kept]
        if spent > 0
    ]
