import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from hierattn.training.recipe.augment import STRENGTHS, AugmentationStrength, augment, mix


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 4, side: int = 32) -> torch.Tensor:
    return torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8, generator=generator())


def test_no_augmentation_is_the_plain_input() -> None:
    pixels = pictures()
    images = augment(pixels, None, 32, generator())
    assert torch.equal(images, pixels.permute(0, 3, 1, 2).float() / 255)


def test_zero_strength_changes_nothing_but_the_side() -> None:
    pixels = pictures()
    images = augment(pixels, AugmentationStrength(), 32, generator())
    plain = pixels.permute(0, 3, 1, 2).float() / 255
    # A horizontal flip is always possible; either way round the pixels must be the same.
    for image, expected in zip(images, plain, strict=True):
        same = torch.allclose(image, expected, atol=1e-5)
        assert same or torch.allclose(image, expected.flip(2), atol=1e-5)


@pytest.mark.parametrize("name", sorted(STRENGTHS))
@pytest.mark.parametrize("size", [24, 32, 40])
def test_results_are_in_range_repeatable_and_of_the_asked_size(name: str, size: int) -> None:
    first = augment(pictures(), STRENGTHS[name], size, generator(5))
    again = augment(pictures(), STRENGTHS[name], size, generator(5))
    assert first.shape == (4, 3, size, size)
    assert torch.equal(first, again)
    assert not torch.equal(first, augment(pictures(), STRENGTHS[name], size, generator(6)))
    assert first.min() >= 0 and first.max() <= 1


def test_quarter_turns_of_the_strong_recipe_keep_a_centred_dot_in_the_centre() -> None:
    pixels = torch.zeros(64, 33, 33, 3, dtype=torch.uint8)
    pixels[:, 14:19, 14:19] = 255
    strength = AugmentationStrength(rotation=45, vertical_flip=True)
    images = augment(pixels, strength, 33, generator())
    assert (images[:, :, 16, 16] > 0.99).all()
    assert images[:, :, :10].max() < 0.01


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 2), st.integers(0, 1000))
def test_mixed_targets_match_the_mixed_pixels(alpha: float, seed: int) -> None:
    images = torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)])
    targets = torch.eye(2)
    for mixup, cutmix in ((alpha, 0.0), (0.0, alpha)):
        mixed, mixed_targets = mix(images, targets, mixup, cutmix, generator(seed))
        assert mixed_targets.sum(1).numpy() == pytest.approx([1, 1], abs=1e-6)
        # The share of ones in an image is the weight of the class whose image is all ones.
        share = mixed.mean((1, 2, 3)).numpy()
        assert share == pytest.approx(mixed_targets[:, 1].numpy(), abs=1e-5)


def test_no_mixing_returns_the_same_tensors() -> None:
    images, targets = torch.rand(2, 3, 4, 4), torch.eye(2)
    mixed, mixed_targets = mix(images, targets, 0, 0, generator())
    assert mixed is images and mixed_targets is targets


def test_mixup_weights_follow_the_beta_distribution() -> None:
    images, targets = torch.stack([torch.zeros(3, 2, 2), torch.ones(3, 2, 2)]), torch.eye(2)
    source = generator(1)
    kept = []
    for _ in range(600):
        _, mixed = mix(images, targets, 0.4, 0, source)
        kept.append(float(mixed.max()))
    # Half of the permutations of two map each image onto itself and give 1.
    more_than = 2 * beta.sf(0.9, 0.4, 0.4)
    assert np.mean(np.array(kept) > 0.9) == pytest.approx((1 + more_than) / 2, abs=0.05)
