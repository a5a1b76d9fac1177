"""A whole benchmark: from export folders to a report folder."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.accuracy import judge_all
from benchmarks.book import Book
from benchmarks.compare import Comparison, check_comparable, compare
from benchmarks.environment import HOST, describe_host
from benchmarks.exports import read_exports
from benchmarks.logits_cache import LogitsCache
from benchmarks.photos import choose, parse_class_map
from benchmarks.profiling import profile_all
from benchmarks.report_folder import check_report_folder
from benchmarks.results import (
    BenchmarkError,
    Results,
    read_results,
)
from benchmarks.runtimes import RUNTIMES, check_runtimes
from benchmarks.schedule import Plan
from benchmarks.session import measure, sustain
from benchmarks.subjects import make_subjects
from benchmarks.sweep import sweep
from export.progress import Observer, unobserved
from hierattn.errors import HierAttnError, UnknownNameError

MOST_THREADS = 256


@dataclass(frozen=True)
class BenchmarkRequest:
    """What to measure.

    Attributes:
        exports: export folders.
        out: the report folder.
        data: photos to judge every file by.
        device: ``host``.
        runtimes: names, see :data:`benchmarks.runtimes.RUNTIMES`.
        sustained_s: seconds of sustained load for each row; 0 for none.
        compare: ``results.json``, or its folder, of an earlier session.
        runs: run folders and shipped names behind the exports.
        class_map: ``DATA=MODEL`` pairs of class names.
        command: as typed, for the record.
        cache: of logits.
    """

    exports: tuple[Path, ...]
    out: Path
    data: Path | None = None
    threads: tuple[int, ...] = (1, 2)
    device: str = HOST
    runtimes: tuple[str, ...] = RUNTIMES
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

    def check(self) -> None:
        """Refuse what cannot be done before anything is.

        Raises:
            BenchmarkError: the value and what it may be.
            UnknownNameError: a runtime or device that does not exist.
        """
        if not self.exports:
            raise BenchmarkError("no export folder given")
        if self.device.partition(":")[0] == "adb":
            raise BenchmarkError(f"--device {self.device}: phones are not supported yet; use host")
        if self.device != HOST:
            raise UnknownNameError("device", self.device, (HOST,))
        check_runtimes(self.runtimes)
        if not self.threads or not all(1 <= count <= MOST_THREADS for count in self.threads):
            raise BenchmarkError(f"--threads: give numbers from 1 to {MOST_THREADS}")
        if self.sustained_s < 0:
            raise BenchmarkError("--sustained: give seconds")
        if self.class_map and self.data is None:
            raise BenchmarkError("--map-class: is for --data")
        check_report_folder(self.out)


@dataclass(frozen=True)
class BenchmarkOutcome:
    """What was found.

    Attributes:
        undone: names of rows that failed, or could have been run here and were not.
    """

    results: Results
    comparison: Comparison | None
    undone: list[str]


def run_benchmark(request: BenchmarkRequest, progress: Observer = unobserved) -> BenchmarkOutcome:
    """Measure everything; the report folder holds what is finished at every moment.

    Interrupted, it writes what there is and raises KeyboardInterrupt again.

    Raises:
        HierAttnError: the request, an export folder, the photos or the earlier results cannot be
            used.
    """
    request.check()
    environment = describe_host()
    earlier = read_results(request.compare) if request.compare is not None else None
    for old in earlier.environments if earlier else ():
        if old.device == HOST:
            check_comparable(old, environment)
    with tempfile.TemporaryDirectory(prefix="hierattn-benchmark-") as temporary:
        workspace = Path(temporary)
        exports = read_exports(request.exports, request.runs, workspace)
        subjects = make_subjects(exports, request.threads, request.runtimes)
        photos = None
        if request.data is not None:
            table = parse_class_map(request.class_map)
            skip = request.skip_unreadable
            photos = choose(request.data, exports, table, skip_unreadable=skip)
        book = Book(request.out, request.plan, request.command, environment, subjects, photos)
        try:
            _fill(book, request, progress)
            if request.sweep:
                points, problems = sweep(
                    exports, request.threads, request.plan, workspace, progress
                )
                book.sweep, book.remarks = points, [*book.remarks, *problems]
            results = book.write(complete=True)
        except KeyboardInterrupt:
            book.remarks.append("interrupted; rows whose turn had not come are marked")
            book.checkpoint()
            raise
        except HierAttnError:
            book.checkpoint()
            raise
    comparison = compare(earlier, results) if earlier is not None else None
    return BenchmarkOutcome(results, comparison, book.undone())


def _fill(book: Book, request: BenchmarkRequest, progress: Observer) -> None:
    """Accuracy first: bad photos are found before an hour of measuring, and it is cached."""
    subjects = book.subjects
    if book.photos is not None:
        judge_all(subjects, book.photos, request.cache, progress, book.checkpoint)
    book.prepare()
    book.checkpoint()
    measure(book.everything, request.plan, progress, book.checkpoint)
    if request.sustained_s:
        sustain(list(book.series.values()), request.sustained_s, request.plan, progress)
    if request.profile:
        book.checkpoint()
        profile_all(subjects, progress)
