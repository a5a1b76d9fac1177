"""Pool of worker processes: runs several jobs at a time and passes on their events."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import ValidationError

from export.errors import WorkerError
from export.jobs.messages import EVENTS, Event, Failed, Job
from export.runtime.process import ChildProcess

Report = Callable[[Job, Event], None]


def run_jobs(jobs: Sequence[Job], log: Path, report: Report) -> None:
    """Run every job to its end; ``report`` is called from one thread at a time.

    A process that dies is reported as ``Failed(precision=None)`` with the signal's name. On an
    exception here (Ctrl-C) all processes are killed first.

    Args:
        log: output of the processes is appended here.
    """
    running: list[ChildProcess] = []
    lock = threading.Lock()
    parallel = max(1, min(len(jobs), os.cpu_count() or 1))

    def locked(job: Job, event: Event) -> None:
        with lock:
            report(job, event)

    pool = ThreadPoolExecutor(parallel)
    try:
        list(pool.map(lambda job: _run(job, log, locked, running), jobs))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in running:
            process.kill()
        raise
    finally:
        pool.shutdown()


def _run(job: Job, log: Path, report: Report, running: list[ChildProcess]) -> None:
    job.workspace.mkdir(parents=True, exist_ok=True)
    request = job.workspace / "job.json"
    request.write_text(job.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-P", "-m", "export.jobs.worker", str(request)]
    try:
        # One thread each: the processes share the cores, and threads that wait for each other spin.
        with ChildProcess(command, 1, {"PYTHONHASHSEED": "0"}) as process:
            running.append(process)
            try:
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
