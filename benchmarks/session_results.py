"""Collects the results of a session and writes them to the report folder as they come."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from benchmarks.accuracy.eval_photos import EvalPhotos
from benchmarks.accuracy.gallery import Gallery
from benchmarks.cases import Case
from benchmarks.environment import busy_warning, finish_host
from benchmarks.matrix_product import gmacs_by_threads, matrix_products
from benchmarks.plan import Plan
from benchmarks.report.files import write_results
from benchmarks.results import (
    PARETO_PNG,
    REPORT_HTML,
    RESULTS_JSON,
    BenchmarkError,
    Environment,
    NoiseFloor,
    Results,
    SweepPoint,
    read_results,
)
from benchmarks.runner import Measurement
from benchmarks.runtimes.registry import LITERT
from benchmarks.stats import find_floors


class SessionResults:
    """Rows and what surrounds them.

    Attributes:
        measurements: what is measured of each row, by the row's place.
        controls: by thread count, a row's measurement and that of the same file once more.
    """

    def __init__(
        self,
        out: Path,
        plan: Plan,
        command: str,
        environment: Environment,
        cases: list[Case],
        photos: EvalPhotos | None,
    ) -> None:
        self.out, self.plan, self.command = out, plan, command
        self.environment = environment
        self.cases, self.photos = cases, photos
        self.measurements: dict[int, Measurement] = {}
        self.controls: dict[int, tuple[Measurement, Measurement]] = {}
        self.matrix_products: list[Measurement] = []
        self.sweep: list[SweepPoint] = []
        self.gallery: Gallery | None = None
        busy = busy_warning(environment)
        self.remarks = [busy] if busy else []
        self.date = datetime.now(UTC).isoformat(timespec="seconds")
        self._earlier_is_whole = _holds_whole_report(out)
        self._kept = False

    def prepare(self) -> None:
        """Make the measurements of every row that can be run, and the controls."""
        for index, case in enumerate(self.cases):
            one = case.measurement()
            if one is not None:
                self.measurements[index] = one
        counts = sorted({one.config.threads for one in self.measurements.values()})
        for threads in counts:
            twice = self._control(threads)
            if twice is not None:
                self.controls[threads] = twice, Measurement(twice.config, f"control: {twice.label}")
        self.matrix_products = matrix_products(counts)

    @property
    def everything(self) -> list[Measurement]:
        """What the session measures in turns."""
        return [
            *self.measurements.values(),
            *(control for _, control in self.controls.values()),
            *self.matrix_products,
        ]

    def checkpoint(self) -> None:
        """Write what is known by now, if anything; only a whole report replaces a whole one."""
        known = any(one.samples for one in self.everything) or any(
            case.row.top1 is not None for case in self.cases
        )
        if known and not self._earlier_is_whole:
            write_results(self.out, self._results(False))
            # Those of an earlier session would stand beside figures they do not show.
            for stale in (self.out / name for name in (REPORT_HTML, PARETO_PNG)):
                stale.unlink(missing_ok=True)
            self._kept = True

    def what_is_kept(self) -> str:
        """What the report folder holds of a session that was stopped, for the terminal."""
        if self._kept:
            return f"what was finished stands in {self.out / RESULTS_JSON}"
        if self._earlier_is_whole:
            return f"{self.out} holds the earlier report as it was"
        return "nothing was measured"

    def results(self) -> Results:
        """What this machine said, all done."""
        return self._results(True)

    def unmeasured(self) -> list[str]:
        """Rows that failed, or were not run for a reason that could be mended here."""
        rows = self._results(True).rows
        return [
            case.label
            for case, row in zip(self.cases, rows, strict=True)
            if row.status == "failed" or (row.status == "not run" and not case.excused)
        ]

    def _results(self, complete: bool) -> Results:
        floor, own = self._noise()
        rows = [
            case.finished(self.measurements.get(place), self.plan, own.get(place))
            for place, case in enumerate(self.cases)
        ]
        versions = {
            one.config.runtime.name: one.version
            for one in self.measurements.values()
            if one.version
        }
        gmacs = gmacs_by_threads(self.matrix_products)
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

    def _control(self, threads: int) -> Measurement | None:
        """The row to measure twice: LiteRT in float32 if there is one, the phone's own case."""
        found = [
            (case.row.runtime != LITERT, case.row.precision != "fp32", index)
            for index, case in enumerate(self.cases)
            if index in self.measurements and case.row.threads == threads
        ]
        return self.measurements[min(found)[2]] if found else None

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
                for place, one in self.measurements.items()
                if one.config.threads == threads and one.samples
            ]
            repeats = [*(self.measurements[place].repeats() for place in places), second.repeats()]
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


def _holds_whole_report(out: Path) -> bool:
    """Whether the results in a folder are of a session that ended, as far as can be read."""
    if not (out / RESULTS_JSON).exists():
        return False
    try:
        return read_results(out).complete
    except BenchmarkError:  # of another version: not ours to call unfinished
        return True
