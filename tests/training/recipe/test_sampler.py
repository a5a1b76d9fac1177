import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hierattn.training.recipe.sampler import class_shares, epoch_order

counts = st.lists(st.integers(1, 40), min_size=2, max_size=6)


def labels_of(sizes: list[int]) -> np.ndarray:
    return np.repeat(np.arange(len(sizes)), sizes)


@given(counts, st.floats(0, 1), st.integers(0, 5))
def test_each_photo_of_a_class_appears_once_before_any_twice(
    sizes: list[int], power: float, epoch: int
) -> None:
    labels = labels_of(sizes)
    order = epoch_order(labels, class_shares(np.array(sizes), power), epoch, seed=3)
    assert len(order) == len(labels)
    shown = np.bincount(order, minlength=len(labels))
    for label in range(len(sizes)):
        of_class = shown[labels == label]
        assert of_class.max() - of_class.min() <= 1


def test_power_zero_shows_every_photo_once_and_power_one_every_class_alike() -> None:
    sizes = np.array([30, 10, 5])
    labels = labels_of(sizes.tolist())
    natural = epoch_order(labels, class_shares(sizes, 0.0), epoch=0, seed=0)
    assert sorted(natural) == list(range(45))
    equal = epoch_order(labels, class_shares(sizes, 1.0), epoch=0, seed=0)
    assert np.bincount(labels[equal]).tolist() == [15, 15, 15]


def test_square_root_shares() -> None:
    assert class_shares(np.array([16, 4, 0]), 0.5) == pytest.approx([4 / 6, 2 / 6, 0])


def test_an_epoch_depends_on_its_number_and_the_seed_alone() -> None:
    labels, shares = labels_of([20, 20]), np.array([0.5, 0.5])
    first = epoch_order(labels, shares, epoch=4, seed=1)
    assert np.array_equal(first, epoch_order(labels, shares, epoch=4, seed=1))
    assert not np.array_equal(first, epoch_order(labels, shares, epoch=5, seed=1))
    assert not np.array_equal(first, epoch_order(labels, shares, epoch=4, seed=2))


def test_the_length_is_rounded_up_for_several_processes() -> None:
    assert len(epoch_order(labels_of([5, 6]), np.array([0.5, 0.5]), 0, 0, multiple=4)) == 12
