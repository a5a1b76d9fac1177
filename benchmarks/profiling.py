"""``--profile``: the costliest kinds of operators of each row."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.results import CostlyOperator
from benchmarks.subjects import Subject
from benchmarks.workers import Order, WorkerError, last_words, worker_environment
from export.progress import Observer, Progress, unobserved

SCRIPT = Path(__file__).with_name("operator_times.py")
RUNS = 50
KEPT = 12
LIMIT_S = 300.0


def profile_all(subjects: Sequence[Subject], progress: Observer = unobserved) -> None:
    """Add the profile, or why there is none, to every row that can be run."""
    todo = [subject for subject in subjects if subject.order is not None]
    for number, subject in enumerate(todo):
        progress(Progress("", f"profiling {subject.label}", number, len(todo)))
        if subject.order is None:
            continue
        try:
            update: dict[str, object] = {"profile": profile(subject.order)}
        except WorkerError as error:
            update = {"profile_note": str(error)}
        subject.row = subject.row.model_copy(update=update)
    progress(Progress("", "profiled", len(todo), len(todo)))


def profile(order: Order) -> list[CostlyOperator]:
    """The costliest kinds of operators, in a process of its own.

    Raises:
        WorkerError: the runtime cannot be profiled from here, or died; says why.
    """
    fields = {**asdict(order), "runs": RUNS}
    try:
        done = subprocess.run(
            [order.python, "-I", str(SCRIPT), json.dumps(fields)],
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
            env=worker_environment(order.threads),
            start_new_session=True,
        )
    except subprocess.TimeoutExpired as error:
        raise WorkerError(f"no profile within {LIMIT_S:.0f} s") from error
    except OSError as error:
        raise WorkerError(f"{order.python}: cannot be started ({error.strerror})") from error
    if done.returncode:
        raise WorkerError(f"not profiled: {last_words(done.returncode, done.stderr)}")
    try:
        return costliest(json.loads(done.stdout))
    except ValueError as error:
        raise WorkerError("not profiled: the profiler's answer cannot be read") from error


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
