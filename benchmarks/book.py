"""All that a session knows by now, and how it is written down."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from benchmarks.environment import finish_host, warning
from benchmarks.noise import find_floors
from benchmarks.photos import Photos
from benchmarks.report_folder import write_results
from benchmarks.results import (
    PARETO_PNG,
    REPORT_HTML,
    RESULTS_JSON,
    Environment,
    NoiseFloor,
    Results,
    SweepPoint,
)
from benchmarks.runtimes import LITERT
from benchmarks.schedule import Plan
from benchmarks.session import Series
from benchmarks.subjects import Subject
from benchmarks.yardstick import gmacs_by_threads, yardsticks


class Book:
    """Rows and what surrounds them.

    Attributes:
        series: what is measured of each row, by the row's place.
        controls: by thread count, a row's series and that of the same file once more.
    """

    def __init__(
        self,
        out: Path,
        plan: Plan,
        command: str,
        environment: Environment,
        subjects: list[Subject],
        photos: Photos | None,
    ) -> None:
        self.out, self.plan, self.command = out, plan, command
        self.environment = environment
        self.subjects, self.photos = subjects, photos
        self.series: dict[int, Series] = {}
        self.controls: dict[int, tuple[Series, Series]] = {}
        self.yardsticks: list[Series] = []
        self.sweep: list[SweepPoint] = []
        busy = warning(environment)
        self.remarks = [busy] if busy else []
        self.date = datetime.now(UTC).isoformat(timespec="seconds")

    def prepare(self) -> None:
        """Make the series of every row that can be run, and the controls."""
        for index, subject in enumerate(self.subjects):
            one = subject.series()
            if one is not None:
                self.series[index] = one
        counts = sorted({one.order.threads for one in self.series.values()})
        for threads in counts:
            twice = self._control(threads)
            if twice is not None:
                self.controls[threads] = twice, Series(twice.order, f"control: {twice.label}")
        self.yardsticks = yardsticks(counts)

    @property
    def everything(self) -> list[Series]:
        """What the session measures in turns."""
        return [
            *self.series.values(),
            *(control for _, control in self.controls.values()),
            *self.yardsticks,
        ]

    def checkpoint(self) -> None:
        """Write what is known by now; an earlier report stays until something is measured."""
        measured = any(series.samples for series in self.everything)
        if measured or not (self.out / RESULTS_JSON).exists():
            self.write(complete=False)

    def write(self, *, complete: bool) -> Results:
        """Write the files; the page as well once all is done."""
        results = self._results(complete)
        write_results(self.out, results)
        if not complete:
            # Those of an earlier session would stand beside figures they do not show.
            for stale in (self.out / name for name in (REPORT_HTML, PARETO_PNG)):
                stale.unlink(missing_ok=True)
        else:
            from benchmarks.report import write_report

            write_report(self.out, results)
        return results

    def undone(self) -> list[str]:
        """Rows that failed, or were not run for a reason that could be mended here."""
        rows = self._results(True).rows
        return [
            subject.label
            for subject, row in zip(self.subjects, rows, strict=True)
            if row.status == "failed" or (row.status == "not run" and not subject.excused)
        ]

    def _results(self, complete: bool) -> Results:
        runs = self.plan.runs
        floor, own = self._noise()
        rows = [
            subject.finished(self.series.get(place), runs, own.get(place))
            for place, subject in enumerate(self.subjects)
        ]
        versions = {one.order.runtime: one.version for one in self.series.values() if one.version}
        gmacs = gmacs_by_threads(self.yardsticks)
        return Results(
            date=self.date,
            command=self.command,
            complete=complete,
            environments=[finish_host(self.environment, versions, gmacs)],
            method=self.plan.method(),
            photos=self.photos.record if self.photos else None,
            noise_floor=floor,
            rows=rows,
            sweep=self.sweep,
            remarks=self.remarks,
        )

    def _control(self, threads: int) -> Series | None:
        """The row to measure twice: LiteRT in float32 if there is one, the phone's own case."""
        found = [
            (subject.row.runtime != LITERT, subject.row.precision != "fp32", index)
            for index, subject in enumerate(self.subjects)
            if index in self.series and subject.row.threads == threads
        ]
        return self.series[min(found)[2]] if found else None

    def _noise(self) -> tuple[NoiseFloor | None, dict[int, float]]:
        """The session's floor, and each row's own by its place."""
        ratios: dict[int, float] = {}
        controls: dict[int, tuple[float, float]] = {}
        own: dict[int, float] = {}
        name = ""
        for threads, (first, second) in self.controls.items():
            if first.p50_ms is None or second.p50_ms is None:
                continue
            name = first.label.rpartition(",")[0]
            controls[threads] = first.p50_ms, second.p50_ms
            places = [
                place
                for place, one in self.series.items()
                if one.order.threads == threads and one.samples
            ]
            repeats = [*(self.series[place].repeats() for place in places), second.repeats()]
            floors = find_floors(repeats, controls[threads])
            ratios[threads] = floors.session
            own |= {
                place: ratio
                for place, ratio in zip(places, floors.rows[:-1], strict=True)
                if ratio is not None
            }
        if not ratios:
            return None, own
        floor = NoiseFloor(
            name=name, ratio=max(ratios.values()), by_threads=ratios, controls=controls
        )
        return floor, own
