"""The columns of the page's table: content, sort key and view of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.report.formatting import (
    MISSING,
    fixed,
    known,
    percent,
    points,
    short,
    three_digits,
    tiny,
)
from benchmarks.report.rows import NumberedRow

View = Literal["overview", "speed", "accuracy"]
_OVERVIEW: frozenset[View] = frozenset({"overview"})
_SPEED: frozenset[View] = frozenset({"speed"})
_ACCURACY: frozenset[View] = frozenset({"accuracy"})
_EVERY: frozenset[View] = _OVERVIEW | _SPEED | _ACCURACY


@dataclass(frozen=True)
class Cell:
    """What a cell shows.

    Attributes:
        text: the value.
        sort: what it sorts by; None where it is missing, which sorts last either way.
        note: smaller, under the value.
    """

    text: str
    sort: float | str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        key: of its class in the page.
        title: with the unit.
        meaning: one sentence for the legend.
        views: where it stands besides "all".
    """

    key: str
    title: str
    meaning: str
    views: frozenset[View]
    cell: Callable[[NumberedRow], Cell]
    numeric: bool = True

    @property
    def name(self) -> str:
        """The title without its unit, as within a sentence."""
        name = self.title.partition(", ")[0]
        return name if name[1:2].isupper() or name == "No." else name[:1].lower() + name[1:]

    @property
    def unit(self) -> str:
        """Such as "ms" of "p50, ms"; empty where there is none."""
        return self.title.partition(", ")[2]


@dataclass(frozen=True)
class TableRow:
    """A row of cells, one a column."""

    numbered: NumberedRow
    cells: Sequence[Cell]


def table_rows(rows: Iterable[NumberedRow]) -> list[TableRow]:
    """Fill every column for every row."""
    return [TableRow(numbered, [column.cell(numbered) for column in COLUMNS]) for numbered in rows]


def _fixed(field: str, digits: int = 1) -> Callable[[NumberedRow], Cell]:
    return lambda n: Cell(fixed(value := getattr(n.row, field), digits), known(value))


def _milliseconds(field: str) -> Callable[[NumberedRow], Cell]:
    return lambda n: Cell(three_digits(value := getattr(n.row, field)), known(value))


def _percent(field: str) -> Callable[[NumberedRow], Cell]:
    return lambda n: Cell(percent(value := getattr(n.row, field)), known(value))


def _text(field: str) -> Callable[[NumberedRow], Cell]:
    return lambda n: Cell(value := getattr(n.row, field), value)


def _name(n: NumberedRow) -> Cell:
    origin = short(n.row.export, 60) or None
    return Cell(n.row.name, n.row.name, f"{n.row.model} · {origin}" if origin else n.row.model)


def _to_fastest(n: NumberedRow) -> Cell:
    if n.to_fastest is None:
        return Cell(MISSING)
    return Cell(f"{n.to_fastest:.2f}×", n.to_fastest, "tie" if n.tie else None)


def _noise(n: NumberedRow) -> Cell:
    value = n.row.noise_ratio
    return Cell(MISSING if value is None else f"{value:.2f}", value)


def _delegated(n: NumberedRow) -> Cell:
    if n.row.fully_delegated is None:
        return Cell(MISSING)
    if n.row.fully_delegated:
        return Cell("all", 0.0)
    left = n.row.operators_left
    return Cell("not all", float(left or 0), None if left is None else f"{left} left")


def _balanced(n: NumberedRow) -> Cell:
    value, interval = n.row.balanced_accuracy, n.row.balanced_accuracy_interval
    note = f"{percent(interval.low)} to {percent(interval.high)}" if interval else None
    return Cell(percent(value), known(value), note)


def _change(n: NumberedRow) -> Cell:
    change = n.row.change_vs_torch.get("balanced_accuracy")
    return Cell(points(change), known(change))


def _parity(n: NumberedRow) -> Cell:
    return Cell(tiny(n.row.parity_max_abs), known(n.row.parity_max_abs))


COLUMNS: tuple[Column, ...] = (
    Column(
        "number",
        "No.",
        "Names the row in every chart of this page.",
        _EVERY,
        lambda n: Cell(str(n.number), float(n.number)),
    ),
    Column(
        "name",
        "File",
        "The exported file, with its model and export folder; “torch” is the model before "
        "export, which all is compared with.",
        _EVERY,
        _name,
        numeric=False,
    ),
    Column(
        "status",
        "Status",
        "“measured”; “gate failed”: measured, but its answers changed too much to be shipped; "
        "“failed” and “not run”: no figures, for the reason given.",
        _EVERY,
        _text("status"),
        numeric=False,
    ),
    Column("format", "Format", "Kind of file.", frozenset(), _text("format"), numeric=False),
    Column(
        "precision",
        "Precision",
        "What the file keeps its weights in: 32-bit or 16-bit floating point, or 8-bit integers. "
        "In what it computes depends on the runtime; see docs/export.md.",
        frozenset(),
        _text("precision"),
        numeric=False,
    ),
    Column(
        "runtime",
        "Runtime",
        "The library that ran the file.",
        _EVERY,
        _text("runtime"),
        numeric=False,
    ),
    Column("device", "Device", "Where it ran.", frozenset(), _text("device"), numeric=False),
    Column(
        "threads",
        "Threads",
        "Processor threads the runtime was given.",
        _OVERVIEW | _SPEED,
        lambda n: Cell(str(n.row.threads), float(n.row.threads)),
    ),
    Column(
        "size",
        "Size, MB",
        "Size of the file, 1 MB = 1,000,000 bytes.",
        _OVERVIEW | _SPEED,
        _fixed("size_mb", 2),
    ),
    Column(
        "load",
        "Load, ms",
        "Opening the file until ready, the runtime already imported.",
        _SPEED,
        _milliseconds("load_ms"),
    ),
    Column(
        "first", "First, ms", "The first answer after loading.", _SPEED, _milliseconds("first_ms")
    ),
    Column(
        "p50",
        "p50, ms",
        "Median time of one answer once warm: half the runs are faster.",
        _OVERVIEW | _SPEED,
        _milliseconds("p50_ms"),
    ),
    Column(
        "p90",
        "p90, ms",
        "Nine runs in ten are faster.",
        _OVERVIEW | _SPEED,
        _milliseconds("p90_ms"),
    ),
    Column(
        "noise",
        "Noise, ×",
        "By which factor this row's p50, against another's, may differ in another session.",
        _SPEED,
        _noise,
    ),
    Column("p99", "p99, ms", "99 runs in 100 are faster.", _SPEED, _milliseconds("p99_ms")),
    Column("mean", "Mean, ms", "Mean of all runs.", frozenset(), _milliseconds("mean_ms")),
    Column(
        "trimmed",
        "Trimmed mean, ms",
        "Mean without the fastest and the slowest tenth of the runs.",
        frozenset(),
        _milliseconds("trimmed_mean_ms"),
    ),
    Column(
        "ratio",
        "To fastest",
        "p50 over that of the fastest measured row on the same device with as many threads; "
        "“tie” where the difference is within the noise floor, or within the own noise of either "
        "row.",
        _OVERVIEW | _SPEED,
        _to_fastest,
    ),
    Column(
        "memory",
        "Peak memory, MB",
        "Most memory that the row's process ever held, runtime and all.",
        _SPEED,
        _fixed("peak_rss_mb"),
    ),
    Column(
        "warm",
        "Warm-up runs",
        "Runs before the times were steady; not counted.",
        frozenset(),
        _fixed("warm_up_runs", 0),
    ),
    Column(
        "runs",
        "Runs",
        "Steady runs behind the figures.",
        frozenset(),
        lambda n: Cell(str(n.row.runs), float(n.row.runs)) if n.row.runs else Cell(MISSING),
    ),
    Column(
        "delegated",
        "Delegated",
        "Whether one delegate takes the whole network, or how many operators it leaves; an en dash "
        "where the runtime has no delegates.",
        _SPEED,
        _delegated,
    ),
    Column("top1", "Top-1, %", "Photos whose class is right.", _ACCURACY, _percent("top1")),
    Column(
        "balanced",
        "Balanced accuracy, %",
        "Mean of the classes' sensitivities, so that rare classes count as much; under it the "
        "95 % interval, by resampling whole patients or lesions.",
        _OVERVIEW | _ACCURACY,
        _balanced,
    ),
    Column(
        "change",
        "Change to torch, points",
        "Balanced accuracy less that of torch on the same images, in percentage points.",
        _OVERVIEW | _ACCURACY,
        _change,
    ),
    Column(
        "melanoma",
        "Melanoma sensitivity, %",
        "Melanomas found, of all melanomas among the images, where melanoma had to be the highest "
        "class.",
        _OVERVIEW | _ACCURACY,
        _percent("melanoma_sensitivity"),
    ),
    Column(
        "threshold",
        "Melanoma at threshold, %",
        "The same at the threshold that the model ships with.",
        _ACCURACY,
        _percent("melanoma_at_threshold"),
    ),
    Column(
        "auc",
        "Macro AUC",
        "Area under the ROC curve, mean of the classes: 1 ranks perfectly, 0.5 is chance.",
        _ACCURACY,
        _fixed("macro_auc", 3),
    ),
    Column(
        "ece",
        "ECE, %",
        "Expected calibration error: how far confidence and accuracy lie apart, at the shipped "
        "temperature.",
        _ACCURACY,
        _percent("ece"),
    ),
    Column(
        "parity",
        "Largest logit difference",
        "Against torch on the same inputs, before any rounding to classes.",
        _ACCURACY,
        _parity,
    ),
)
