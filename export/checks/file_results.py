"""What is gathered of each file while the workers run, and the record it becomes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from export.checks.comparison import Assessment, Reference
from export.checks.integrity import path_bytes, path_sha256
from export.jobs.messages import Answered, Event, Failed, Job, Written
from export.schema.manifest import ArtefactRecord, Gate
from export.schema.metadata import Precision
from hierattn.errors import HierAttnError


@dataclass
class FileRow:
    """One file to be."""

    format: str
    precision: Precision
    path: Path
    written: Written | None = None
    answered: Answered | None = None
    reason: str | None = None

    def record(self, reference: Reference) -> tuple[ArtefactRecord, Assessment | None]:
        """The manifest's record; what is left of a file whose making failed is removed."""
        answered, assessment = self.answered, None
        reason = self.reason or "the worker reported nothing; see the log"
        # The folder has another name by the time anybody reads this.
        reason = reason.replace(f"{self.path.parent}/", "")
        if self.written is None:
            _remove(self.path)
        if answered is not None:
            try:
                assessment = reference.assess(answered)
            except HierAttnError as error:
                reason = str(error)
        there = self.path.exists()
        record = ArtefactRecord(
            path=self.path.name,
            format=self.format,
            precision=self.precision,
            bytes=path_bytes(self.path) if there else None,
            sha256=path_sha256(self.path) if there else None,
            input=answered.input if answered else None,
            output=answered.output if answered else None,
            operators=answered.operators if answered else {},
            delegated=answered.delegated if answered else None,
            quantisation=self.written.quantisation if self.written else None,
            parity=assessment.parity if assessment else None,
            quality=assessment.quality if assessment else None,
            other_runtimes=assessment.other_runtimes if assessment else [],
            gate=assessment.gate if assessment else Gate(status="failed", reasons=[reason]),
        )
        return record, assessment

    @property
    def seconds(self) -> float:
        """To make and to check it."""
        return sum(part.seconds for part in (self.written, self.answered) if part is not None)


class FileRows:
    """A row for every file of some jobs."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._rows = {
            (job.format, precision): FileRow(job.format, precision, path)
            for job in jobs
            for precision, path in job.files.items()
        }

    def __iter__(self) -> Iterator[FileRow]:
        """In the order of the jobs."""
        return iter(self._rows.values())

    def gather(self, name: str, event: Event) -> None:
        """Take in what the worker of format ``name`` reports."""
        if isinstance(event, Failed) and event.precision is None:
            for row in self:
                if row.format == name and row.answered is None and row.reason is None:
                    row.reason = event.reason
        elif isinstance(event, Failed) and event.precision is not None:
            self._rows[name, event.precision].reason = event.reason
        elif isinstance(event, Written):
            self._rows[name, event.precision].written = event
        elif isinstance(event, Answered):
            self._rows[name, event.precision].answered = event

    def seconds(self) -> dict[str, float]:
        """What each file took, by its name."""
        return {row.path.name: row.seconds for row in self}


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
