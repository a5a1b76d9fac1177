import numpy as np
import pytest
import torch
from torch import nn

from hierattn.training.recipe.ema import WeightAverage


@pytest.mark.parametrize("decay", [0.25, 0.998])
def test_the_average_follows_its_formula(decay: float) -> None:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    average = WeightAverage(model, decay)
    expected = model.weight.detach().numpy().copy()
    random = np.random.default_rng(0)
    for update in range(30):
        value = random.normal(size=(2, 3))
        with torch.no_grad():
            model.weight.copy_(torch.from_numpy(value))
        average.update(model, update)
        kept = min(decay, (1 + update) / (10 + update))
        expected = kept * expected + (1 - kept) * value
        assert average.module.weight.numpy() == pytest.approx(expected, abs=1e-5)
        assert model.weight.detach().numpy() == pytest.approx(value, abs=1e-6)


def test_running_statistics_are_averaged_and_counters_copied() -> None:
    model = nn.BatchNorm2d(2)
    average = WeightAverage(model, 0.5)
    for update, level in enumerate((0.0, 8.0)):
        model(torch.full((4, 2, 3, 3), level))
        average.update(model, update)
    assert int(average.module.num_batches_tracked) == 2
    assert model.running_mean is not None
    current = float(model.running_mean[0])
    # After the first update the mean was still 0; one update before this one keeps 2/11 of it.
    assert float(average.module.running_mean[0]) == pytest.approx(current * 9 / 11, rel=1e-5)
