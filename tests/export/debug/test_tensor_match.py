from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from export.debug.tensor_match import (
    MATCH_TOLERANCES,
    Fingerprint,
    align,
    least_distance,
    nearest,
    same_values,
    sorted_distance,
)
from export.schema.metadata import Precision

VALUES = hnp.arrays(
    np.float32,
    st.integers(2, 60),
    elements=st.floats(-100, 100, width=32, allow_subnormal=False),
)


def _random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_every_order_of_axes_is_found_and_undone(order: tuple[int, ...]) -> None:
    torch = _random(2, 3, 4, 5)
    file = Fingerprint(torch.transpose(order).reshape(6, -1))
    found = align(Fingerprint(torch), file, 0.5)
    assert found is not None and found.error == 0
    assert np.array_equal(found.restore(file, torch.shape), torch)


@pytest.mark.parametrize("shape", [(1, 6, 4, 4), (16, 6), (1, 16, 6), (4, 4, 6), (96,)])
def test_channels_last_in_any_shape_is_the_same_map(shape: tuple[int, ...]) -> None:
    torch = _random(1, 6, 4, 4)
    flat = torch if shape == (1, 6, 4, 4) else torch.transpose(0, 2, 3, 1)
    noise = _random(*shape, seed=1) * 1e-3
    file = Fingerprint(flat.reshape(shape) + noise)
    found = align(Fingerprint(torch), file, 0.1)
    assert found is not None
    assert 5e-4 < found.error < 2e-3
    assert np.allclose(found.restore(file, torch.shape), torch, atol=0.01)


def test_another_tensor_is_not_taken_for_it() -> None:
    torch = Fingerprint(_random(1, 8, 5, 5))
    assert align(torch, Fingerprint(_random(1, 8, 5, 5, seed=1)), 1.0) is None
    assert align(torch, Fingerprint(_random(1, 8, 5, 4)), 100.0) is None


def test_gates_near_one_half_are_told_apart() -> None:
    """They are within 2 % of each other, but not of what is around the mean."""
    one, other = (0.5 + 0.05 * _random(1, 64, 1, 1, seed=seed) for seed in (0, 1))
    assert align(Fingerprint(one), Fingerprint(other), 0.9) is None
    found = align(Fingerprint(one), Fingerprint(one + 1e-4), 0.9)
    assert found is not None and found.error < 5e-3


def test_patches_agree_in_sorted_values_alone() -> None:
    torch = _random(1, 4, 8, 8)
    patches = torch.reshape(1, 4, 4, 2, 4, 2).transpose(0, 3, 5, 2, 4, 1)
    file = Fingerprint(patches.reshape(4, 16, 4))
    tolerance = MATCH_TOLERANCES[Precision.FP32]
    assert align(Fingerprint(torch), file, tolerance.ordered) is None
    assert same_values(Fingerprint(torch), file, tolerance.unordered) == 0
    assert same_values(Fingerprint(torch[:, :2]), Fingerprint(torch[:, :2]), 1.0) is None


def test_nan_and_infinity_match_nothing() -> None:
    torch = _random(1, 300)
    broken = torch.copy()
    broken[0, 3] = np.nan
    for file in (broken, np.full_like(torch, np.inf), np.full_like(torch, 3e38)):
        assert align(Fingerprint(torch), Fingerprint(file), 0.9) is None
        assert same_values(Fingerprint(torch), Fingerprint(file), 0.9) is None
    assert align(Fingerprint(np.zeros((1, 300))), Fingerprint(torch), 0.9) is None


@given(VALUES, st.integers(0, 2**32 - 1), st.floats(0, 10))
@example(np.array([1e-8, 0], np.float32), 0, 0.25)
def test_bounds_from_below_hold(values: np.ndarray, seed: int, noise: float) -> None:
    random = np.random.default_rng(seed)
    other = (random.permutation(values) + noise * random.standard_normal(values.size)).astype("f4")
    torch, file = Fingerprint(values), Fingerprint(other)
    if not torch.scale:
        assert math.isinf(least_distance(torch, file))
        return
    kindest = sorted_distance(torch, file)
    distance = float(np.linalg.norm(values - other)) / torch.scale
    assert kindest <= distance * (1 + 1e-5) + 1e-5
    assert least_distance(torch, file) <= kindest + 1e-4


def test_the_nearest_of_several_is_chosen() -> None:
    steps = {key: Fingerprint(_random(1, 4, 6, 6, seed=key)) for key in (3, 5, 9)}
    close = steps[5].value.transpose(0, 2, 3, 1) + 0.2 * _random(1, 6, 6, 4, seed=7)
    assert nearest(Fingerprint(close), steps) == 5
    assert nearest(Fingerprint(_random(1, 4, 6, 6, seed=8)), steps) is None
    twice = {1: steps[3], 2: steps[3]}
    assert nearest(steps[3], twice) == 1
