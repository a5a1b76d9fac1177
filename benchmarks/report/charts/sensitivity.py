"""The table of per-class sensitivity and its change against torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report.formatting import known, percent, points
from benchmarks.report.rows import EvaluatedFile, sensitivity_change

_STEPS = (0.0005, 0.02, 0.05)
"""Changes, as shares of 1, from which a cell's shade is the next stronger one."""


@dataclass(frozen=True)
class ChangeCell:
    """One class of one file.

    Attributes:
        change: signed percentage points, or an en dash.
        sensitivity: per cent, or an en dash.
        shade: ``none``, or ``up`` or ``down`` with 1 to 3, such as ``down3``.
    """

    change: str
    sensitivity: str
    shade: str


@dataclass(frozen=True)
class ChangeRow:
    """One file; the reference's own cells have no change."""

    file: EvaluatedFile
    cells: list[ChangeCell]


@dataclass(frozen=True)
class ChangeTable:
    """Files whose models know the same classes."""

    classes: tuple[str, ...]
    rows: list[ChangeRow]


def change_tables(files: Sequence[EvaluatedFile]) -> list[ChangeTable]:
    """A table for each set of classes. Files that were not judged join that of their export."""
    classes: dict[str, tuple[str, ...]] = {}
    for file in files:
        if file.first.row.sensitivity:
            classes.setdefault(file.first.row.export, tuple(file.first.row.sensitivity))
    tables: dict[tuple[str, ...], list[ChangeRow]] = {}
    for file in files:
        row = file.first.row
        names = tuple(row.sensitivity) or classes.get(row.export)
        if names:
            cells = [_cell(file, name) for name in names]
            tables.setdefault(names, []).append(ChangeRow(file, cells))
    return [ChangeTable(names, rows) for names, rows in tables.items()]


def shade(change: float | None) -> str:
    """The shade of a change, a share of 1."""
    change = known(change)
    level = 0 if change is None else sum(abs(change) >= step for step in _STEPS)
    if change is None or level == 0:
        return "none"
    return f"{'up' if change > 0 else 'down'}{level}"


def _cell(file: EvaluatedFile, name: str) -> ChangeCell:
    row = file.first.row
    change = None if file.first.is_reference else sensitivity_change(row, name)
    return ChangeCell(
        change=points(change),
        sensitivity=percent(row.sensitivity.get(name)),
        shade=shade(change),
    )
