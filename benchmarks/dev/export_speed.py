"""Latency of model files against one another, interleaved in each of several processes.

For the comparison of graphs and precisions; ``hierattn benchmark`` measures export folders.

    python -m benchmarks.dev.export_speed naive=a.tflite deploy=b.tflite --launches 12 --runs 60
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from pydantic import TypeAdapter
from scipy.stats import bootstrap

from benchmarks.environment import describe_host
from benchmarks.runtimes.registry import runtimes_of
from export.formats.abilities import Platform, Runtime
from export.formats.registry import all_abilities
from export.runtime.worker import make_engine
from hierattn.cli.console import JsonFlag, print_json, standard_console
from hierattn.cli.tables import make_table, print_table
from hierattn.errors import ConfigError, HierAttnError, one_line
from hierattn.metrics.bootstrap import CONFIDENCE, Interval

RUNTIMES: dict[str, Runtime] = {
    one.suffix: runtime
    for one in all_abilities()
    for runtime in runtimes_of(one.name)[:1]
    if Platform.HOST in runtime.platforms
}
"""File suffix to the runtime that its files are checked with, where that is on every host."""

# Warm-up: windows of runs, until the fastest of one is hardly below the fastest before it.
_WINDOW, _STEADY, _LONGEST = 5, 0.98, 40


@dataclass(frozen=True)
class Latency:
    """One file.

    Attributes:
        milliseconds: the median of its runs, over launches.
        ratios: that median divided by each baseline's of the same launch, over launches.
        launch_milliseconds: the medians of the launches in order, for a paired comparison.
    """

    label: str
    runtime: str
    megabytes: float
    threads: int
    milliseconds: Interval
    ratios: dict[str, Interval]
    launch_milliseconds: list[float]


def parse_files(arguments: Sequence[str]) -> dict[str, Path]:
    """Read ``LABEL=FILE`` arguments.

    Raises:
        ConfigError: one that is not of this form, a label given twice, a file that does not exist
            or is of no known format.
    """
    files: dict[str, Path] = {}
    for argument in arguments:
        label, equals, name = argument.partition("=")
        if not (label and equals and name):
            raise ConfigError(f"'{argument}' is not LABEL=FILE")
        if label in files:
            raise ConfigError(f"label '{label}' is given twice; choose another")
        if Path(name).suffix not in RUNTIMES:
            raise ConfigError(f"{name}: not one of {', '.join(RUNTIMES)}")
        if not Path(name).is_file():
            raise ConfigError(f"{name}: no such file")
        files[label] = Path(name)
    return files


def load(path: Path, threads: int) -> Callable[[], object]:
    """Open a file on the CPU; returns what runs it once, on one picture of noise.

    Raises:
        ConfigError: its runtime cannot load it.
    """
    engine = make_engine(RUNTIMES[path.suffix].engine, str(path), threads, 1)
    try:
        engine.load()
    except Exception as error:  # Each runtime has errors of its own.
        raise ConfigError(f"{path}: cannot be loaded: {error}") from error
    image = np.random.default_rng(0).random(engine.shape, np.float32)
    return lambda: engine.run(image)


def measure(
    runners: Sequence[Callable[[], object]], runs: int, clock: Callable[[], float]
) -> np.ndarray:
    """Seconds of every run, [runners, runs]; all take turns, in an order drawn anew each round."""
    for run in runners:
        _warm_up(run, clock)
    seconds = np.empty((len(runners), runs))
    random = np.random.default_rng(0)
    for turn in range(runs):
        for index in random.permutation(len(runners)):
            began = clock()
            runners[index]()
            seconds[index, turn] = clock() - began
    return seconds


def _warm_up(run: Callable[[], object], clock: Callable[[], float]) -> None:
    fastest = float("inf")
    for _ in range(_LONGEST):
        before, window = fastest, []
        for _ in range(_WINDOW):
            began = clock()
            run()
            window.append(clock() - began)
        fastest = min(fastest, *window)
        if fastest > _STEADY * before:
            return


def medians(
    paths: Sequence[Path], runs: int, threads: int, cpu_time: bool, seed: int
) -> list[float]:
    """Milliseconds of each file, the median of its runs; ``seed`` draws the order of loading."""
    clock = time.thread_time if cpu_time else time.perf_counter
    order = np.random.default_rng(seed).permutation(len(paths))
    runners = {index: load(paths[index], threads) for index in order}
    seconds = measure([runners[index] for index in range(len(paths))], runs, clock)
    return [float(value) for value in np.median(seconds * 1000, axis=1)]


def compare(
    files: dict[str, Path],
    baselines: Sequence[str],
    launches: int,
    runs: int,
    threads: int,
    cpu_time: bool = False,
) -> list[Latency]:
    """Time all files with one number of threads, in a fresh process each launch.

    Within a process ratios are stable; between processes they differ by several hundredths, and by
    the order in which files are loaded: probably by where the system puts the weights in memory.

    Raises:
        ConfigError: a file cannot be loaded, or the process ended before its time.
    """
    work = (list(files.values()), runs, threads, cpu_time)
    taken = []
    for launch in range(launches):
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            try:
                taken.append(process.submit(medians, *work, launch).result())
            except BrokenProcessPool as error:
                raise ConfigError(
                    "the process that ran the files was ended from outside"
                ) from error
    times = dict(zip(files, np.array(taken).T, strict=True))
    return [
        Latency(
            label,
            RUNTIMES[path.suffix].distribution,
            round(path.stat().st_size / 1e6, 3),
            threads,
            _median(times[label]),
            {base: _median(times[label] / times[base]) for base in baselines},
            times[label].tolist(),
        )
        for label, path in files.items()
    ]


def _median(values: np.ndarray) -> Interval:
    """Over launches; of a single one, an interval of no width."""
    low = high = value = float(np.median(values))
    if len(values) > 1:
        found = bootstrap(
            (values,), np.median, confidence_level=CONFIDENCE, method="percentile", rng=0
        )
        low, high = map(float, found.confidence_interval)
    return Interval(value=value, low=low, high=high)


def main(
    entries: Annotated[list[str], typer.Argument(metavar="LABEL=FILE...", help="What to time.")],
    launches: Annotated[int, typer.Option(min=1, help="Processes, one after the other.")] = 3,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each file, each launch.")] = 100,
    threads: Annotated[str, typer.Option(help="Numbers of threads, by commas.")] = "1,2",
    baseline: Annotated[
        list[str] | None, typer.Option(help="Label that ratios refer to; repeatable; the first.")
    ] = None,
    cpu_time: Annotated[
        bool, typer.Option("--cpu-time", help="Time of the thread, on a busy machine; 1 thread.")
    ] = False,
    json_output: JsonFlag = False,
) -> None:
    """Time model files in turns, with medians, spread and ratios."""
    console = standard_console()
    try:
        files = parse_files(entries)
        counts = _parse_threads(threads)
        if cpu_time and counts != [1]:
            raise ConfigError("--cpu-time sees one thread only; give --threads 1")
        baselines = list(dict.fromkeys(baseline or [next(iter(files))]))
        for name in baselines:
            if name not in files:
                raise ConfigError(f"baseline '{name}' is none of {', '.join(files)}")
        host = describe_host()
        rows: list[Latency] = []
        for count in counts:
            rows += compare(files, baselines, launches, runs, count, cpu_time)
    except HierAttnError as error:
        typer.echo(f"error: {one_line(str(error))}", err=True)
        raise typer.Exit(2) from error
    versions = {name: metadata.version(name) for name in sorted({row.runtime for row in rows})}
    if json_output:
        machine = {"cpu": host.cpu, "cores": host.cores, "load_average": host.load_before}
        settings = {"launches": launches, "runs": runs, "clock": "thread" if cpu_time else "wall"}
        print_json(
            machine | settings | versions | {"rows": TypeAdapter(list[Latency]).dump_python(rows)}
        )
        return
    headings = ("file", "MB", "threads", "ms", *(f"/ {name}" for name in baselines))
    table = make_table(
        f"{host.cpu}, {host.cores} cores, load average {host.load_before}",
        [(heading, "right" if index else "left") for index, heading in enumerate(headings)],
    )
    for row in rows:
        table.add_row(
            row.label,
            f"{row.megabytes:.2f}",
            str(row.threads),
            _told(row.milliseconds, 2, launches),
            *(_told(ratio, 3, launches) for ratio in row.ratios.values()),
        )
    print_table(console, table)
    suffixes = {row.runtime: files[row.label].suffix for row in rows}
    told = ", ".join(f"{name} {version} ({suffixes[name]})" for name, version in versions.items())
    spent = "CPU time of the thread" if cpu_time else "wall time"
    taken = "medians of one launch"
    if launches > 1:
        taken = f"medians over {launches} launches, 95 % intervals in brackets"
    console.print(f"{told}; {taken}; {runs} runs of each file a launch, in turns; {spent}")


def _told(median: Interval, digits: int, launches: int) -> str:
    told = f"{median.value:.{digits}f}"
    if launches == 1:
        return told
    return f"{told} ({median.low:.{digits}f}-{median.high:.{digits}f})"


def _parse_threads(text: str) -> list[int]:
    counts = [int(part) for part in text.split(",") if part.isdecimal() and int(part) > 0]
    if not counts or len(counts) != text.count(",") + 1:
        raise ConfigError(f"--threads is '{text}'; give numbers from 1 on, such as 1,2")
    return counts


if __name__ == "__main__":
    typer.run(main)
