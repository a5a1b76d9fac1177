from pathlib import Path

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from hierattn.models.pretrained.initialise import initialise
from hierattn.models.pretrained.weights import read_state_dict
from hierattn.models.pretrained.wrappers import describe_prefixes, unwrap
from hierattn.models.registry import create_model

NETWORK = {"stem.weight": torch.ones(2), "head.bias": torch.zeros(1)}


@pytest.mark.parametrize(
    "prefixes",
    [
        ("module.",),
        ("_orig_mod.",),
        ("model.",),
        ("net.",),
        ("module.", "_orig_mod."),
        ("_orig_mod.", "module."),
        ("model.", "_orig_mod.", "module."),
    ],
)
def test_what_every_name_begins_with_is_taken_off(prefixes: tuple[str, ...]) -> None:
    wrapped = {"".join(prefixes) + name: value for name, value in NETWORK.items()}
    tensors, removed = unwrap(wrapped)
    assert (list(tensors), removed) == (list(NETWORK), prefixes)
    assert "".join(prefixes) in describe_prefixes(removed)


def test_what_some_names_begin_with_is_theirs() -> None:
    partly = {"model.stem.weight": torch.ones(2), "head.bias": torch.zeros(1)}
    assert unwrap(partly) == (partly, ())
    assert unwrap({}) == ({}, ())
    assert unwrap({"n_averaged": torch.tensor(3), **NETWORK})[0].keys() >= {"n_averaged"}
    assert describe_prefixes(()) == ""


def test_an_average_a_compiled_network_and_a_lightning_file_start_a_run(tmp_path: Path) -> None:
    network = create_model("hierattn_xs", 3)
    averaged = AveragedModel(network).state_dict()
    assert "n_averaged" in averaged
    # As torch.compile writes them; to compile takes seconds.
    compiled = {f"_orig_mod.{name}": value for name, value in network.state_dict().items()}
    lightning = {
        "epoch": 3,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {f"model.{name}": value for name, value in network.state_dict().items()},
    }
    for content, prefix in (
        (averaged, "module."),
        (compiled, "_orig_mod."),
        (lightning, "model."),
    ):
        torch.save(content, tmp_path / "weights.pt")
        assert read_state_dict(tmp_path / "weights.pt").keys() == network.state_dict().keys()
        fresh = create_model("hierattn_xs", 3)
        report = initialise(fresh, "hierattn_xs", tmp_path / "weights.pt")
        assert report.unwrapped == (prefix,)
        assert not report.untouched and not report.left_out
        assert all(
            torch.equal(value, fresh.state_dict()[name])
            for name, value in network.state_dict().items()
        )
