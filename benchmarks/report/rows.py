"""Numbers the rows of the results and compares each with the fastest of its setting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from benchmarks.report.formatting import known
from benchmarks.results import Results, Row

REFERENCE = "torch"
Status = Literal["measured", "gate failed", "failed", "not run"]


@dataclass(frozen=True)
class NumberedRow:
    """One row and its place among the others.

    Attributes:
        number: from 1, in the order of the results; names the row in every chart.
        to_fastest: p50 over the lowest p50 of a measured row on the same device with as many
            threads; None where either is missing.
        tie: the difference to that fastest row is within the noise floor, or within the own noise
            of either.
    """

    number: int
    row: Row
    to_fastest: float | None
    tie: bool

    @property
    def is_reference(self) -> bool:
        """Whether this is torch itself."""
        return self.row.name == REFERENCE

    @property
    def setting(self) -> Setting:
        """Where it ran."""
        return Setting(self.row.device, self.row.threads)

    @property
    def latency(self) -> float | None:
        """Median in milliseconds, above 0; None where it was not measured or makes no sense."""
        return _latency(self.row)


@dataclass(frozen=True)
class Setting:
    """A device and a number of threads: latencies are compared within one only."""

    device: str
    threads: int

    def __str__(self) -> str:
        """As in a heading: ``host · 2 threads``."""
        return f"{self.device} · {self.threads} thread{'' if self.threads == 1 else 's'}"


def number_rows(results: Results) -> list[NumberedRow]:
    """Number the rows and compare each with the fastest of its setting."""
    fastest: dict[Setting, Row] = {}
    for row in results.rows:
        setting, latency = Setting(row.device, row.threads), _latency(row)
        best = _latency(fastest[setting]) if setting in fastest else None
        if row.status == "measured" and latency and (best is None or latency < best):
            fastest[setting] = row
    numbered = []
    for number, row in enumerate(results.rows, start=1):
        best_row = fastest.get(Setting(row.device, row.threads))
        latency, best = _latency(row), _latency(best_row) if best_row else None
        ratio, tie = None, False
        if latency and best:
            ratio = latency / best
            if best_row is not None and row is not best_row:
                tie = results.is_tie(row, best_row)
        numbered.append(NumberedRow(number, row, ratio, tie))
    return numbered


@dataclass(frozen=True)
class EvaluatedFile:
    """One file's accuracy, which the rows that differ in threads or device only share."""

    rows: tuple[NumberedRow, ...]

    @property
    def first(self) -> NumberedRow:
        """The row that stands for all."""
        return self.rows[0]


def evaluated_files(rows: Iterable[NumberedRow]) -> list[EvaluatedFile]:
    """Rows of one file with the very same accuracy, together; in the order of the rows."""
    files: dict[object, list[NumberedRow]] = {}
    for numbered in rows:
        row = numbered.row
        same = (row.export, row.name, tuple(row.sensitivity.items()), tuple(row.reliability))
        files.setdefault(same, []).append(numbered)
    return [EvaluatedFile(tuple(same)) for same in files.values()]


def status_counts(rows: Iterable[NumberedRow]) -> dict[Status, int]:
    """How many rows have each status, the good ones first; statuses that occur only."""
    found = Counter(numbered.row.status for numbered in rows)
    return {status: found[status] for status in get_args(Status) if found[status]}


def sensitivity_change(row: Row, name: str) -> float | None:
    """Sensitivity of one class, less that of torch on the same photos; a share of 1."""
    return known(row.change_vs_torch.get(f"sensitivity:{name}"))


def drawable_ms(value: float | None) -> float | None:
    """A time that a scale can hold, a picosecond to eleven days; None for any other."""
    value = known(value)
    return value if value is not None and 1e-9 <= value <= 1e9 else None


def drawable_share(value: float | None) -> float | None:
    """A share between 0 and 1; None for any other."""
    value = known(value)
    return value if value is not None and 0 <= value <= 1 else None


def _latency(row: Row) -> float | None:
    return drawable_ms(row.p50_ms)
