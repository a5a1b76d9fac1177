"""First weights are a function of the seed and of the training part alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hierattn.data.records import DataFolder
from hierattn.data.splits import Split
from hierattn.errors import ConfigError
from hierattn.models.registry import create_model
from hierattn.training.data import PreparedData, prepare_folder
from hierattn.training.recipe.config import TrainingConfig, build_config
from hierattn.training.run.first_state import new_network


def recipe(**fields: object) -> TrainingConfig:
    small = {"model": "shufflenet_v2_x1_0", "image_size": 64, "initialisation": "whitening_dirac"}
    return build_config(**{**small, **fields})


@pytest.fixture(scope="module")
def prepared(painted: DataFolder) -> PreparedData:
    return prepare_folder(painted, recipe())


def first_weights(config: TrainingConfig, data: PreparedData) -> torch.Tensor:
    weights = new_network(config, data, 6).state_dict()
    return torch.cat([value.flatten().double() for value in weights.values()])


def test_they_are_a_function_of_seed_and_training_part(prepared: PreparedData) -> None:
    first = first_weights(recipe(), prepared)
    assert torch.equal(first, first_weights(recipe(), prepared))
    assert not torch.equal(first, first_weights(recipe(seed=1), prepared))
    held_out = np.concatenate([prepared.indices(split) for split in (Split.VALIDATION, Split.TEST)])
    other = prepared.pixels.copy()
    other[held_out] = 255 - other[held_out]
    assert torch.equal(first, first_weights(recipe(), replace(prepared, pixels=other)))
    other[prepared.indices(Split.TRAIN)[0]] = 0
    assert not torch.equal(first, first_weights(recipe(), replace(prepared, pixels=other)))


def test_a_sample_is_of_the_training_part_and_bounded(prepared: PreparedData) -> None:
    assert len(prepared.training_sample(10, 0)) == 10
    learnt = prepared.pixels[prepared.indices(Split.TRAIN)]
    assert np.array_equal(prepared.training_sample(10_000, 3), learnt)
    assert not np.array_equal(prepared.training_sample(10, 0), prepared.training_sample(10, 1))


def test_what_a_recipe_said_before_it_still_says(prepared: PreparedData) -> None:
    default = recipe(initialisation="default")
    assert build_config(model="shufflenet_v2_x1_0", image_size=64) == default
    torch.manual_seed(0)

    plain = create_model("shufflenet_v2_x1_0", 6).state_dict()
    begun = new_network(default, prepared, 6).state_dict()
    assert all(torch.equal(plain[name], begun[name]) for name in plain)


def test_an_unknown_one_names_the_field() -> None:
    with pytest.raises(ConfigError, match=r"field 'initialisation': .*'whitening_dirac'"):
        recipe(initialisation="white")
