import math

import numpy as np
import pytest

from benchmarks.noise import LEAST, UNKNOWN, Repeats, floor_ratio, standard_error


def _rows(logs: np.ndarray) -> list[Repeats]:
    return [Repeats(f"row {i}", 1, np.exp(row).tolist()) for i, row in enumerate(logs)]


def _session(random: np.random.Generator, own: np.ndarray, noise: float) -> np.ndarray:
    drift = random.normal(0, 0.3, 3)
    return own[:, None] + drift + random.normal(0, noise, (len(own), 3))


def test_two_sessions_agree_within_the_floor_nineteen_times_in_twenty() -> None:
    random = np.random.default_rng(0)
    own = random.normal(0, 1, 10)
    agreed = 0
    for _ in range(500):
        one, other = _session(random, own, 0.02), _session(random, own, 0.02)
        apart = one.mean(axis=1) - other.mean(axis=1)
        agreed += np.ptp(apart) <= math.log(floor_ratio(_rows(one), None))
    assert 0.91 <= agreed / 500 <= 0.98


def test_what_the_whole_machine_does_is_not_noise() -> None:
    random = np.random.default_rng(1)
    own = np.linspace(0, 3, 6)
    logs = own[:, None] + random.normal(0, 0.01, (6, 3))
    drifting = logs + np.array([0.0, 1.0, -0.5])
    assert floor_ratio(_rows(drifting), None) == pytest.approx(floor_ratio(_rows(logs), None))


def test_a_quiet_session_has_the_least_floor() -> None:
    logs = np.arange(4.0)[:, None] + np.array([0.0, 0.2, 0.4])
    assert floor_ratio(_rows(logs), (10.0, 10.0)) == LEAST


def test_the_control_bounds_the_floor_from_below() -> None:
    logs = np.arange(4.0)[:, None] + np.zeros(3)
    assert floor_ratio(_rows(logs), (10.0, 12.0)) == pytest.approx(1.2)
    assert floor_ratio(_rows(logs), (12.0, 10.0)) == pytest.approx(1.2)


def test_one_repetition_or_one_row_tells_nothing() -> None:
    assert floor_ratio(_rows(np.zeros((4, 1))), (10.0, 10.0)) == UNKNOWN
    assert floor_ratio(_rows(np.zeros((1, 3))), None) == UNKNOWN
    assert floor_ratio([], None) == UNKNOWN


def test_rows_that_lack_repetitions_are_left_out() -> None:
    logs = np.random.default_rng(2).normal(0, 0.01, (5, 3))
    whole = standard_error(_rows(logs))
    assert standard_error([*_rows(logs), Repeats("late", 1, [5.0])]) == whole
