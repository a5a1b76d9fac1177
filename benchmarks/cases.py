"""The benchmark cases: one for each file, runtime and thread count, with how it is run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.exports import Export
from benchmarks.plan import Plan
from benchmarks.results import HOST, Row, SustainedLoad, threads_of
from benchmarks.runner import Measurement
from benchmarks.runtimes.registry import (
    TORCH,
    find_runtime,
    runtime_named,
    runtimes_of,
)
from benchmarks.stats import last_to_first, summarise
from export.checks.integrity import path_sha256
from export.formats.abilities import Runtime
from export.formats.registry import abilities_of
from export.runtime.client import WorkerConfig
from export.schema.manifest import ArtefactRecord
from hierattn.run_files import WEIGHTS

WAITING = "its turn has not come"


@dataclass
class Case:
    """A row, as far as it is known.

    Attributes:
        config: how to run it; None where it cannot be.
        excused: it cannot be run here, and that is nobody's failure.
        gate_failed: its export says that it must not be shipped.
        remark: what a reader of the row should know once it is measured.
    """

    export: Export
    row: Row
    config: WorkerConfig | None
    excused: bool = False
    gate_failed: bool = False
    remark: str = ""

    @property
    def label(self) -> str:
        """For progress and messages."""
        row = self.row
        return f"{row.export}/{row.name}, {row.runtime}, {threads_of(row.threads)}"

    def measurement(self) -> Measurement | None:
        """To be filled by the session; None where there is nothing to run."""
        return None if self.config is None else Measurement(self.config, self.label)

    def fail(self, reason: str) -> None:
        """It will not be run."""
        self.row = self.row.model_copy(update={"status": "failed", "reason": reason})
        self.config = None

    def finished(
        self, measurement: Measurement | None, plan: Plan, noise_ratio: float | None = None
    ) -> Row:
        """The row with what was measured so far.

        Args:
            measurement: what the session measured of it, if anything.
            plan: which runs were asked for.
            noise_ratio: its own noise floor, if known.
        """
        if measurement is None:
            return self.row
        if measurement.failure is not None:
            update = {"status": "failed", "reason": f"{self.row.runtime}: {measurement.failure}"}
            return self.row.model_copy(update=update)
        samples = measurement.samples
        if not samples:
            return self.row
        latency = summarise(samples)
        partitions = measurement.delegated
        remarks = [self.remark, measurement.remark]
        if not measurement.settled:
            remarks.append("did not get steady in its warm-up")
        if len(samples) < plan.runs:
            remarks.append(f"{len(samples)} of {plan.runs} runs: {_why_fewer(measurement, plan)}")
        return self.row.model_copy(
            update={
                "load_ms": float(np.median(measurement.loads)),
                "first_ms": float(np.median(measurement.firsts)),
                **asdict(latency),
                "peak_rss_mb": max(measurement.peaks) if measurement.peaks else None,
                "noise_ratio": noise_ratio,
                "warm_up_runs": max(measurement.warm_ups),
                "runs": len(samples),
                "samples_ms": [round(ms, 4) for ms in samples],
                "operators_left": partitions.left if partitions else None,
                "fully_delegated": (partitions.partitions == 1 and partitions.left == 0)
                if partitions
                else None,
                "sustained": _sustained(measurement),
                "status": "gate failed" if self.gate_failed else "measured",
                "reason": "; ".join(filter(None, remarks)) or None,
            }
        )


def _why_fewer(measurement: Measurement, plan: Plan) -> str:
    """Why a row has fewer runs than were asked for."""
    if sum(map(len, measurement.turns)) < sum(map(len, plan.shares())):
        return "the others had not had their turn"
    threads = threads_of(measurement.config.threads)
    return f"with {threads} this row is slow: after {plan.slice_s:g} s a turn begins no other run"


def make_cases(
    exports: Sequence[Export], threads: Sequence[int], runtimes: Sequence[str]
) -> list[Case]:
    """Every row, in the order of the table: torch first, then the files as the manifest lists them.

    A file whose hash is not its manifest's, or that could not be made, is a failed row.
    """
    return [
        case
        for export in exports
        for case in _of_export(export, runtimes)
        for case in _for_threads(case, threads)
    ]


def _for_threads(case: Case, threads: Sequence[int]) -> Iterator[Case]:
    for count in threads:
        config = case.config
        if config is not None:
            config = replace(config, threads=count)
        row = case.row.model_copy(update={"threads": count})
        yield replace(case, row=row, config=config)


def _of_export(export: Export, runtimes: Sequence[str]) -> Iterator[Case]:
    if TORCH in runtimes:
        yield _torch(export)
    for record in export.manifest.artefacts:
        path = export.folder / record.path
        problem = _file_problem(path, record)
        known = runtimes_of(record.format)
        for runtime in known:
            if runtime.name in runtimes:
                yield _of_file(export, record, path, problem, runtime)
        if not known:
            title = abilities_of(record.format).title
            problem = problem or f"no runtime for {title} is known here: it cannot be measured"
            yield _of_file(export, record, path, problem, None)


def _torch(export: Export) -> Case:
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
        return Case(export, row, None, excused=True)
    return Case(export, row, WorkerConfig(runtime_named(TORCH)[0], str(run.path.resolve()), 1))


def _of_file(
    export: Export, record: ArtefactRecord, path: Path, problem: str | None, runtime: Runtime | None
) -> Case:
    row = _row(
        export,
        name=record.path,
        sha256=record.sha256,
        format=record.format,
        precision=record.precision.value,
        runtime=runtime.name if runtime else "none",
        size_mb=None if record.bytes is None else record.bytes / 1e6,
    )
    if problem is not None or runtime is None:
        return Case(export, row.model_copy(update={"status": "failed", "reason": problem}), None)
    available = find_runtime(runtime.name)
    reason = available.reason
    if available.python is not None and record.input and record.input.layout == "image":
        reason = "takes an image, which is not timed; export without --coreml-image-input"
    if available.python is None or reason:
        if record.gate.status == "failed":
            reason = f"gate failed; {reason or 'cannot run here'}"
        row = row.model_copy(update={"reason": reason})
        return Case(export, row, None, available.excused)
    row = row.model_copy(update={"parity_max_abs": parity_of(record, runtime.name)})
    return Case(
        export,
        row,
        WorkerConfig(runtime, str(path.resolve()), 1, python=available.python),
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


def parity_of(record: ArtefactRecord, runtime: str) -> float | None:
    """Largest difference from torch of a file on the runtime of this name; None if not checked."""
    declared, _ = runtime_named(runtime)
    if not declared.requirements:
        return record.parity.max_abs if record.parity else None
    for check in record.other_runtimes:
        named = check.runtime.rpartition(" ")[0] == declared.distribution
        if named and check.parity is not None:
            return check.parity.max_abs
    return None


def _sustained(measurement: Measurement) -> SustainedLoad | None:
    medians = measurement.sustained
    if not medians:
        return None
    return SustainedLoad(
        seconds=float(len(medians)),
        window_p50_ms=[round(ms, 4) for ms in medians],
        last_to_first=last_to_first(medians),
    )
