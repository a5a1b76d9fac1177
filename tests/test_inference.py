import numpy as np
import pytest
import torch
from torch import nn

from hierattn.inference import TorchPredictor, predict_logits
from hierattn.preprocessing import PreprocessSpec

SPEC = PreprocessSpec(image_size=8)


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4),
    )  # fmt: skip


def test_the_torch_predictor_answers_as_the_model_in_evaluation_mode() -> None:
    model = network().train()
    images = SPEC.to_input(pictures(5))
    predictor = TorchPredictor(model)
    statistics = model[1].running_mean.clone()
    first, again = predictor(images), predictor(images)
    assert first.dtype == np.float32 and first.shape == (5, 4)
    assert np.array_equal(first, again)
    assert torch.equal(model[1].running_mean, statistics)
    with torch.no_grad():
        expected = network().eval()(torch.from_numpy(images)).numpy()
    assert first == pytest.approx(expected, abs=1e-6)


def test_bfloat16_is_near_but_not_the_same_and_float32_comes_back() -> None:
    images = SPEC.to_input(pictures(5))
    exact, quick = TorchPredictor(network())(images), TorchPredictor(network(), bf16=True)(images)
    assert quick.dtype == np.float32
    assert not np.array_equal(exact, quick)
    assert quick == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 64])
def test_every_photo_is_answered_once_and_in_order(batch_size: int) -> None:
    pixels = pictures(7)
    given: list[np.ndarray] = []
    seen: list[tuple[int, int]] = []

    def predictor(images: np.ndarray, /) -> np.ndarray:
        given.append(images)
        return images.mean((2, 3))

    logits = predict_logits(
        predictor, pixels, SPEC, batch_size=batch_size, progress=lambda *state: seen.append(state)
    )
    assert logits.dtype == np.float64 and logits.shape == (7, 3)
    assert logits == pytest.approx(pixels.mean((1, 2)) / 255, abs=1e-6)
    assert all(images.dtype == np.float32 and images.shape[1:] == (3, 8, 8) for images in given)
    assert max(map(len, given)) == min(batch_size, 7)
    assert [done for done, _ in seen] == sorted({*range(batch_size, 7, batch_size), 7})
    assert {total for _, total in seen} == {7}
