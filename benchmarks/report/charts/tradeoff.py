"""Accuracy against latency: one panel a device and number of threads, with its Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report.charts.frontier import pareto_front
from benchmarks.report.formatting import MISSING, fixed, known, percent, three_digits
from benchmarks.report.rows import NumberedRow, Setting, drawable_share

NO_POINTS = "No row has both an accuracy and a latency, so there is nothing to draw."
_UNKNOWN_SIZE_MB = 0.0


@dataclass(frozen=True)
class Point:
    """One row in the plot.

    Attributes:
        latency: p50, milliseconds, above 0.
        accuracy: balanced accuracy, a share of 1.
        size_mb: 0 where unknown; drawn as the smallest disc.
        series: place of its runtime among the runtimes of the results, from 0.
        on_front: nothing that may be shipped beats it.
    """

    numbered: NumberedRow
    latency: float
    accuracy: float
    size_mb: float
    series: int
    on_front: bool

    @property
    def may_ship(self) -> bool:
        """Whether it passed its gate; what did not is drawn dashed and is never on the front."""
        return self.numbered.row.status == "measured"

    @property
    def facts(self) -> list[str]:
        """What the tooltip says, a line each."""
        row = self.numbered.row
        interval = row.balanced_accuracy_interval
        between = f" ({percent(interval.low)} to {percent(interval.high)})" if interval else ""
        size = f"{fixed(row.size_mb, 2)} MB" if known(row.size_mb) is not None else MISSING
        facts = [
            f"No. {self.numbered.number}: {row.name}",
            f"{row.model} · {row.runtime} · {self.numbered.setting}",
            f"p50 {three_digits(self.latency)} ms",
            f"balanced accuracy {percent(self.accuracy)} %{between}",
            f"size {size}",
        ]
        if self.on_front:
            facts.append("on the Pareto front")
        if not self.may_ship:
            facts.append(f"{row.status}: {row.reason or 'no reason given'}")
        return facts


@dataclass(frozen=True)
class Panel:
    """The points of one setting, in the order of the rows."""

    setting: Setting
    points: tuple[Point, ...]

    @property
    def front(self) -> list[Point]:
        """Points of the front by rising latency."""
        members = [point for point in self.points if point.on_front]
        return sorted(members, key=lambda point: (point.latency, point.numbered.number))

    @property
    def by_importance(self) -> list[Point]:
        """The front first, then by number: the order in which labels choose their place."""
        return sorted(self.points, key=lambda point: (not point.on_front, point.numbered.number))


def runtime_series(rows: Sequence[NumberedRow]) -> list[str]:
    """The runtimes in the order in which the rows name them; a position is a series."""
    return list(dict.fromkeys(numbered.row.runtime for numbered in rows))


def drawn_series(panels: Sequence[Panel], series: Sequence[str]) -> list[tuple[int, str]]:
    """The runtimes that have a point, each with its series: the legend."""
    drawn = {point.series for panel in panels for point in panel.points}
    return [(position, name) for position, name in enumerate(series) if position in drawn]


def tradeoff_panels(rows: Sequence[NumberedRow]) -> list[Panel]:
    """Panels with at least one point, in the order of the rows.

    Points are the rows with a latency and a balanced accuracy; the front is drawn through those
    that may be shipped.
    """
    series = runtime_series(rows)
    settings: dict[Setting, list[NumberedRow]] = {}
    for numbered in rows:
        if (
            numbered.latency is not None
            and drawable_share(numbered.row.balanced_accuracy) is not None
        ):
            settings.setdefault(numbered.setting, []).append(numbered)
    return [_panel(setting, members, series) for setting, members in settings.items()]


def left_out(rows: Sequence[NumberedRow]) -> list[NumberedRow]:
    """Rows that no panel shows."""
    shown = {point.numbered.number for panel in tradeoff_panels(rows) for point in panel.points}
    return [numbered for numbered in rows if numbered.number not in shown]


def _panel(setting: Setting, members: Sequence[NumberedRow], series: Sequence[str]) -> Panel:
    places = [(n.latency or 0.0, n.row.balanced_accuracy or 0.0) for n in members]
    shippable = [i for i, n in enumerate(members) if n.row.status == "measured"]
    front = {shippable[i] for i in pareto_front([places[i] for i in shippable])}
    return Panel(
        setting,
        tuple(
            Point(
                numbered=numbered,
                latency=places[position][0],
                accuracy=places[position][1],
                size_mb=max(known(numbered.row.size_mb) or _UNKNOWN_SIZE_MB, 0.0),
                series=series.index(numbered.row.runtime),
                on_front=position in front,
            )
            for position, numbered in enumerate(members)
        ),
    )
