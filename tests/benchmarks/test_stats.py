import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.results import UNKNOWN_NOISE_RATIO
from benchmarks.stats import LEAST, Repeats, find_floors, last_to_first, summarise


def _rows(logs: np.ndarray) -> list[Repeats]:
    return [Repeats(1, np.exp(row).tolist()) for row in logs]


@pytest.mark.parametrize(
    ("count", "wildness"), [(10, 1.0), (10, 30.0), (3, 1.0), (5, 5.0), (2, 1.0)]
)
def test_two_sessions_agree_within_the_floors_nineteen_times_in_twenty(
    count: int, wildness: float
) -> None:
    random = np.random.default_rng(0)
    own, noise = random.normal(0, 1, count), np.full(count, 0.02)
    noise[0] *= wildness

    def session() -> np.ndarray:
        drift = random.normal(0, 0.3, 3)
        return own[:, None] + drift + noise[:, None] * random.standard_normal((count, 3))

    agreed = 0
    for _ in range(400):
        one, other = session(), session()
        apart = one.mean(axis=1) - other.mean(axis=1)
        floors = np.log(np.array(find_floors(_rows(one)).rows, float))
        pairs = np.abs(apart[:, None] - apart) <= np.maximum(floors[:, None], floors)
        agreed += bool(pairs.all())
    assert agreed / 400 >= 0.92


def test_a_wild_row_does_not_blur_the_others() -> None:
    random = np.random.default_rng(1)
    logs = random.normal(0, 0.01, (8, 3))
    calm = find_floors(_rows(logs))
    logs[3] += [0.0, 2.0, -1.0]
    wild = find_floors(_rows(logs))
    assert wild.session < 2 * calm.session
    assert wild.rows[3] is not None and wild.rows[3] > 5
    assert all(ratio is not None and ratio < 1.3 for i, ratio in enumerate(wild.rows) if i != 3)


def test_what_the_whole_machine_does_is_not_noise() -> None:
    random = np.random.default_rng(1)
    logs = np.linspace(0, 3, 6)[:, None] + random.normal(0, 0.01, (6, 3))
    still, drifting = (
        find_floors(_rows(logs)),
        find_floors(_rows(logs + np.array([0.0, 1.0, -0.5]))),
    )
    assert drifting.session == pytest.approx(still.session, rel=0.05)


def test_a_quiet_session_has_the_least_floor() -> None:
    logs = np.arange(4.0)[:, None] + np.array([0.0, 0.2, 0.4])
    found = find_floors(_rows(logs), (10.0, 10.0))
    assert found.session == LEAST and found.rows == [LEAST] * 4


@pytest.mark.parametrize("control", [(10.0, 12.0), (12.0, 10.0)])
def test_the_control_bounds_the_floor_from_below(control: tuple[float, float]) -> None:
    logs = np.arange(4.0)[:, None] + np.zeros(3)
    assert math.isclose(find_floors(_rows(logs), control).session, 1.2)


def test_one_repetition_or_one_row_tells_nothing() -> None:
    assert find_floors(_rows(np.zeros((4, 1))), (10.0, 10.0)).session == UNKNOWN_NOISE_RATIO
    assert find_floors(_rows(np.zeros((1, 3)))).rows == [None]
    assert find_floors([]).session == UNKNOWN_NOISE_RATIO


def test_rows_that_lack_repetitions_are_left_out() -> None:
    rows = _rows(np.random.default_rng(2).normal(0, 0.01, (5, 3)))
    whole, late = find_floors(rows), find_floors([*rows, Repeats(1, [5.0])])
    assert late.session == whole.session and late.rows == [*whole.rows, None]


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
