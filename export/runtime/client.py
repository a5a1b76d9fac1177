"""The other end of :mod:`export.runtime.worker`: one file, run by a process of its own."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from export.errors import WorkerError
from export.formats.abilities import Runtime
from export.runtime.process import ChildProcess
from hierattn.common.temporary import save_temporary

SCRIPT = Path(__file__).with_name("worker.py")
REPLY_S = 180.0
"""Beyond what a command takes by itself; importing torch on a busy machine takes half a minute."""

ISOLATED = (sys.executable, "-I")
"""This interpreter; neither this folder's modules nor the user's own may shadow a runtime's."""


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
