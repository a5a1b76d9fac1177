import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.plan import LEAST_TURN, Plan
from benchmarks.results import BenchmarkError


@given(st.integers(1, 5000), st.integers(1, 5), st.integers(1, 20))
def test_all_runs_are_shared_out_evenly(runs: int, launches: int, slices: int) -> None:
    shares = Plan(runs=runs, launches=launches, slices=slices).shares()
    turns = [count for launch in shares for count in launch]
    assert sum(turns) == runs
    assert min(turns) >= 1
    assert len(shares) == min(launches, runs)
    assert max(map(len, shares)) <= slices
    assert max(map(sum, shares)) - min(map(sum, shares)) <= 1


def test_a_turn_is_worth_its_pause() -> None:
    assert Plan(runs=30, launches=3).shares() == [[5, 5]] * 3
    assert min(count for launch in Plan(runs=300).shares() for count in launch) >= LEAST_TURN


def test_every_turn_holds_everybody_once_in_another_order() -> None:
    orders = Plan(seed=4).orders("abcdefgh", launch=1, turns=6)
    assert all(sorted(order) == list("abcdefgh") for order in orders)
    assert len({tuple(order) for order in orders}) > 1
    assert orders == Plan(seed=4).orders("abcdefgh", launch=1, turns=6)
    assert orders != Plan(seed=5).orders("abcdefgh", launch=1, turns=6)
    assert orders != Plan(seed=4).orders("abcdefgh", launch=2, turns=6)


@pytest.mark.parametrize("name", ["runs", "launches", "slices"])
def test_nothing_to_do_is_refused(name: str) -> None:
    with pytest.raises(BenchmarkError, match="at least 1"):
        Plan(**{name: 0})
