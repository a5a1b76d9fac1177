"""Labels of the accuracy against latency chart never cover each other."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.report.charts.label_placement import Box, Disc, place_labels
from benchmarks.report.charts.tradeoff import tradeoff_panels
from benchmarks.report.rows import number_rows
from tests.benchmarks.report.sample import sample_results


@given(
    st.lists(st.tuples(st.floats(0, 300), st.floats(0, 200), st.floats(4, 24)), max_size=14),
    st.booleans(),
)
def test_labels_never_collide(places: list[tuple[float, float, float]], names: bool) -> None:
    point = tradeoff_panels(number_rows(sample_results()))[0].points[0]
    discs = [
        Disc(replace(point, numbered=replace(point.numbered, number=number)), *place)
        for number, place in enumerate(places)
    ]
    labels = place_labels(discs, Box(0, 0, 300, 200), names)
    for one, other in itertools.combinations(labels, 2):
        assert not one.box.meets(other.box)
    named = [disc.point.numbered.number for label in labels for disc in label.discs]
    assert sorted(named) == list(range(len(places)))


def test_a_lone_label_carries_the_name_where_there_is_room() -> None:
    point = tradeoff_panels(number_rows(sample_results()))[0].points[0]
    disc = Disc(point, 150, 50, 5)
    (label,) = place_labels([disc], Box(0, 0, 300, 200), names=True)
    assert label.text == "1 torch" and label.box.bottom > 55
    (plain,) = place_labels([disc], Box(0, 0, 300, 200), names=False)
    assert plain.text == "1"
    (below,) = place_labels([disc], Box(0, 0, 300, 60), names=True)
    assert below.box.top < 45, "above there is no room"


def test_discs_side_by_side_share_a_label() -> None:
    point = tradeoff_panels(number_rows(sample_results()))[0].points[0]
    other = replace(point, numbered=replace(point.numbered, number=7))
    labels = place_labels(
        [Disc(other, 101, 50, 5), Disc(point, 100, 50, 5)], Box(0, 0, 300, 200), names=True
    )
    assert [label.text for label in labels] == ["1, 7"]


def test_a_label_stands_below_where_a_line_or_a_disc_is_above() -> None:
    point = tradeoff_panels(number_rows(sample_results()))[0].points[0]
    disc, inside = Disc(point, 150, 100, 5), Box(0, 0, 300, 200)
    (label,) = place_labels([disc], inside, True, [Box(0, 112, 300, 114)])
    assert label.box.top < 95 and label.text == "1 torch"
    other = Disc(replace(point, numbered=replace(point.numbered, number=7)), 152, 124, 16)
    one, _ = place_labels([disc, other], inside, names=False)
    assert one.text == "1" and one.box.top < 95


def test_a_label_that_would_lie_on_a_disc_either_way_is_joined_with_its() -> None:
    point = tradeoff_panels(number_rows(sample_results()))[0].points[0]
    other = replace(point, numbered=replace(point.numbered, number=7))
    discs = [Disc(point, 150, 100, 5), Disc(other, 170, 100, 24)]
    assert [label.text for label in place_labels(discs, Box(0, 0, 300, 200), False)] == ["1, 7"]
