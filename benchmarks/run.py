"""Runs a whole benchmark, from export folders to a report folder."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.accuracy.eval_photos import choose_eval_photos
from benchmarks.accuracy.evaluate import constant_answers, evaluate_cases
from benchmarks.accuracy.gallery import Gallery, make_gallery
from benchmarks.accuracy.logits_cache import LogitsCache
from benchmarks.cases import make_cases
from benchmarks.compare import Comparison, check_comparable, compare
from benchmarks.devices.phones import PhoneFigures, PhoneRequest, measure_phones
from benchmarks.environment import describe_host
from benchmarks.exports import Export, read_exports
from benchmarks.plan import Plan
from benchmarks.profiling.operators import profile_all
from benchmarks.profiling.sweep import sweep
from benchmarks.report.files import check_report_folder, whole_report, write_results
from benchmarks.results import HOST, BenchmarkError, Environment, Results, read_results
from benchmarks.runner import measure, sustain
from benchmarks.runtimes.registry import all_runtimes, check_runtimes
from benchmarks.session_results import SessionResults
from export.progress import Observer, unobserved
from export.targets.fleet import KINDS, device_names, find_devices, parse_devices
from export.targets.task import Timeouts
from hierattn.common.locks import locked_folder
from hierattn.common.quantities import MOST_THREADS
from hierattn.common.signals import uninterrupted
from hierattn.common.temporary import temporary_folder
from hierattn.data.joined.class_table import ClassTable, parse_class_map
from hierattn.errors import HierAttnError, UnknownNameError
from hierattn.outputs import check_output, given_path


@dataclass(frozen=True)
class BenchmarkRequest:
    """What to measure.

    Attributes:
        exports: export folders.
        out: the report folder.
        data: photos to judge every file by.
        device: ``host``, ``adb`` for all phones, ``adb:SERIAL``, or several of them, separated by
            commas.
        runtimes: names, see :func:`benchmarks.runtimes.registry.all_runtimes`.
        sustained_s: seconds of sustained load for each row; 0 for none.
        compare: ``results.json``, or its folder, of an earlier session.
        runs: run folders and shipped names behind the exports.
        class_map: ``FROM=TO`` pairs of class names.
        synonyms: whether official labels of one class are one.
        command: as typed, for the record.
        cache: of logits.
        apk: to install on the phones first.
        timeouts: with the phones.
        gallery: put wrong and unsure photos into the page.
    """

    exports: tuple[Path, ...]
    out: Path
    data: Path | None = None
    threads: tuple[int, ...] = (1, 2)
    device: str = HOST
    runtimes: tuple[str, ...] = all_runtimes()
    plan: Plan = field(default_factory=Plan)
    sustained_s: float = 0.0
    profile: bool = False
    sweep: bool = False
    compare: Path | None = None
    runs: tuple[str, ...] = ()
    class_map: tuple[str, ...] = ()
    skip_unreadable: bool = False
    command: str = ""
    cache: LogitsCache = field(default_factory=LogitsCache)
    apk: Path | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    gallery: bool = False
    synonyms: bool = True

    @property
    def table(self) -> ClassTable:
        """What the data calls the classes."""
        return ClassTable(parse_class_map(self.class_map), self.synonyms)

    @property
    def on_host(self) -> bool:
        """Whether this machine is measured."""
        return HOST in self._devices

    @property
    def phones(self) -> str:
        """As for :func:`export.targets.fleet.parse_devices`; "" for none."""
        return ",".join(name for name in self._devices if name != HOST)

    @property
    def _devices(self) -> list[str]:
        return [part.strip() for part in self.device.split(",") if part.strip()]

    def check(self) -> None:
        """Refuse what cannot be done before anything is.

        Raises:
            BenchmarkError: the value and what it may be.
            UnknownNameError: a runtime or device that does not exist.
        """
        if not self.exports:
            raise BenchmarkError("no export folder given")
        for name in self._devices or [self.device]:
            if name != HOST and name.partition(":")[0] not in KINDS:
                raise UnknownNameError("device", name, (HOST, *device_names()))
        if self.phones:
            parse_devices(self.phones)
        if self.apk is not None and not self.phones:
            raise BenchmarkError("--apk: is for phones; name them with --device")
        if not self.on_host:
            self._check_phones_only()
        if not self.runtimes:
            raise BenchmarkError("--runtime: give at least one")
        check_runtimes(self.runtimes)
        if not self.threads or not all(1 <= count <= MOST_THREADS for count in self.threads):
            raise BenchmarkError(f"--threads: give numbers from 1 to {MOST_THREADS}")
        if self.sustained_s < 0:
            raise BenchmarkError("--sustained: give seconds")
        if self.class_map and self.data is None:
            raise BenchmarkError("--map-class: is for --data")
        _ = self.table  # a pair that is none is told before anything is measured
        if self.gallery and self.data is None:
            raise BenchmarkError("--gallery: is for --data")
        check_output(self.out, *self.exports, self.data, *map(given_path, self.runs))
        check_report_folder(self.out)

    def _check_phones_only(self) -> None:
        """Refuse what only this machine can do, rather than leave it out silently."""
        asked = {
            "--data": self.data is not None,
            "--sweep": self.sweep,
            "--profile": self.profile,
            "--sustained": bool(self.sustained_s),
        }
        for option, given in asked.items():
            if given:
                raise BenchmarkError(
                    f"{option}: is not done on phones; measure this machine as well with "
                    f"--device {HOST},{self.phones}"
                )


@dataclass(frozen=True)
class BenchmarkOutcome:
    """What was found.

    Attributes:
        unmeasured: names of rows that failed, or could have been run here and were not.
        gallery: the images in the page, if any.
    """

    results: Results
    comparison: Comparison | None
    unmeasured: list[str]
    gallery: Gallery | None = None


def run_benchmark(request: BenchmarkRequest, progress: Observer = unobserved) -> BenchmarkOutcome:
    """Measure everything; the report folder holds what is finished at every moment.

    A whole report that is there stays until this one is whole. Interrupted, it writes what there
    is and raises KeyboardInterrupt again, with words on what the folder holds.

    Raises:
        HierAttnError: the request, an export folder, the photos or the earlier results cannot be
            used.
    """
    request.check()
    with locked_folder(request.out):
        return _run_benchmark(request, progress)


def _run_benchmark(request: BenchmarkRequest, progress: Observer) -> BenchmarkOutcome:
    if request.phones:
        # Before minutes on this machine.
        find_devices(request.phones)
    environment = describe_host()
    earlier = read_results(request.compare) if request.compare is not None else None
    for old in earlier.environments if earlier else ():
        if old.device == HOST:
            check_comparable(old, environment)
    with temporary_folder("benchmark") as workspace:
        exports = read_exports(request.exports, request.runs, workspace)
        results: Results | None = None
        session: SessionResults | None = None
        unmeasured: list[str] = []
        if request.on_host:
            session = _measure_host(request, exports, environment, workspace, progress)
            results, unmeasured = session.results(), session.unmeasured()
        if request.phones:
            try:
                figures = _measure_phones(request, exports, progress)
            except (KeyboardInterrupt, HierAttnError) as stop:
                if session is not None:
                    session.remarks.append("the phones were not measured to their end")
                    session.checkpoint()
                    if isinstance(stop, KeyboardInterrupt):
                        raise KeyboardInterrupt(session.what_is_kept()) from None
                raise
            results = _with_phones(request, results, figures)
            unmeasured += figures.unmeasured
    assert results is not None
    # It loads matplotlib, for which nothing that is measured should wait.
    from benchmarks.report.page import write_report

    gallery = session.gallery if session is not None else None
    # Whoever stops it now finds it done: all is measured, and drawing takes a second.
    with suppress(KeyboardInterrupt), uninterrupted(), whole_report(request.out) as drawn:
        write_results(drawn, results)
        write_report(drawn, results, gallery)
    comparison = compare(earlier, results) if earlier is not None else None
    return BenchmarkOutcome(results, comparison, unmeasured, gallery)


def _measure_host(
    request: BenchmarkRequest,
    exports: list[Export],
    environment: Environment,
    workspace: Path,
    progress: Observer,
) -> SessionResults:
    """Measure this machine."""
    cases = make_cases(exports, request.threads, request.runtimes)
    photos = None
    if request.data is not None:
        skip = request.skip_unreadable
        photos = choose_eval_photos(request.data, exports, request.table, skip_unreadable=skip)
    session = SessionResults(request.out, request.plan, request.command, environment, cases, photos)
    try:
        _fill(session, request, progress)
        if request.sweep:
            points, problems = sweep(exports, request.threads, request.plan, workspace, progress)
            session.sweep, session.remarks = points, [*session.remarks, *problems]
        return session
    except KeyboardInterrupt:
        session.remarks.append("interrupted; rows whose turn had not come are marked")
        session.checkpoint()
        raise KeyboardInterrupt(session.what_is_kept()) from None
    except HierAttnError:
        session.checkpoint()
        raise


def _measure_phones(
    request: BenchmarkRequest, exports: list[Export], progress: Observer
) -> PhoneFigures:
    phones = PhoneRequest(
        request.phones, request.apk, request.threads, request.plan.runs, request.timeouts
    )
    return measure_phones(phones, exports, progress)


def _with_phones(request: BenchmarkRequest, host: Results | None, figures: PhoneFigures) -> Results:
    """The results with the phones' rows, this machine's first."""
    results = host or Results(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        command=request.command,
        environments=[],
        photos=None,
        noise_floor=None,
        rows=[],
    )
    return results.model_copy(
        update={
            "rows": [*results.rows, *figures.rows],
            "environments": [*results.environments, *figures.environments],
            "remarks": [*results.remarks, *figures.remarks],
        }
    )


def _fill(session: SessionResults, request: BenchmarkRequest, progress: Observer) -> None:
    """Accuracy first: bad photos are found before an hour of measuring, and it is cached."""
    cases = session.cases
    if session.photos is not None:
        answers = evaluate_cases(cases, session.photos, request.cache, progress, session.checkpoint)
        session.remarks.extend(constant_answers(answers))
        if request.gallery and answers:
            spec = cases[0].export.manifest.preprocessing
            session.gallery = make_gallery(answers, session.photos, spec)
    session.prepare()
    session.checkpoint()
    measure(session.everything, request.plan, progress, session.checkpoint)
    if request.sustained_s:
        sustain(list(session.measurements.values()), request.sustained_s, request.plan, progress)
    if request.profile:
        session.checkpoint()
        profile_all(cases, progress)
