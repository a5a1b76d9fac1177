"""Pareto front, label placement and scales: the geometry behind the plots."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.report.frontier import pareto_front
from benchmarks.report.labels import Anchor, Box, place_labels
from benchmarks.report.rows import number_rows
from benchmarks.report.scales import Scale, latency_scale, share_scale
from benchmarks.report.tradeoff import left_out, tradeoff_panels
from benchmarks.report.tradeoff_layout import NARROW, WIDE, Sheet, disc_radius, draw
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


@given(
    st.lists(
        st.builds(
            Anchor,
            st.floats(0, 300),
            st.floats(0, 200),
            st.floats(2, 12),
            st.sampled_from([[(80.0, 14.0), (14.0, 14.0)], [(14.0, 14.0)]]),
        ),
        max_size=14,
    )
)
def test_labels_never_collide(anchors: list[Anchor]) -> None:
    bounds = Box(0, 0, 300, 200)
    placed = place_labels(anchors, bounds)
    boxes = [label.box for label in placed if label is not None]
    for a, b in itertools.combinations(boxes, 2):
        assert not a.meets(b)
    for box in boxes:
        assert box.inside(bounds)
        assert not any(anchor.meets(box) for anchor in anchors)


def test_a_lone_label_stands_beside_its_point_in_full() -> None:
    (label,) = place_labels([Anchor(50, 50, 5, [(60, 14), (10, 14)])], Box(0, 0, 300, 100))
    assert label is not None and label.choice == 0
    assert label.box == Box(59, 43, 119, 57)


def test_a_label_without_room_is_shortened_or_left_out() -> None:
    anchor = Anchor(20, 20, 5, [(60, 14), (10, 10)])
    (label,) = place_labels([anchor], Box(0, 0, 45, 40))
    assert label is not None and label.choice == 1
    assert place_labels([anchor], Box(12, 12, 28, 28)) == [None]


@given(st.lists(st.floats(1e-3, 1e5), min_size=1, max_size=20))
def test_latency_scales_hold_their_values(values: list[float]) -> None:
    scale = latency_scale(values, 0, 1000)
    places = [scale(value) for value in sorted(values)]
    assert places == sorted(places) and places[0] >= 0 and places[-1] <= 1000
    ticks = scale.ticks(6)
    assert 1 <= len(ticks) <= 6 and all(-0.01 <= tick.at <= 1000.01 for tick in ticks)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_share_scales_hold_their_values(values: list[float]) -> None:
    scale = share_scale(values, 500, 0)
    assert all(-1e-6 <= scale(value) <= 500 + 1e-6 for value in values)
    assert 1 <= len(scale.ticks(6, factor=100)) <= 6


def test_logarithmic_scales_keep_ratios() -> None:
    scale = Scale(1, 100, 0, 200, logarithmic=True)
    assert scale(10) == pytest.approx(100)
    assert [tick.text for tick in scale.ticks(7)] == ["1", "2", "5", "10", "20", "50", "100"]


def test_area_is_in_proportion_to_size() -> None:
    large, small = disc_radius(8, 8, WIDE), disc_radius(2, 8, WIDE)
    assert math.isclose(large**2, 4 * small**2)
    assert disc_radius(0, 8, WIDE) > 0


@pytest.mark.parametrize("sheet", [WIDE, NARROW], ids=["wide", "narrow"])
def test_panels_show_what_can_be_compared(sheet: Sheet) -> None:
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
    drawing = draw(first, sheet, 9.6)
    assert [mark.radius for mark in drawing.marks] == sorted(
        (mark.radius for mark in drawing.marks), reverse=True
    )
    assert all(mark.label is not None for mark in drawing.marks)
