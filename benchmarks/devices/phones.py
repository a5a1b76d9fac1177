"""Runs the app's benchmark on phones in parallel, one thread count after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.devices.rows import PhoneRun, name_phones, phone_environment, phone_row
from benchmarks.exports import Export
from benchmarks.results import Environment, Row, threads_of
from export.errors import AppEndedError
from export.progress import Observer, unobserved
from export.targets.fleet import OpenDevice, run_on_devices
from export.targets.results import MOST_FILES, PhoneBenchmark
from export.targets.task import ReportProgress, Task, Timeouts
from hierattn.errors import HierAttnError

WARM_UP = 20
"""Runs before the counted ones."""


@dataclass(frozen=True)
class PhoneRequest:
    """What to ask of the phones.

    Attributes:
        devices: ``adb``, ``adb:SERIAL``, or several, separated by commas.
        apk: to install first; None where the app is there.
        runs: counted ones, of each thread count.
    """

    devices: str
    apk: Path | None
    threads: tuple[int, ...]
    runs: int
    timeouts: Timeouts


@dataclass(frozen=True)
class PhoneFigures:
    """All that the phones gave; ``remarks`` are for the reader, a line each."""

    rows: list[Row]
    environments: list[Environment]
    remarks: list[str]

    @property
    def unmeasured(self) -> list[str]:
        """Names of rows without a figure."""
        return [f"{row.device}, {threads_of(row.threads)}" for row in self.rows if not row.p50_ms]


def measure_phones(
    request: PhoneRequest, exports: Sequence[Export], progress: Observer = unobserved
) -> PhoneFigures:
    """Measure; whatever goes wrong with a phone is a failed row of it.

    Raises:
        ExportError: no adb, no phone at all, or no such APK.
    """

    def work(phone: OpenDevice, report: ReportProgress) -> list[tuple[int, PhoneBenchmark | str]]:
        found: list[tuple[int, PhoneBenchmark | str]] = []
        for place, count in enumerate(request.threads):
            try:
                for result in _measure_files(phone, request, count, report):
                    found.append((count, result))
            except HierAttnError as error:
                # What was measured before stays; there is no use in going on with a lost phone.
                return [*found, *[(left, str(error)) for left in request.threads[place:]]]
        return found

    asked = run_on_devices(request.devices, request.apk, work, request.timeouts, progress)
    results: list[tuple[str, int, PhoneBenchmark | str]] = []
    for one in asked:
        reason = one.reason or "no answer"
        outcome = one.outcome or [(count, reason) for count in request.threads]
        results += [(one.address, count, found) for count, found in outcome]
    names = name_phones(
        [(address, None if isinstance(found, str) else found) for address, _, found in results]
    )
    runs = [
        PhoneRun(
            address,
            names[address],
            count,
            request.runs,
            WARM_UP,
            result=None if isinstance(found, str) else found,
            reason=found if isinstance(found, str) else None,
        )
        for address, count, found in results
    ]
    rows = [phone_row(run, exports) for run in runs]
    environments = [
        phone_environment(names[one.address], [run for run in runs if run.address == one.address])
        for one in asked
    ]
    remark = (
        f"phones: one golden image, {WARM_UP} runs to warm up, then {request.runs} in a row in one "
        "process of the app, after its self-test passed; no noise floor is known"
    )
    return PhoneFigures(rows, environments, [remark, *_faster(rows)])


def _measure_files(
    phone: OpenDevice, request: PhoneRequest, threads: int, report: ReportProgress
) -> Iterator[PhoneBenchmark | str]:
    """Each model file of the app's bundle; where the app ended, the reason in its place.

    Raises:
        DeviceError: the phone can be asked nothing more.
    """
    for number in range(MOST_FILES):
        extras = {"runs": request.runs, "warmup": WARM_UP, "threads": threads, "file": number}
        try:
            result = phone.run(
                Task("benchmark", ".BenchmarkActivity", extras), PhoneBenchmark, report
            )
        except AppEndedError as error:
            # How many files there are, the answer to the next question tells.
            yield f"model file {number + 1} of the app's bundle: {error}"
            continue
        if number < result.files:
            yield result
        if number + 1 >= result.files:
            return


def _faster(rows: Sequence[Row]) -> list[str]:
    """Where a bundle has two model files: which to ship for a phone, by these figures."""
    by_run: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        by_run.setdefault((row.device, row.threads), []).append(row)
    lines = []
    for (device, threads), files in by_run.items():
        timed = [(row.p50_ms, row.name) for row in files if row.p50_ms is not None]
        if len(files) > 1 and timed:
            lines.append(
                f"{device}, {threads_of(threads)}: {min(timed)[1]} is the one to use of the "
                f"bundle's {len(files)} files: the fastest of {len(timed)} that passed the "
                "self-test"
            )
    return lines
