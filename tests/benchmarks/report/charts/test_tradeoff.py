"""The accuracy against latency chart: front, labels, sizes, and what its SVG holds."""

from __future__ import annotations

import itertools
import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.report.charts.frontier import pareto_front
from benchmarks.report.charts.tradeoff import left_out, runtime_series, tradeoff_panels
from benchmarks.report.charts.tradeoff_chart import (
    NARROW,
    WIDE,
    Layout,
    Overview,
    _set_scales,
    _space_out_ticks,
    disc_radius,
    legend_sizes,
    tradeoff_svg,
)
from benchmarks.report.rows import number_rows
from tests.benchmarks.report.sample import sample_results

COORDINATES = st.tuples(st.integers(1, 9), st.integers(0, 9))


@given(st.lists(COORDINATES, max_size=12))
def test_front_is_exactly_what_nothing_beats(points: list[tuple[int, int]]) -> None:
    def beats(a: tuple[int, int], b: tuple[int, int]) -> bool:
        return a[0] <= b[0] and a[1] >= b[1] and a != b

    expected = {i for i, p in enumerate(points) if not any(beats(q, p) for q in points)}
    front = pareto_front(points)
    assert set(front) == expected and len(front) == len(expected)
    assert [points[i][0] for i in front] == sorted(points[i][0] for i in front)


def test_area_is_in_proportion_to_size() -> None:
    large, small = disc_radius(8, 8, WIDE), disc_radius(2, 8, WIDE)
    assert math.isclose(large**2, 4 * small**2)
    assert disc_radius(0, 8, WIDE) > 0


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([1.2, 4.4, 2.2], [2, 4]),
        ([1.35, 9.6], [2, 4, 6]),
        ([4.25, 4.25], [4.25]),
        ([4.25, 4.26], [4.26]),
        ([0, 0.03], [0.03]),
        ([0], []),
        ([], []),
    ],
)
def test_the_legend_shows_sizes_that_occur(sizes: list[float], expected: list[float]) -> None:
    assert legend_sizes(sizes) == expected


@given(st.lists(st.floats(0.001, 1e4), min_size=1, max_size=20))
def test_legend_sizes_lie_among_those_of_the_files(sizes: list[float]) -> None:
    shown = legend_sizes(sizes)
    assert 1 <= len(shown) <= 3
    assert min(sizes) * 0.99 <= min(shown) and max(shown) <= max(sizes) * 1.01


def test_panels_show_what_can_be_compared() -> None:
    rows = number_rows(sample_results())
    panels = tradeoff_panels(rows)
    assert [str(panel.setting) for panel in panels] == [
        "host · 1 thread",
        "host · 2 threads",
        "Fixture Phone 3 · 4 threads",
    ]
    first = panels[0]
    assert [point.numbered.number for point in first.front] == [6, 5, 9]
    failed = next(point for point in first.points if not point.may_ship)
    assert failed.numbered.number == 4 and not failed.on_front
    assert any("gate failed" in fact for fact in failed.facts)
    assert [numbered.number for numbered in left_out(rows)] == [8, 17, 20, 21]


@pytest.mark.parametrize("layout", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_chart_places_its_points_and_tells_their_figures(layout: Layout) -> None:
    rows = number_rows(sample_results())
    panels = tradeoff_panels(rows)
    svg = tradeoff_svg(panels[0], Overview(panels, runtime_series(rows)), layout, "chart")
    root = ElementTree.fromstring(svg)
    points = {e.get("id"): e for e in root.iter("g") if e.get("class") == "point"}
    assert sorted(points) == [f"chart-point-{n}" for n in (1, 2, 3, 4, 5, 6, 7, 9)]
    titles = {name: point.findtext("title") or "" for name, point in points.items()}
    assert "p50 9.80 ms" in titles["chart-point-6"].split("\n")
    assert "size 1.50 MB" in titles["chart-point-6"].split("\n")
    texts = {"".join(text.itertext()).strip() for text in root.iter("text")}
    assert {
        "2 MB",
        "4 MB",
        "6 MB",
        "torch",
        "Pareto front (bold: unbeaten)",
        "gate failed",
    } <= texts
    assert not any("style" in element.attrib for element in root.iter())


def test_colours_follow_the_theme() -> None:
    rows = number_rows(sample_results())
    panels = tradeoff_panels(rows)
    svg = tradeoff_svg(panels[0], Overview(panels, runtime_series(rows)), WIDE, "chart")
    assert "var(--s0)" in svg and "var(--ink)" in svg
    assert not re.search('(fill|stroke)="#', svg), "a colour that dark mode does not change"


@pytest.mark.parametrize(
    ("fastest", "slowest"), [(12.5, 108.0), (1.55, 27.1), (22.9, 8805.0), (0.3, 40000.0)]
)
def test_figures_of_the_latency_axis_do_not_touch_nor_keep_to_one_side(
    fastest: float, slowest: float
) -> None:
    results = sample_results()
    rows = [
        row.model_copy(update={"p50_ms": p50, "threads": 1})
        for row, p50 in zip(results.rows[:2], (fastest, slowest), strict=True)
    ]
    changed = results.model_copy(update={"rows": rows, "sweep": []})
    (panel,) = tradeoff_panels(number_rows(changed))
    figure = Figure(figsize=(3.5, 3), dpi=72)
    axes = figure.subplots()
    _set_scales(axes, panel)
    _space_out_ticks(axes)
    FigureCanvasAgg(figure).draw()
    boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert len(boxes) >= 2
    assert min(axes.get_xticks()) < math.sqrt(fastest * slowest)
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(boxes))
