"""The data model of ``results.json``: one row for each file, device, runtime and thread count."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from hierattn.common.files import regular_file
from hierattn.common.json_text import DoubleNameError, parse_model
from hierattn.common.quantities import (
    Amount,
    Change,
    Count,
    Megabytes,
    Milliseconds,
    Positive,
    Ratio,
    Share,
    Threads,
)
from hierattn.common.strict_model import StrictModel
from hierattn.errors import HierAttnError, first_problem
from hierattn.metrics.bootstrap import Interval

RESULTS_JSON, RESULTS_CSV = "results.json", "results.csv"
HOST = "host"
"""The device that this process runs on."""

UNKNOWN_NOISE_RATIO = 1.25
"""The noise floor where too little is known: differences below a quarter are not trusted."""

LARGEST_FLOOR = 10.0
"""A noise floor above this ratio says only that it is above."""

REPORT_HTML, PARETO_PNG = "report.html", "pareto.png"


class BenchmarkError(HierAttnError):
    """A benchmark that cannot be run, or results that cannot be read."""


class Environment(StrictModel):
    """Where and by what the figures were taken.

    Attributes:
        device: as in the rows: ``host``, or a phone's name.
        system: operating system and its release.
        cpu: the processor in its own words.
        features: instruction sets that matter, such as ``avx512f``.
        governor: of the CPU's frequency; None where the system does not say.
        load_before: load average over one minute before the first run; None on phones.
        pinned_to: the cores that processes are confined to; None where to all of them.
        thermal: state as the system words it; None where it does not.
        matrix_product_gmacs: the matrix product, by thread count: 10^9 multiply-adds a second that
            numpy's float32 product of 512 x 512 matrices reached (median), measured in turn with
            the files. It bounds what a network may reach, and tells one session's machine from
            another's.
    """

    device: str
    system: str
    cpu: str
    cores: int
    features: list[str]
    governor: str | None
    load_before: float | None
    load_after: float | None
    memory_gb: float | None
    pinned_to: list[int] | None
    thermal: str | None
    versions: dict[str, str]
    matrix_product_gmacs: dict[int, Amount] = Field(default_factory=dict)


class SustainedLoad(StrictModel):
    """Latency over a long run without a pause.

    Attributes:
        window_p50_ms: medians of one-second windows.
        last_to_first: median of the last minute's windows over that of the first minute's; of
            the last and first half where the run is shorter than two minutes.
    """

    seconds: float
    window_p50_ms: list[Milliseconds]
    last_to_first: Ratio


class CostlyOperator(StrictModel):
    """One operator kind of a profile, and its share of the time."""

    operator: str
    milliseconds: Milliseconds
    share: Share


class Row(StrictModel):
    """One artefact on one device and runtime with one number of threads.

    Attributes:
        export: name of the export folder, unique among the rows' folders.
        name: file name, unique within its export folder; ``torch`` for the eager reference.
        sha256: of the file; of the weights for torch.
        size_mb: megabytes (10^6 bytes) of the file; of the weights for torch.
        load_ms: from opening the file to being ready, the runtime already imported; median over
            the launches, as is ``first_ms``, the first answer after it.
        p50_ms: of all steady runs, from input array to output array; so are the other figures.
        trimmed_mean_ms: mean without the fastest and the slowest tenth.
        peak_rss_mb: the most memory that the process of this row ever held, 10^6 bytes, Python
            and the runtime included.
        noise_ratio: the row's own noise floor, see :meth:`Results.floor_between`; None where the
            session could not tell.
        warm_up_runs: runs before it was steady, of the launch that took most.
        samples_ms: every steady run, in order; empty where nothing was measured.
        fully_delegated: whether one delegate partition takes the whole graph; None where the
            runtime has no delegates.
        melanoma_sensitivity: at the highest class; the run's threshold's stands beside it.
        ece: expected calibration error at the shipped temperature.
        change_vs_torch: this file's figure less torch's on the same photos, by name of the column,
            and ``sensitivity:CLASS``.
        profile_note: why ``profile`` is empty although it was asked for.
        status: ``measured``; ``gate failed`` (measured, but not to be shipped); ``failed``; or
            ``not run``, with the reason.
    """

    export: str
    name: str
    sha256: str | None
    model: str
    format: str
    precision: str
    runtime: str
    device: str
    threads: Threads
    size_mb: Megabytes | None
    load_ms: Milliseconds | None = None
    first_ms: Milliseconds | None = None
    p50_ms: Ratio | None = None
    p90_ms: Milliseconds | None = None
    p99_ms: Milliseconds | None = None
    mean_ms: Milliseconds | None = None
    trimmed_mean_ms: Milliseconds | None = None
    peak_rss_mb: Megabytes | None = None
    noise_ratio: Ratio | None = None
    warm_up_runs: Count | None = None
    runs: Count = 0
    samples_ms: list[Milliseconds] = Field(default_factory=list)
    fully_delegated: bool | None = None
    operators_left: Count | None = None
    top1: Share | None = None
    balanced_accuracy: Share | None = None
    balanced_accuracy_interval: Interval | None = None
    melanoma_sensitivity: Share | None = None
    melanoma_at_threshold: Share | None = None
    macro_auc: Share | None = None
    ece: Share | None = None
    sensitivity: dict[str, Share | None] = Field(default_factory=dict)
    change_vs_torch: dict[str, Change | None] = Field(default_factory=dict)
    reliability: list[tuple[Share, Share, Count]] = Field(
        default_factory=list,
        description="mean confidence, accuracy, photos of each bin that is not empty",
    )
    parity_max_abs: Amount | None = None
    sustained: SustainedLoad | None = None
    profile: list[CostlyOperator] = Field(default_factory=list)
    profile_note: str | None = None
    status: Literal["measured", "gate failed", "failed", "not run"]
    reason: str | None = None

    @model_validator(mode="after")
    def _measured(self) -> Row:
        if self.status in ("measured", "gate failed") and self.p50_ms is None:
            raise ValueError("p50_ms is missing in a row that was measured")
        return self


class NoiseFloor(StrictModel):
    """Below which ratio a difference of latency between typical rows says nothing.

    Attributes:
        name: of the file that was measured twice in the session (A/A control).
        ratio: a p50 ratio within 1/ratio to ratio is a tie; the largest of ``by_threads``.
        by_threads: by thread count; see :mod:`benchmarks.stats`.
        controls: by thread count, the p50 of both measurements of the control, milliseconds.
    """

    name: str
    ratio: Ratio
    by_threads: dict[int, Ratio] = Field(default_factory=dict)
    controls: dict[int, tuple[Milliseconds, Milliseconds]]

    def of(self, threads: int) -> float:
        """The floor at a thread count; the largest known where it was not measured."""
        return self.by_threads.get(threads, self.ratio)


class PhotoSet(StrictModel):
    """The photos of the accuracy columns."""

    name: str
    sha256: str
    images: Count
    note: str | None = None


class Method(StrictModel):
    """How the runs were taken.

    Attributes:
        runs: steady runs asked for, a row.
        launches: processes started for each row, one after another; figures pool them.
        slices: turns that each process gets; in a turn it alone runs.
        discarded: first runs of each turn, which are not counted.
        seed: of the order of turns.
    """

    runs: Count
    launches: int
    slices: int
    discarded: int
    seed: int


class SweepPoint(StrictModel):
    """One point of ``--sweep``: a network with random weights at another size or batch.

    Attributes:
        p50_ms: of a whole batch.
        multiply_adds: of one image.
        gmacs: 10^9 multiply-adds a second that were reached.
        of_matrix_product: ``gmacs`` over what a matrix product reaches on as many threads.
    """

    model: str
    runtime: str
    device: str
    image_size: Positive
    threads: Threads
    batch: Positive
    p50_ms: Ratio
    multiply_adds: Count
    gmacs: Amount
    of_matrix_product: Amount


class Results(StrictModel):
    """The whole report, as data.

    Attributes:
        complete: False while a session runs, and for good where it was interrupted.
        remarks: what a reader should know of the session as a whole, a line each.
    """

    version: Literal[1] = Field(default=1, alias="schema")
    date: str
    command: str
    complete: bool = True
    environments: list[Environment]
    method: Method | None = None
    photos: PhotoSet | None
    noise_floor: NoiseFloor | None
    rows: list[Row]
    sweep: list[SweepPoint] = Field(default_factory=list)
    remarks: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _on_known_devices(self) -> Results:
        known = {environment.device for environment in self.environments}
        for row in self.rows:
            if known and row.p50_ms is not None and row.device not in known:
                raise ValueError(f"rows of device '{row.device}', which 'environments' lacks")
        return self

    def floor_between(self, one: Row, other: Row) -> float:
        """The ratio of p50 below which two rows cannot be told apart; 1 where nothing is known.

        The session's floor for their thread count, or a row's own where that is noisier. No control
        runs on a phone, whose differences below a quarter are not trusted.
        """
        if one.device != HOST:
            return UNKNOWN_NOISE_RATIO
        floor = self.noise_floor.of(one.threads) if self.noise_floor else 1.0
        return max(floor, one.noise_ratio or 1.0, other.noise_ratio or 1.0)

    def is_tie(self, one: Row, other: Row) -> bool:
        """Whether two measured rows of one device and thread count cannot be told apart."""
        if not one.p50_ms or not other.p50_ms:
            return False
        ratio = max(one.p50_ms / other.p50_ms, other.p50_ms / one.p50_ms)
        return ratio <= self.floor_between(one, other)


def threads_of(count: int) -> str:
    """``1 thread``, ``2 threads``."""
    return "1 thread" if count == 1 else f"{count} threads"


def read_results(path: Path) -> Results:
    """Read ``results.json``, or that of a report folder.

    Raises:
        BenchmarkError: missing, of another schema, or damaged; names file and field.
    """
    file = path / RESULTS_JSON if path.is_dir() else path
    try:
        return parse_model(Results, regular_file(file).read_bytes())
    except ValidationError as error:
        raise BenchmarkError(
            f"{file}: not results of this version, or damaged: {first_problem(error)}"
        ) from error
    except DoubleNameError as error:
        raise BenchmarkError(f"{file}: {error}; benchmark again") from error
    except OSError as error:
        raise BenchmarkError(f"{file}: {error.strerror}") from error
