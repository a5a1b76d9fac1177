"""Results of each file, collected from worker events, and the manifest records they become."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from export.checks.comparison import Comparison, TorchReference
from export.checks.integrity import path_bytes, path_sha256
from export.formats.registry import abilities_of
from export.jobs.messages import Event, Failed, FileChecked, FileWritten, Job, Step
from export.progress import Observer, Progress
from export.schema.manifest import ArtefactRecord, Gate
from export.schema.metadata import Precision
from hierattn.errors import HierAttnError


@dataclass
class FileResult:
    """Events of one file so far."""

    format: str
    precision: Precision
    path: Path
    written: FileWritten | None = None
    checked: FileChecked | None = None
    reason: str | None = None

    def to_record(self, reference: TorchReference) -> tuple[ArtefactRecord, Comparison | None]:
        """The manifest record, and the comparison with torch; a half-written file is removed."""
        checked, comparison = self.checked, None
        reason = self.reason or "the worker reported nothing; see the log"
        # The folder is renamed when the export is complete.
        reason = reason.replace(f"{self.path.parent}/", "")
        if self.written is None:
            _remove(self.path)
        if checked is not None:
            try:
                comparison = reference.compare(checked)
            except HierAttnError as error:
                reason = str(error)
        there = self.path.exists()
        record = ArtefactRecord(
            path=self.path.name,
            format=self.format,
            precision=self.precision,
            bytes=path_bytes(self.path) if there else None,
            sha256=path_sha256(self.path) if there else None,
            input=checked.input if checked else None,
            output=checked.output if checked else None,
            operators=checked.operators if checked else {},
            delegated=checked.delegated if checked else None,
            quantisation=self.written.quantisation if self.written else None,
            parity=comparison.parity if comparison else None,
            quality=comparison.quality if comparison else None,
            other_runtimes=comparison.other_runtimes if comparison else [],
            gate=comparison.gate if comparison else Gate(status="failed", reasons=[reason]),
            minimum_runtimes=abilities_of(self.format).minimum_runtimes,
        )
        return record, comparison

    @property
    def settled(self) -> bool:
        """Whether nothing more will be reported of it."""
        return self.checked is not None or self.reason is not None

    @property
    def seconds(self) -> float:
        """Time to convert and check it, seconds."""
        return sum(part.seconds for part in (self.written, self.checked) if part is not None)


class FileResults:
    """One :class:`FileResult` for every file of some jobs."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._results = {
            (job.format, precision): FileResult(job.format, precision, path)
            for job in jobs
            for precision, path in job.files.items()
        }

    def __iter__(self) -> Iterator[FileResult]:
        """In the order of the jobs."""
        return iter(self._results.values())

    def follow(self, progress: Observer) -> Callable[[Job, Event], None]:
        """What takes the events of jobs: steps are told to ``progress``, the rest is kept.

        A format is over once each of its files is checked or failed.
        """

        def report(job: Job, event: Event) -> None:
            if isinstance(event, Step):
                progress(Progress(job.format, event.text, event.done, event.total))
            else:
                self.add(job.format, event)
                died = isinstance(event, Failed) and event.precision is None
                if all(result.settled for result in self if result.format == job.format):
                    progress(Progress(job.format, "broken off" if died else "done", over=True))

        return report

    def add(self, name: str, event: Event) -> None:
        """Add an event of the worker of format ``name``."""
        if isinstance(event, Failed) and event.precision is None:
            for result in self:
                if result.format == name and not result.settled:
                    result.reason = event.reason
        elif isinstance(event, Failed) and event.precision is not None:
            self._results[name, event.precision].reason = event.reason
        elif isinstance(event, FileWritten):
            self._results[name, event.precision].written = event
        elif isinstance(event, FileChecked):
            self._results[name, event.precision].checked = event

    def seconds(self) -> dict[str, float]:
        """Time of each file, by its name."""
        return {result.path.name: result.seconds for result in self}


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
