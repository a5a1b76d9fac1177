from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from hierattn.errors import CheckpointError
from hierattn.models.pretrained.official import (
    convert_official_name,
    is_official,
    load_official_state_dict,
)
from hierattn.models.registry import create_model
from tests.models.golden import golden_state_dict, official_shapes


@pytest.mark.parametrize("name", ["hierattn_xs", "hierattn_s", "hierattn_m"])
def test_every_official_tensor_has_exactly_one_place_in_the_same_order(name: str) -> None:
    targets = create_model(name).state_dict()
    converted = {convert_official_name(n): shape for n, shape in official_shapes(name).items()}
    assert list(converted) == list(targets)
    assert converted == {n: tuple(value.shape) for n, value in targets.items()}


def test_values_land_and_dataparallel_prefix_is_accepted() -> None:
    state_dict = golden_state_dict("hierattn_xs")
    model, wrapped = create_model("hierattn_xs"), create_model("hierattn_xs")
    load_official_state_dict(model, state_dict)
    load_official_state_dict(wrapped, {f"module.{n}": v for n, v in state_dict.items()})
    loaded = model.state_dict()
    for name, value in state_dict.items():
        assert torch.equal(loaded[convert_official_name(name)], value.to(torch.float32)), name
    assert all(torch.equal(value, loaded[n]) for n, value in wrapped.state_dict().items())


def _drop(state_dict: dict[str, Tensor]) -> None:
    del state_dict["Conv1.Conv.weight"]


def _add(state_dict: dict[str, Tensor]) -> None:
    state_dict["Extra.weight"] = torch.zeros(1)


def _reshape(state_dict: dict[str, Tensor]) -> None:
    state_dict["Conv1.Bn.bias"] = torch.zeros(17)


def _own_name(state_dict: dict[str, Tensor]) -> None:
    state_dict["stem.conv.weight"] = state_dict.pop("Conv1.Conv.weight")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_drop, "1 missing (stem.conv.weight)"),
        (_add, "1 unexpected (Extra.weight)"),
        (_reshape, "1 misshapen (Conv1.Bn.bias [17] instead of [16])"),
        (_own_name, "1 unexpected (stem.conv.weight)"),
    ],
)
def test_is_strict_and_changes_nothing_on_an_error(
    spoil: Callable[[dict[str, Tensor]], None], told: str
) -> None:
    state_dict = golden_state_dict("hierattn_xs")
    spoil(state_dict)
    model = create_model("hierattn_xs")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_official_state_dict(model, state_dict)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert all(torch.equal(value, before[n]) for n, value in model.state_dict().items())


def test_other_sizes_and_other_networks_are_refused() -> None:
    with pytest.raises(CheckpointError, match="misshapen"):
        load_official_state_dict(create_model("hierattn_s"), golden_state_dict("hierattn_xs"))
    with pytest.raises(CheckpointError, match="MobileNetV2"):
        load_official_state_dict(create_model("mobilenet_v2"), golden_state_dict("hierattn_xs"))


def test_recognises_official_names_only() -> None:
    state_dict = golden_state_dict("hierattn_xs")
    assert is_official(state_dict)
    assert is_official({f"module.{name}": value for name, value in state_dict.items()})
    assert not is_official(create_model("hierattn_xs").state_dict())
    assert not is_official({})
