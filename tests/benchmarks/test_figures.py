import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import last_to_first, summarise


def test_figures_of_known_samples() -> None:
    found = summarise([*range(1, 101)])
    assert found.p50_ms == 50.5
    assert found.p90_ms == pytest.approx(90.1)
    assert found.p99_ms == pytest.approx(99.01)
    assert found.mean_ms == found.trimmed_mean_ms == 50.5


def test_the_trimmed_mean_leaves_a_tenth_at_either_end_out() -> None:
    assert summarise([1e6, *[2.0] * 8, 0.0]).trimmed_mean_ms == 2.0


@given(st.lists(st.floats(0.001, 1e4), min_size=1, max_size=200))
def test_figures_are_in_order(samples: list[float]) -> None:
    found = summarise(samples)
    assert found.p50_ms <= found.p90_ms <= found.p99_ms <= max(samples)
    assert min(samples) <= found.trimmed_mean_ms * (1 + 1e-9)


def test_a_long_run_compares_its_last_and_first_minute() -> None:
    assert last_to_first([1.0] * 60 + [50.0] * 100 + [1.5] * 60) == 1.5


def test_a_short_run_compares_its_halves() -> None:
    assert last_to_first([2.0, 2.0, 3.0, 3.0]) == 1.5
    assert last_to_first([2.0]) == 1.0
