"""Child processes: one way to start, hear and end them, with one wording for what went wrong.

:mod:`export.runtime.client` runs files in them, :mod:`export.jobs` converts in them.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO, Self

from export.errors import WorkerError, WorkerTimeoutError
from hierattn.common.temporary import memory_file

QUIT_S = 5.0
THREAD_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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
