"""The rows to be: each file, runtime and thread count, and how it is run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.exports import Export
from benchmarks.figures import last_to_first, summarise
from benchmarks.results import HOST, Row, SustainedLoad
from benchmarks.runtimes import RUNTIMES_OF, TFLITE_RUNTIME, TORCH, find_runtime
from benchmarks.session import Series
from benchmarks.workers import Order
from export.checks.integrity import path_sha256
from export.schema.manifest import ArtefactRecord
from hierattn.runs import WEIGHTS

WAITING = "its turn has not come"


@dataclass
class Subject:
    """A row, as far as it is known.

    Attributes:
        order: how to run it; None where it cannot be.
        excused: it cannot be run here, and that is nobody's failure.
        gate_failed: its export says that it must not be shipped.
        remark: what a reader of the row should know once it is measured.
    """

    export: Export
    row: Row
    order: Order | None
    excused: bool = False
    gate_failed: bool = False
    remark: str = ""

    @property
    def label(self) -> str:
        """For progress and messages."""
        row = self.row
        return f"{row.export}/{row.name}, {row.runtime}, {row.threads} thread(s)"

    def series(self) -> Series | None:
        """To be filled by the session; None where there is nothing to run."""
        return None if self.order is None else Series(self.order, self.label)

    def fail(self, reason: str) -> None:
        """It will not be run."""
        self.row = self.row.model_copy(update={"status": "failed", "reason": reason})
        self.order = None

    def finished(self, series: Series | None, runs: int, noise_ratio: float | None = None) -> Row:
        """The row with what was measured so far.

        Args:
            series: its series, if it has one.
            runs: asked for.
            noise_ratio: its own noise floor, if known.
        """
        if series is None:
            return self.row
        if series.failure is not None:
            update = {"status": "failed", "reason": f"{self.row.runtime}: {series.failure}"}
            return self.row.model_copy(update=update)
        samples = series.samples
        if not samples:
            return self.row
        latency = summarise(samples)
        partitions = series.delegated
        remarks = [self.remark, series.remark]
        if not series.settled:
            remarks.append("did not get steady in its warm-up")
        if len(samples) < runs:
            remarks.append(f"{len(samples)} of {runs} runs")
        return self.row.model_copy(
            update={
                "load_ms": float(np.median(series.loads)),
                "first_ms": float(np.median(series.firsts)),
                **asdict(latency),
                "peak_rss_mb": max(series.peaks) if series.peaks else None,
                "noise_ratio": noise_ratio,
                "warm_up_runs": max(series.warm_ups),
                "runs": len(samples),
                "samples_ms": [round(ms, 4) for ms in samples],
                "operators_left": partitions.left if partitions else None,
                "fully_delegated": (partitions.partitions == 1 and partitions.left == 0)
                if partitions
                else None,
                "sustained": _sustained(series),
                "status": "gate failed" if self.gate_failed else "measured",
                "reason": "; ".join(filter(None, remarks)) or None,
            }
        )


def make_subjects(
    exports: Sequence[Export], threads: Sequence[int], runtimes: Sequence[str]
) -> list[Subject]:
    """Every row, in the order of the table: torch first, then the files as the manifest lists them.

    A file whose hash is not its manifest's, or that could not be made, is a failed row.
    """
    return [
        subject
        for export in exports
        for subject in _of_export(export, runtimes)
        for subject in _for_threads(subject, threads)
    ]


def _for_threads(subject: Subject, threads: Sequence[int]) -> Iterator[Subject]:
    for count in threads:
        order = subject.order
        if order is not None:
            order = replace(order, threads=count)
        row = subject.row.model_copy(update={"threads": count})
        yield replace(subject, row=row, order=order)


def _of_export(export: Export, runtimes: Sequence[str]) -> Iterator[Subject]:
    if TORCH in runtimes:
        yield _torch(export)
    for record in export.manifest.artefacts:
        path = export.folder / record.path
        problem = _file_problem(path, record)
        for runtime in RUNTIMES_OF.get(record.format, ()):
            if runtime in runtimes:
                yield _of_file(export, record, path, problem, runtime)


def _torch(export: Export) -> Subject:
    run = export.run
    weights = run.path / WEIGHTS if run else None
    row = _row(
        export,
        name=TORCH,
        sha256=export.manifest.source.weights_sha256,
        format=TORCH,
        precision="fp32",
        runtime=TORCH,
        size_mb=weights.stat().st_size / 1e6 if weights and weights.is_file() else None,
    )
    if run is None:
        row = row.model_copy(update={"reason": export.run_missing})
        return Subject(export, row, None, excused=True)
    return Subject(export, row, Order(TORCH, str(run.path.resolve()), 1))


def _of_file(
    export: Export, record: ArtefactRecord, path: Path, problem: str | None, runtime: str
) -> Subject:
    row = _row(
        export,
        name=record.path,
        sha256=record.sha256,
        format=record.format,
        precision=record.precision.value,
        runtime=runtime,
        size_mb=None if record.bytes is None else record.bytes / 1e6,
    )
    if problem is not None:
        return Subject(export, row.model_copy(update={"status": "failed", "reason": problem}), None)
    available = find_runtime(runtime)
    reason = available.reason
    if available.python is not None and record.input and record.input.layout == "image":
        reason = "takes an image, which is not timed; export without --coreml-image-input"
    if available.python is None or reason:
        row = row.model_copy(update={"reason": reason})
        return Subject(export, row, None, available.excused)
    row = row.model_copy(update={"parity_max_abs": _parity(record, runtime)})
    return Subject(
        export,
        row,
        Order(runtime, str(path.resolve()), 1, python=available.python),
        gate_failed=record.gate.status == "failed",
        remark=_gate_remark(record),
    )


def _gate_remark(record: ArtefactRecord) -> str:
    if record.gate.status == "passed":
        return ""
    reasons = "; ".join(record.gate.reasons) or "no reason recorded"
    return reasons if record.gate.status == "failed" else f"gate not run: {reasons}"


def _row(
    export: Export,
    *,
    name: str,
    sha256: str | None,
    format: str,
    precision: str,
    runtime: str,
    size_mb: float | None,
) -> Row:
    return Row(
        export=export.label,
        name=name,
        sha256=sha256,
        model=export.manifest.model,
        format=format,
        precision=precision,
        runtime=runtime,
        device=HOST,
        threads=1,
        size_mb=size_mb,
        status="not run",
        reason=WAITING,
    )


def _file_problem(path: Path, record: ArtefactRecord) -> str | None:
    if record.sha256 is None:
        return f"was not made: {'; '.join(record.gate.reasons) or 'no reason recorded'}"
    if not path.exists():
        return f"{path}: missing"
    if path_sha256(path) != record.sha256:
        return f"{path}: changed since the export (sha256 differs); export again"
    return None


def _parity(record: ArtefactRecord, runtime: str) -> float | None:
    if runtime != TFLITE_RUNTIME:
        return record.parity.max_abs if record.parity else None
    for check in record.other_runtimes:
        if check.runtime.startswith("tflite-runtime") and check.parity is not None:
            return check.parity.max_abs
    return None


def _sustained(series: Series) -> SustainedLoad | None:
    medians = series.sustained
    if not medians:
        return None
    return SustainedLoad(
        seconds=float(len(medians)),
        window_p50_ms=[round(ms, 4) for ms in medians],
        last_to_first=last_to_first(medians),
    )
