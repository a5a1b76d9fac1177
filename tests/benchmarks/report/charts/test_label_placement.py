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
