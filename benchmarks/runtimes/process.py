"""Starts and talks to worker processes (:mod:`benchmarks.runtimes.worker`)."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from benchmarks.results import BenchmarkError

SCRIPT = Path(__file__).with_name("worker.py")
REPLY_TIMEOUT_S = 180.0
"""Beyond what a command takes by itself; importing torch on a busy machine takes half a minute."""

QUIT_S = 5.0
THREAD_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerError(BenchmarkError):
    """A worker that died, fell silent or talked nonsense; one line says why."""


@dataclass(frozen=True)
class WorkerConfig:
    """What one worker is to run.

    Attributes:
        runtime: a name that :func:`benchmarks.runtimes.worker.make_engine` knows.
        model: the file; for torch the run folder.
        python: the interpreter that has the runtime.
        engine: script of a format's own engine; empty for one of the worker's.
    """

    runtime: str
    model: str
    threads: int
    batch: int = 1
    python: str = sys.executable
    engine: str = ""


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ready(_Reply):
    """The runtime's version."""

    version: str


class Partitions(_Reply):
    """How a delegate took the graph, counted by the runtime itself."""

    partitions: int
    left: int


class Loaded(_Reply):
    """Milliseconds, input shape, delegation."""

    ms: float
    shape: list[int]
    delegated: Partitions | None


class First(_Reply):
    """The first answer: milliseconds, its shape, and whether all of it is finite."""

    ms: float
    finite: bool
    shape: list[int]


class Warmed(_Reply):
    """Runs it took, and whether it had got steady by then."""

    runs: int
    steady: bool


class Samples(_Reply):
    """Milliseconds of each run."""

    ms: list[float]


class Memory(_Reply):
    """10^6 bytes."""

    peak_mb: float


class AnswerCount(_Reply):
    """Images answered."""

    count: int


_R = TypeVar("_R", bound=_Reply)


class Worker:
    """One process. Use it as a context manager; leaving ends the process.

    Starting does not wait: several may import their runtimes side by side, see
    :meth:`wait_until_ready`.
    """

    def __init__(self, config: WorkerConfig) -> None:
        self.config = config
        fields = {key: value for key, value in asdict(config).items() if key != "python"}
        self._noise = tempfile.TemporaryFile()  # noqa: SIM115 - closed in end()
        self._unread = b""
        try:
            self._process = subprocess.Popen(
                # -I: neither this folder's modules nor the user's own may shadow a runtime's.
                [config.python, "-I", str(SCRIPT), json.dumps(fields)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._noise,
                env=worker_environment(config.threads),
                bufsize=0,
                # Ctrl-C is for us; we end the workers.
                start_new_session=True,
            )
        except OSError as error:
            self._noise.close()
            raise WorkerError(f"{config.python}: cannot be started ({error.strerror})") from error

    def __enter__(self) -> Worker:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the process; at once where something went wrong."""
        if kind is not None:
            self.kill()
        self.end()

    def wait_until_ready(self) -> Ready:
        """Wait until the runtime is imported."""
        return self._read(Ready, REPLY_TIMEOUT_S)

    def load(self) -> Loaded:
        """Open the file."""
        return self._ask(Loaded, "load")

    def first(self) -> First:
        """Run once.

        Raises:
            WorkerError: the answer holds NaN or infinity, too.
        """
        reply = self._ask(First, "first")
        if not reply.finite:
            raise WorkerError("answers NaN or infinity")
        return reply

    def warm(self, least_s: float, most_s: float) -> Warmed:
        """Run until steady."""
        return self._ask(Warmed, "warm", most_s, least_s=least_s, most_s=most_s)

    def run(self, discard: int, runs: int, most_s: float) -> list[float]:
        """Timed runs, milliseconds; see :meth:`benchmarks.runtimes.worker.Session.run`."""
        return self._ask(Samples, "run", most_s, discard=discard, runs=runs, most_s=most_s).ms

    def sustain(self, seconds: float) -> list[float]:
        """Median of each second, milliseconds."""
        return self._ask(Samples, "sustain", seconds, seconds=seconds).ms

    def peak_memory(self) -> float:
        """10^6 bytes."""
        return self._ask(Memory, "memory").peak_mb

    def answer(self, images: np.ndarray, folder: Path) -> np.ndarray:
        """Logits float64 [N, K] for float32 [N, 3, S, S]; ``folder`` carries them over."""
        asked, answered = folder / "images.npy", folder / "logits.npy"
        np.save(asked, images)
        self._ask(AnswerCount, "answer", images=str(asked), logits=str(answered))
        logits: np.ndarray = np.load(answered)
        return logits

    def end(self) -> None:
        """Let the process end; kill it where it does not."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._close_stdin()
        try:
            self._process.wait(QUIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._noise.close()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def _close_stdin(self) -> None:
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                return

    def _ask(self, reply: type[_R], do: str, expected_s: float = 0.0, **arguments: Any) -> _R:
        line = json.dumps({"do": do, **arguments}) + "\n"
        try:
            if self._process.stdin is not None:
                self._process.stdin.write(line.encode())
        except OSError as error:
            raise WorkerError(self._death()) from error
        return self._read(reply, expected_s + REPLY_TIMEOUT_S)

    def _read(self, reply: type[_R], limit_s: float) -> _R:
        line = self._line(limit_s)
        try:
            return reply.model_validate_json(line)
        except ValidationError as error:
            raise WorkerError(f"unexpected reply: {line[:200]!r}") from error

    def _line(self, limit_s: float) -> bytes:
        end = time.monotonic() + limit_s
        stdout = self._process.stdout
        while stdout is not None and b"\n" not in self._unread:
            ready, _, _ = select.select([stdout], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                self._process.kill()
                raise WorkerError(f"gave no answer within {limit_s:.0f} s")
            read = stdout.read(65536)
            if not read:
                raise WorkerError(self._death())
            self._unread += read
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _death(self) -> str:
        code = self._process.wait()
        self._noise.seek(0)
        return exit_reason(code, self._noise.read())


def worker_environment(threads: int) -> dict[str, str]:
    """Environment variables of a worker: ours, and the thread count for every library."""
    return {**os.environ, **dict.fromkeys(THREAD_COUNTS, str(threads))}


def exit_reason(code: int, stderr: bytes) -> str:
    """Why a process is no more, in one line.

    Args:
        code: its exit code, negative for a signal.
        stderr: all it wrote there.
    """
    if code == -signal.SIGKILL:
        return "was killed (SIGKILL; most often for want of memory)"
    if code < 0:
        return f"crashed ({signal.Signals(-code).name})"
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    # A traceback's message may itself have many lines; its first one names the error.
    words = [line for line in lines if not line.startswith(" ")]
    told = [line for line in words if _names_an_error(line)]
    return ((told or words or [f"ended with exit code {code}"])[-1]).strip()[:300]


def _names_an_error(line: str) -> bool:
    name = line.partition(":")[0]
    return " " not in name and name.rpartition(".")[2].endswith(("Error", "Exception", "Fail"))
