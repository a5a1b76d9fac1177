"""Worker script: runs one file in one runtime, driven by JSON lines on stdin and stdout.

A script by itself: it needs Python 3.9, numpy and the one runtime, so that another interpreter
(tflite-runtime's, or an emulated processor's) can run it as it is. Times are measured here. It
handles no error: the process ends, and whoever started it reads the reason from stderr.

    python -I worker.py '{"engine": "engine.py", "model": "FILE", "threads": 1, "batch": 1}'

The first line it writes greets, then there is one line for each command.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import resource
import runpy
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from export.runtime.engine import Engine

# Warm-up: windows of WINDOW runs, until two in a row are no faster than the fastest before them.
WINDOW = 5
FASTER = 0.98
SUSTAINED_WINDOW_S = 1.0


def make_engine(engine: str, model: str, threads: int, batch: int) -> Engine:
    """Import a runtime by the path of its engine; the model is opened later."""
    made: Engine = runpy.run_path(engine)["Engine"](model, threads, batch)
    return made


def answer(engine: Engine, images: np.ndarray, batch: int = 0) -> np.ndarray:
    """Logits [N, K] of float32 [N, 3, S, S], in batches of ``batch``, else of the engine's size."""
    if engine.channels_last:
        images = images.transpose(0, 2, 3, 1)
    size = batch or engine.shape[0]
    return np.concatenate(
        [
            engine.run(np.ascontiguousarray(images[start : start + size]))
            for start in range(0, len(images), size)
        ]
    )


class Session:
    """What the commands do."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.images = np.zeros(0, np.float32)

    def load(self) -> dict[str, Any]:
        """Open the file, timed."""
        took = self._timed(self.engine.load)
        self.images = np.random.default_rng(0).random(self.engine.shape, np.float32)
        return {"ms": took, "shape": self.engine.shape, "delegated": self.engine.delegated()}

    def first(self) -> dict[str, Any]:
        """The first answer, and whether it is one."""
        began = time.perf_counter_ns()
        answer = self.engine.run(self.images)
        took = (time.perf_counter_ns() - began) / 1e6
        return {"ms": took, "finite": bool(np.isfinite(answer).all()), "shape": answer.shape}

    def warm(self, least_s: float, most_s: float) -> dict[str, Any]:
        """Run until it gets no faster."""
        began = time.perf_counter()
        fastest, calm, runs = float("inf"), 0, 0
        while True:
            median = statistics.median(self._sample(WINDOW))
            runs += WINDOW
            calm = calm + 1 if median >= FASTER * fastest else 0
            fastest = min(fastest, median)
            spent = time.perf_counter() - began
            if calm >= 2 and spent >= least_s:
                return {"runs": runs, "steady": True}
            if spent >= most_s:
                return {"runs": runs, "steady": False}

    def run(self, discard: int, runs: int, most_s: float) -> dict[str, Any]:
        """Timed runs, after a few that only bring caches and threads back.

        Fewer than asked for where they take longer than ``most_s``, but one at least.
        """
        self._sample(discard)
        end, samples = time.perf_counter() + most_s, self._sample(1)
        while len(samples) < runs and time.perf_counter() < end:
            samples += self._sample(1)
        return {"ms": samples}

    def sustain(self, seconds: float) -> dict[str, Any]:
        """Run without a pause; the median of each window of a second."""
        medians: list[float] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            window: list[float] = []
            until = min(end, time.perf_counter() + SUSTAINED_WINDOW_S)
            while not window or time.perf_counter() < until:
                window += self._sample(1)
            medians.append(statistics.median(window))
        return {"ms": medians}

    def answer(self, images: str, logits: str) -> dict[str, Any]:
        """Answer the float32 [N, 3, S, S] of one .npy by float64 [N, K] in another."""
        asked = np.load(images)
        np.save(logits, answer(self.engine, asked).astype(np.float64))
        return {"count": len(asked)}

    def profile(self, runs: int) -> dict[str, Any]:
        """Median milliseconds a run by kind of operator."""
        operator_times = getattr(self.engine, "operator_times", None)
        if operator_times is None:
            raise SystemExit("this runtime has no profiler that can be reached from Python")
        times = operator_times(runs)
        return {"ms": {name: float(np.median(values)) for name, values in times.items()}}

    def memory(self) -> dict[str, Any]:
        """The most memory this process ever held."""
        return {"peak_mb": peak_memory_mb()}

    def _sample(self, runs: int) -> list[float]:
        run, images, clock = self.engine.run, self.images, time.perf_counter_ns
        samples = []
        for _ in range(runs):
            began = clock()
            run(images)
            samples.append((clock() - began) / 1e6)
        return samples

    def _timed(self, work: Any) -> float:
        began = time.perf_counter_ns()
        work()
        return (time.perf_counter_ns() - began) / 1e6


def peak_memory_mb() -> float:
    """Peak resident memory, megabytes (10^6 bytes).

    Not ru_maxrss on Linux: it begins with the peak of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def processor_features() -> list[str]:
    """Instruction sets of an ARM processor, as Linux names them."""
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else ():
        name, _, value = line.partition(":")
        if name.strip() == "Features":
            return value.split()
    return []


def main() -> None:
    """Greet, then answer commands until stdin ends."""
    # Runtimes print on stdout; what they print goes to stderr, the answers to the real stdout.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(reply: dict[str, Any]) -> None:
        answers.write(json.dumps(reply) + "\n")
        answers.flush()

    session = Session(make_engine(**json.loads(sys.argv[1])))
    commands: dict[str, Callable[..., dict[str, Any]]] = {
        "load": session.load,
        "first": session.first,
        "warm": session.warm,
        "run": session.run,
        "sustain": session.sustain,
        "answer": session.answer,
        "profile": session.profile,
        "memory": session.memory,
    }
    gc.disable()
    say(
        {
            "version": session.engine.version,
            "machine": platform.machine(),
            "features": processor_features(),
        }
    )
    for line in sys.stdin:
        command = json.loads(line)
        say(commands[command.pop("do")](**command))


if __name__ == "__main__":
    main()
