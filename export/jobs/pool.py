"""Pool of worker processes: runs several jobs at a time and passes on their events."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import ValidationError

from export.jobs.messages import EVENTS, Event, Failed, Job

Report = Callable[[Job, Event], None]


def run_jobs(jobs: Sequence[Job], log: Path, report: Report) -> None:
    """Run every job to its end; ``report`` is called from one thread at a time.

    A process that dies is reported as ``Failed(precision=None)`` with the signal's name. On an
    exception here (Ctrl-C) all processes are killed first.

    Args:
        log: output of the processes is appended here.
    """
    running: list[subprocess.Popen[str]] = []
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
            _kill_group(process)
        raise
    finally:
        pool.shutdown()


def _run(job: Job, log: Path, report: Report, running: list[subprocess.Popen[str]]) -> None:
    job.workspace.mkdir(parents=True, exist_ok=True)
    request = job.workspace / "job.json"
    request.write_text(job.model_dump_json(), encoding="utf-8")
    # One thread each: the processes share the cores, and threads that wait for each other spin.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    with log.open("a", encoding="utf-8") as noise:
        noise.write(f"--- {job.format}\n")
        noise.flush()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "export.jobs.worker", str(request)],
            stdout=subprocess.PIPE,
            stderr=noise,
            env=environment,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        running.append(process)
        if process.stdout is not None:
            for line in process.stdout:
                _report_line(line, job, report)
        code = process.wait()
    if code:
        report(job, Failed(precision=None, reason=f"{_exit_reason(code)}: {_last_line(log)}"))


def _kill_group(process: subprocess.Popen[str]) -> None:
    """Kill a worker and its children: each leads a process group of its own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _report_line(line: str, job: Job, report: Report) -> None:
    try:
        event = EVENTS.validate_json(line)
    except ValidationError:
        report(job, Failed(precision=None, reason=f"unexpected report: {line.strip()[:200]}"))
        return
    report(job, event)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip()[:300] if lines else "it said nothing"


def _exit_reason(code: int) -> str:
    if code == -signal.SIGKILL:
        return "the worker was killed (SIGKILL; most often for want of memory)"
    if code < 0:
        return f"the worker crashed ({signal.Signals(-code).name})"
    return f"the worker stopped (exit code {code})"
