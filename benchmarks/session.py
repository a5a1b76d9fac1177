"""Measures many rows in one session: a process each, turn by turn, several launches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from benchmarks.noise import Repeats
from benchmarks.schedule import Plan
from benchmarks.workers import Order, Partitions, Worker, WorkerError
from export.progress import Observer, Progress, unobserved


@dataclass
class Series:
    """All that was measured of one order.

    Attributes:
        turns: milliseconds of each run, by launch and turn.
        settled: whether each process so far was steady at the end of its warm-up.
        failure: why there will be no more; a series that failed keeps nothing.
        sustained: medians of the sustained load's seconds; ``remark`` says why there are none.
    """

    order: Order
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
        return Repeats(self.order.threads, found)


Checkpoint = Callable[[], None]


def measure(
    series: Sequence[Series],
    plan: Plan,
    progress: Observer = unobserved,
    checkpoint: Checkpoint | None = None,
) -> None:
    """Fill the series; one that fails says so and stops no other.

    Within a launch the thread counts come one after another; processes of one thread count are
    alive together, and one of them runs at a time.

    Args:
        series: what to measure, filled here, also when interrupted.
        progress: told between turns, never during one.
        checkpoint: called when a launch of one thread count is through.
    """
    counts = sorted({one.order.threads for one in series})
    shares = plan.shares()
    total = len(counts) * sum(len(launch) + 1 for launch in shares)
    done = 0
    for launch, sizes in enumerate(shares):
        for threads in counts:
            todo = [one for one in series if one.order.threads == threads and not one.failure]
            words = f"launch {launch + 1} of {len(shares)}, {threads} thread(s)"
            for step in _launch(todo, sizes, launch, plan):
                progress(Progress("", f"{words}: {step}", done, total))
                done += step != "starting"
            if checkpoint is not None:
                checkpoint()
    progress(Progress("", "measured", total, total))


def sustain(
    series: Sequence[Series], seconds: float, plan: Plan, progress: Observer = unobserved
) -> None:
    """Run each series for long without a pause, one after another."""
    todo = [one for one in series if not one.failure]
    for number, one in enumerate(todo):
        progress(Progress("", f"sustained load: {one.label}", number, len(todo)))
        try:
            with Worker(one.order) as worker:
                worker.greet()
                worker.load()
                worker.first()
                worker.warm(plan.warm_least_s, plan.warm_most_s)
                one.sustained = worker.sustain(seconds)
        except WorkerError as error:
            one.remark = f"sustained load: {error}"
    progress(Progress("", "sustained load", len(todo), len(todo)))


def _launch(todo: Sequence[Series], sizes: list[int], launch: int, plan: Plan) -> Iterator[str]:
    """One launch of one thread count; yields before each step what it will be."""

    def greet(one: Series, worker: Worker) -> None:
        one.version = worker.greet().version

    def warm(one: Series, worker: Worker) -> None:
        time.sleep(plan.pause_s)
        loaded = worker.load()
        one.loads.append(loaded.ms)
        one.delegated = loaded.delegated
        one.firsts.append(worker.first().ms)
        warmed = worker.warm(plan.warm_least_s, plan.warm_most_s)
        one.warm_ups.append(warmed.runs)
        one.settled &= warmed.steady
        one.turns.append([])

    def turn_of(runs: int) -> Callable[[Series, Worker], None]:
        def take(one: Series, worker: Worker) -> None:
            time.sleep(plan.pause_s)
            one.turns[-1].append(worker.run(plan.discard, runs, plan.slice_s))

        return take

    def finish(one: Series, worker: Worker) -> None:
        one.peaks.append(worker.peak_memory())

    first, *orders = plan.orders(range(len(todo)), launch, len(sizes) + 1)
    yield "starting"
    with _crew(todo) as crew:
        crew.each(greet)
        yield "warming up"
        crew.each(warm, first)
        for turn, (runs, order) in enumerate(zip(sizes, orders, strict=True)):
            yield f"turn {turn + 1} of {len(sizes)}"
            crew.each(turn_of(runs), order)
        crew.each(finish)


class _Crew:
    """A worker for each series, while it lives."""

    def __init__(self, todo: Sequence[Series]) -> None:
        self.todo = todo
        self.workers: dict[int, Worker] = {}

    def start(self) -> None:
        for index, one in enumerate(self.todo):
            try:
                self.workers[index] = Worker(one.order)
            except WorkerError as error:
                _give_up(one, error)

    def each(self, work: Callable[[Series, Worker], None], order: Sequence[int] = ()) -> None:
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
def _crew(todo: Sequence[Series]) -> Iterator[_Crew]:
    crew = _Crew(todo)
    try:
        crew.start()
        yield crew
    except BaseException:
        for worker in crew.workers.values():
            worker.kill()
        raise
    finally:
        for worker in crew.workers.values():
            worker.end()


def _give_up(one: Series, error: WorkerError) -> None:
    one.failure = str(error)
    one.turns.clear()
