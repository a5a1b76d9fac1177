"""Pool of worker processes: runs several jobs at a time and passes on their events."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import ValidationError

from export.errors import WorkerError
from export.formats.registry import abilities_of
from export.jobs.messages import EVENTS, Event, Failed, Job
from export.runtime.process import ChildProcess
from hierattn.common.temporary import no_room

Report = Callable[[Job, Event], None]
_TOO_LITTLE = 1 << 16
"""Bytes that a full disk has not, while the remains of what failed lie on it."""


def run_jobs(jobs: Sequence[Job], log: Path, report: Report) -> None:
    """Run every job to its end; ``report`` is called from one thread at a time.

    Those of formats that take long are begun first: begun last, they would keep one core busy while
    the others have nothing left.

    A process that dies is reported as ``Failed(precision=None)`` with the signal's name. On an
    exception here (Ctrl-C) all processes are killed first.

    Args:
        log: output of the processes is appended here.
    """
    running: list[ChildProcess] = []
    lock = threading.Lock()
    parallel = max(1, min(len(jobs), os.cpu_count() or 1))

    def locked(job: Job, event: Event) -> None:
        if isinstance(event, Failed) and _no_room(job.workspace, event.reason):
            event = event.model_copy(update={"reason": no_room(event.reason)})
        with lock:
            report(job, event)

    pool = ThreadPoolExecutor(parallel)
    try:
        begun = sorted(jobs, key=lambda job: abilities_of(job.format).long_jobs, reverse=True)
        list(pool.map(lambda job: _run(job, log, locked, running), begun))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in running:
            process.kill()
        raise
    finally:
        pool.shutdown()


def _no_room(workspace: Path, reason: str) -> bool:
    """Whether want of room is why a job failed; converters say it in many words, or not at all."""
    if "TMPDIR" in reason:
        return False
    names_it = str(workspace) in reason and os.strerror(errno.ENOSPC) in reason
    return names_it or shutil.disk_usage(workspace).free < _TOO_LITTLE


def _run(job: Job, log: Path, report: Report, running: list[ChildProcess]) -> None:
    job.workspace.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-P", "-m", "export.jobs.worker"]
    try:
        # One thread each: the processes share the cores, and threads that wait for each other spin.
        with ChildProcess(command, 1, {"PYTHONHASHSEED": "0"}) as process:
            running.append(process)
            try:
                process.write_line(job.model_dump_json())
                for line in process.lines():
                    report(job, _parse_event(line))
            finally:
                with log.open("ab") as file:
                    file.write(f"--- {job.format}\n".encode() + process.noise())
    except WorkerError as error:
        report(job, Failed(precision=None, reason=f"the worker: {error}"))


def _parse_event(line: bytes) -> Event:
    try:
        return EVENTS.validate_json(line)
    except ValidationError:
        words = line.decode("utf-8", "replace").strip()[:200]
        return Failed(precision=None, reason=f"unexpected report: {words}")
