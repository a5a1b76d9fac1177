"""Child processes: one way to start, hear and end them, with one wording for what went wrong.

A :class:`Worker` runs a file (:mod:`export.runtime.worker`); :mod:`export.jobs` converts in others.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from export.errors import WorkerError, WorkerTimeoutError
from export.formats.abilities import Runtime
from hierattn.common.temporary import memory_file, save_temporary

SCRIPT = Path(__file__).with_name("worker.py")
REPLY_S = 180.0
"""Beyond what a command takes by itself; importing torch on a busy machine takes half a minute."""

QUIT_S = 5.0
THREAD_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ISOLATED = (sys.executable, "-I")
"""This interpreter; neither this folder's modules nor the user's own may shadow a runtime's."""


class ChildProcess:
    """One process, written to and read by lines; what it says on stderr is its noise.

    Use it as a context manager; leaving ends the process. Starting does not wait.

    Args:
        command: program and arguments.
        threads: for every library that asks the environment.
        environment: further variables.

    Raises:
        WorkerError: it cannot be started.
    """

    def __init__(
        self, command: Sequence[str], threads: int, environment: Mapping[str, str] | None = None
    ) -> None:
        counts = dict.fromkeys(THREAD_COUNTS, str(threads))
        # In memory: a crash for want of room must be told all the same.
        self._noise = memory_file()
        self._unread = b""
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._noise,
                env={**os.environ, **counts, **(environment or {})},
                bufsize=0,
                # Ctrl-C is for us; we end the children.
                start_new_session=True,
            )
        except OSError as error:
            self._noise.close()
            raise WorkerError(f"{command[0]}: cannot be started ({error.strerror})") from error
        self._stdin: IO[bytes] = _piped(self._process.stdin)
        self._stdout: IO[bytes] = _piped(self._process.stdout)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the process; at once where something went wrong."""
        if kind is not None:
            self.kill()
        self.end()

    def write_line(self, line: str) -> None:
        """Send a line.

        Raises:
            WorkerError: the process is no more.
        """
        try:
            self._stdin.write(line.encode() + b"\n")
        except OSError as error:
            raise WorkerError(self.death()) from error

    def read_line(self, limit_s: float) -> bytes:
        """The next line.

        Raises:
            WorkerTimeoutError: none in time; the process is killed.
            WorkerError: the process is no more.
        """
        line = self._next_line(limit_s)
        if line is None:
            raise WorkerError(self.death())
        return line

    def lines(self) -> Iterator[bytes]:
        """Every line until it ends, however long it takes.

        Raises:
            WorkerError: it ended other than by exit code 0.
        """
        while (line := self._next_line(None)) is not None:
            yield line
        if self._process.wait():
            raise WorkerError(self.death())

    def _next_line(self, limit_s: float | None) -> bytes | None:
        end = None if limit_s is None else time.monotonic() + limit_s
        while b"\n" not in self._unread:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self._stdout], [], [], left)[0]:
                self.kill()
                raise WorkerTimeoutError(f"gave no answer within {limit_s:.0f} s")
            read = self._stdout.read(65536)
            if not read:
                return None
            self._unread += read
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def noise(self) -> bytes:
        """What it said on stderr so far."""
        self._noise.seek(0)
        return self._noise.read()

    def death(self) -> str:
        """Wait for the end; why it ended, in one line."""
        return exit_reason(self._process.wait(), self.noise())

    def kill(self) -> None:
        """End it and its children at once; it leads a process group of its own."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Let the process end; kill it where it does not."""
        with suppress(BrokenPipeError):
            self._stdin.close()
        try:
            self._process.wait(QUIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self._stdout.close()
        self._noise.close()


def _piped(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None, "it was asked for"
    return stream


@dataclass(frozen=True)
class WorkerConfig:
    """What one worker is to run.

    Attributes:
        model: the file; for torch the run folder.
        python: command line of the interpreter that has the runtime.
        reply_s: seconds to wait for an answer, beyond what a command takes by itself.
    """

    runtime: Runtime
    model: str
    threads: int
    batch: int = 1
    python: tuple[str, ...] = ISOLATED
    reply_s: float = REPLY_S


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ready(_Reply):
    """The runtime's version, and the machine; ``features`` of an ARM processor alone."""

    version: str
    machine: str
    features: list[str]


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


class Profile(_Reply):
    """Milliseconds a run by kind of operator."""

    ms: dict[str, float]


class Memory(_Reply):
    """10^6 bytes."""

    peak_mb: float


class AnswerCount(_Reply):
    """Images answered."""

    count: int


_R = TypeVar("_R", bound=_Reply)


class Worker(ChildProcess):
    """A process that runs one file. Use it as a context manager; leaving ends the process.

    Starting does not wait: several may import their runtimes side by side, see
    :meth:`wait_until_ready`.
    """

    def __init__(self, config: WorkerConfig) -> None:
        self.config = config
        fields = {
            "engine": config.runtime.engine,
            "model": config.model,
            "threads": config.threads,
            "batch": config.batch,
        }
        command = [*config.python, str(SCRIPT), json.dumps(fields)]
        super().__init__(command, config.threads)

    def wait_until_ready(self) -> Ready:
        """Wait until the runtime is imported."""
        return self._read(Ready, self.config.reply_s)

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
        """Timed runs, milliseconds; see :meth:`export.runtime.worker.Session.run`."""
        return self._ask(Samples, "run", most_s, discard=discard, runs=runs, most_s=most_s).ms

    def sustain(self, seconds: float) -> list[float]:
        """Median of each second, milliseconds."""
        return self._ask(Samples, "sustain", seconds, seconds=seconds).ms

    def profile(self, runs: int, most_s: float) -> dict[str, float]:
        """Milliseconds a run by kind of operator."""
        return self._ask(Profile, "profile", most_s, runs=runs).ms

    def peak_memory(self) -> float:
        """10^6 bytes."""
        return self._ask(Memory, "memory").peak_mb

    def answer(self, images: np.ndarray, folder: Path) -> np.ndarray:
        """Logits float64 [N, K] for float32 [N, 3, S, S]; ``folder`` carries them over."""
        asked, answered = folder / "images.npy", folder / "logits.npy"
        save_temporary(asked, images)
        self._ask(AnswerCount, "answer", images=str(asked), logits=str(answered))
        logits: np.ndarray = np.load(answered)
        return logits

    def _ask(self, reply: type[_R], do: str, expected_s: float = 0.0, **arguments: Any) -> _R:
        self.write_line(json.dumps({"do": do, **arguments}))
        return self._read(reply, expected_s + self.config.reply_s)

    def _read(self, reply: type[_R], limit_s: float) -> _R:
        line = self.read_line(limit_s)
        try:
            return reply.model_validate_json(line)
        except ValidationError as error:
            raise WorkerError(f"unexpected reply: {line[:200]!r}") from error


def exit_reason(code: int, stderr: bytes) -> str:
    """Why a process is no more, in one line.

    Args:
        code: its exit code, negative for a signal.
        stderr: all it wrote there.
    """
    if code == -signal.SIGKILL:
        return "was killed (SIGKILL; most often for want of memory)"
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    if code < 0:
        said = f": {lines[-1].strip()[:300]}" if lines else ""
        return f"crashed ({signal.Signals(-code).name}){said}"
    # A traceback's message may itself have many lines; its first one names the error.
    words = [line for line in lines if not line.startswith(" ")]
    told = [line for line in words if _names_an_error(line)]
    return ((told or words or [f"ended with exit code {code}"])[-1]).strip()[:300]


def _names_an_error(line: str) -> bool:
    name = line.partition(":")[0]
    return " " not in name and name.rpartition(".")[2].endswith(("Error", "Exception", "Fail"))
