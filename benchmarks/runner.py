"""Measures all cases of a session: one process each, in turns, over several launches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from benchmarks.plan import Plan
from benchmarks.results import threads_of
from benchmarks.stats import Repeats
from export.errors import WorkerError
from export.progress import Observer, Progress, unobserved
from export.runtime.client import Partitions, Worker, WorkerConfig


@dataclass
class Measurement:
    """All that was measured of one case.

    Attributes:
        turns: milliseconds of each run, by launch and turn.
        settled: whether each process so far was steady at the end of its warm-up.
        failure: why there will be no more; a measurement that failed keeps nothing.
        sustained: medians of the sustained load's seconds; ``remark`` says why there are none.
    """

    config: WorkerConfig
    label: str
    loads: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    warm_ups: list[int] = field(default_factory=list)
    settled: bool = True
    turns: list[list[list[float]]] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    delegated: Partitions | None = None
    version: str = ""
    failure: str | None = None
    sustained: list[float] = field(default_factory=list)
    remark: str = ""

    @property
    def samples(self) -> list[float]:
        """Every steady run, in order."""
        return [ms for launch in self.turns for turn in launch for ms in turn]

    @property
    def p50_ms(self) -> float | None:
        """Median of all steady runs; None before the first."""
        return float(np.median(self.samples)) if self.samples else None

    def repeats(self) -> Repeats:
        """For the noise floor: the p50 of each launch; of each turn where there is one launch."""
        parts = [[ms for turn in launch for ms in turn] for launch in self.turns]
        if len(parts) == 1:
            parts = self.turns[0]
        found = [float(np.median(part)) for part in parts if part]
        return Repeats(self.config.threads, found)


Checkpoint = Callable[[], None]


def measure(
    measurements: Sequence[Measurement],
    plan: Plan,
    progress: Observer = unobserved,
    checkpoint: Checkpoint | None = None,
) -> None:
    """Fill the measurements; one that fails says so and stops no other.

    Within a launch the thread counts come one after another; processes of one thread count are
    alive together, and one of them runs at a time.

    Args:
        measurements: what to measure, filled here, also when interrupted.
        progress: told between turns, never during one.
        checkpoint: called when a launch of one thread count is through.
    """
    counts = sorted({one.config.threads for one in measurements})
    shares = plan.shares()
    total = len(counts) * sum(len(launch) + 1 for launch in shares)
    done = 0
    for launch, sizes in enumerate(shares):
        for threads in counts:
            todo = [
                one for one in measurements if one.config.threads == threads and not one.failure
            ]
            words = f"launch {launch + 1} of {len(shares)}, {threads_of(threads)}"
            for step in _launch(todo, sizes, launch, plan):
                progress(Progress("", f"{words}: {step}", done, total))
                done += step != "starting"
            if checkpoint is not None:
                checkpoint()
    progress(Progress("", "measured in turns, each of all rows", total, total, over=True))


def sustain(
    measurements: Sequence[Measurement], seconds: float, plan: Plan, progress: Observer = unobserved
) -> None:
    """Run each measurement for long without a pause, one after another."""
    todo = [one for one in measurements if not one.failure]
    for number, one in enumerate(todo):
        progress(Progress("", f"sustained load: {one.label}", number, len(todo)))
        try:
            with Worker(one.config) as worker:
                worker.wait_until_ready()
                worker.load()
                worker.first()
                worker.warm(plan.warm_least_s, plan.warm_most_s)
                one.sustained = worker.sustain(seconds)
        except WorkerError as error:
            one.remark = f"sustained load: {error}"
    progress(Progress("", "sustained load", len(todo), len(todo), over=True))


def _launch(
    todo: Sequence[Measurement], sizes: list[int], launch: int, plan: Plan
) -> Iterator[str]:
    """One launch of one thread count; yields before each step what it will be."""

    def wait_until_ready(one: Measurement, worker: Worker) -> None:
        one.version = worker.wait_until_ready().version

    def warm(one: Measurement, worker: Worker) -> None:
        time.sleep(plan.pause_s)
        loaded = worker.load()
        one.loads.append(loaded.ms)
        one.delegated = loaded.delegated
        one.firsts.append(worker.first().ms)
        warmed = worker.warm(plan.warm_least_s, plan.warm_most_s)
        one.warm_ups.append(warmed.runs)
        one.settled &= warmed.steady
        one.turns.append([])

    def turn_of(runs: int) -> Callable[[Measurement, Worker], None]:
        def take(one: Measurement, worker: Worker) -> None:
            time.sleep(plan.pause_s)
            one.turns[-1].append(worker.run(plan.discard, runs, plan.slice_s))

        return take

    def finish(one: Measurement, worker: Worker) -> None:
        one.peaks.append(worker.peak_memory())

    first, *orders = plan.orders(range(len(todo)), launch, len(sizes) + 1)
    yield "starting"
    with _worker_group(todo) as group:
        group.each(wait_until_ready)
        yield "warming up"
        group.each(warm, first)
        for turn, (runs, order) in enumerate(zip(sizes, orders, strict=True)):
            yield f"turn {turn + 1} of {len(sizes)}"
            group.each(turn_of(runs), order)
        group.each(finish)


class _WorkerGroup:
    """A worker for each measurement, while it lives."""

    def __init__(self, todo: Sequence[Measurement]) -> None:
        self.todo = todo
        self.workers: dict[int, Worker] = {}

    def start(self) -> None:
        for index, one in enumerate(self.todo):
            try:
                self.workers[index] = Worker(one.config)
            except WorkerError as error:
                _give_up(one, error)

    def each(self, work: Callable[[Measurement, Worker], None], order: Sequence[int] = ()) -> None:
        """Do ``work`` with every worker that lives, in an order; one that fails is let go."""
        for index in order or range(len(self.todo)):
            if index not in self.workers:
                continue
            try:
                work(self.todo[index], self.workers[index])
            except WorkerError as error:
                _give_up(self.todo[index], error)
                worker = self.workers.pop(index)
                worker.kill()
                worker.end()


@contextmanager
def _worker_group(todo: Sequence[Measurement]) -> Iterator[_WorkerGroup]:
    group = _WorkerGroup(todo)
    try:
        group.start()
        yield group
    except BaseException:
        for worker in group.workers.values():
            worker.kill()
        raise
    finally:
        for worker in group.workers.values():
            worker.end()


def _give_up(one: Measurement, error: WorkerError) -> None:
    one.failure = str(error)
    one.turns.clear()
