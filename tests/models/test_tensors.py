import pytest
import torch

from hierattn.models.registry import create_model, list_models
from hierattn.models.tensors import load_tensors


@pytest.mark.parametrize("name", list_models())
def test_tensors_alone_are_enough(name: str) -> None:
    source, target = create_model(name, 3), create_model(name, 3)
    plain = {key: value.clone() for key, value in source.state_dict().items()}
    load_tensors(target, plain)
    loaded = target.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in plain.items())


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(RuntimeError, match="Missing key"):
        load_tensors(create_model("mnasnet1_0", 3), {})
