"""Latency of model files against one another, interleaved in one process.

For the comparison of graphs and precisions; ``hierattn benchmark`` measures export folders.

    python -m benchmarks.dev.export_speed naive=a.tflite deploy=b.tflite --runs 200 --threads 1,2
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.environment import describe_host
from benchmarks.runtimes.registry import runtimes_of
from export.formats.abilities import Platform, Runtime
from export.formats.registry import all_abilities
from export.runtime.worker import make_engine
from hierattn.cli.console import JsonFlag, print_json, standard_console
from hierattn.cli.tables import make_table, print_table
from hierattn.errors import ConfigError, HierAttnError

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
    """One file's times, milliseconds; ``ratio`` is of medians, to the baseline's."""

    label: str
    runtime: str
    megabytes: float
    threads: int
    median: float
    p10: float
    p90: float
    ratio: float


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
    """Open a file on the CPU; returns what runs it once, on one picture of noise."""
    engine = make_engine(RUNTIMES[path.suffix].engine, str(path), threads, 1)
    engine.load()
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


def compare(
    files: dict[str, Path], baseline: str, runs: int, threads: int, clock: Callable[[], float]
) -> list[Latency]:
    """Time all files with one number of threads."""
    seconds = measure([load(path, threads) for path in files.values()], runs, clock)
    p10, median, p90 = np.percentile(seconds * 1000, (10, 50, 90), axis=1)
    base = median[list(files).index(baseline)]
    return [
        Latency(
            label,
            RUNTIMES[path.suffix].distribution,
            round(path.stat().st_size / 1e6, 3),
            threads,
            *(float(value) for value in (median[i], p10[i], p90[i], median[i] / base)),
        )
        for i, (label, path) in enumerate(files.items())
    ]


def main(
    entries: Annotated[list[str], typer.Argument(metavar="LABEL=FILE...", help="What to time.")],
    runs: Annotated[int, typer.Option(min=1, help="Runs of each file.")] = 200,
    threads: Annotated[str, typer.Option(help="Numbers of threads, by commas.")] = "1,2",
    baseline: Annotated[str, typer.Option(help="Label that ratios refer to; the first.")] = "",
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
        if baseline and baseline not in files:
            raise ConfigError(f"baseline '{baseline}' is none of {', '.join(files)}")
    except HierAttnError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    host = describe_host()
    clock = time.thread_time if cpu_time else time.perf_counter
    rows: list[Latency] = []
    for count in counts:
        rows += compare(files, baseline or next(iter(files)), runs, count, clock)
    versions = {name: metadata.version(name) for name in sorted({row.runtime for row in rows})}
    if json_output:
        machine = {"cpu": host.cpu, "cores": host.cores, "load_average": host.load_before}
        settings = {"runs": runs, "clock": "thread" if cpu_time else "wall"}
        print_json(machine | settings | versions | {"rows": [asdict(row) for row in rows]})
        return
    headings = ("file", "runtime", "MB", "threads", "median ms", "p10", "p90", "ratio")
    table = make_table(
        f"{host.cpu}, {host.cores} cores, load average {host.load_before}",
        [(heading, "left" if index < 2 else "right") for index, heading in enumerate(headings)],
    )
    for row in rows:
        table.add_row(
            row.label,
            row.runtime,
            f"{row.megabytes:.2f}",
            str(row.threads),
            *(f"{value:.2f}" for value in (row.median, row.p10, row.p90)),
            f"{row.ratio:.3f}",
        )
    print_table(console, table)
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    spent = "CPU time of the thread" if cpu_time else "wall time"
    console.print(f"{told}; {runs} runs of each file, taking turns; {spent}; one picture a run")


def _parse_threads(text: str) -> list[int]:
    counts = [int(part) for part in text.split(",") if part.isdecimal() and int(part) > 0]
    if not counts or len(counts) != text.count(",") + 1:
        raise ConfigError(f"--threads is '{text}'; give numbers from 1 on, such as 1,2")
    return counts


if __name__ == "__main__":
    typer.run(main)
