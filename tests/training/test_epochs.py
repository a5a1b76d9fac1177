from typing import Any

import numpy as np
import pytest
import torch

from hierattn.models.registry import create_model
from hierattn.training.distributed import ProcessGroup
from hierattn.training.epochs import deterministic
from hierattn.training.loop import TrainingLoop, TrainingPhotos
from hierattn.training.recipe.config import build_config

SETTINGS: Any = torch.utils.deterministic


def weights(bf16: bool, filled: bool) -> dict[str, torch.Tensor]:
    """What an epoch of two batches leaves, fresh memory being filled with NaN or left as it is."""
    torch.manual_seed(0)
    config = build_config(image_size=64, epochs=1, batch_size=4, mixup=0.2, cutmix=0.2)
    pixels = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), np.uint8)
    photos = TrainingPhotos(pixels, np.arange(8) % 2)
    group = ProcessGroup(0, 1, torch.device("cpu"))
    network = create_model("hierattn_xs", 2)
    loop = TrainingLoop(config, group, network, 2, photos, *[np.arange(8)] * 2, bf16=bf16)
    with deterministic():
        SETTINGS.fill_uninitialized_memory = filled
        loop.run_epoch(0, lambda: None)
    return loop.model.state_dict()


@pytest.mark.parametrize("bf16", [False, True])
def test_no_operator_of_a_step_reads_memory_that_nothing_wrote(bf16: bool) -> None:
    filled, left = weights(bf16, filled=True), weights(bf16, filled=False)
    assert all(torch.equal(filled[name], value) for name, value in left.items())


def test_memory_is_not_filled_while_training_and_settings_are_given_back() -> None:
    assert SETTINGS.fill_uninitialized_memory
    with pytest.raises(RuntimeError), deterministic():
        assert torch.are_deterministic_algorithms_enabled()
        assert not SETTINGS.fill_uninitialized_memory
        raise RuntimeError
    assert SETTINGS.fill_uninitialized_memory
    assert not torch.are_deterministic_algorithms_enabled()
