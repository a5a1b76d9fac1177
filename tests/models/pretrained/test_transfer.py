from __future__ import annotations

import re
from functools import cache

import pytest
import torch
from torch import Tensor

from hierattn.errors import CheckpointError
from hierattn.models._torchvision import import_timm
from hierattn.models.hierattn import HierAttn
from hierattn.models.pretrained.transfer import mobilevit_dialect, transfer_mobilevit
from hierattn.models.registry import create_model

PAIRS = {
    "hierattn_xs": "mobilevit_xxs",
    "hierattn_s": "mobilevit_xs",
    "hierattn_m": "mobilevit_s",
}


@cache
def timm_state_dict(name: str) -> dict[str, Tensor]:
    torch.manual_seed(3)
    state_dict = import_timm().create_model(name, pretrained=False).state_dict()
    # Norms, biases and statistics start equal: random values tell whether each really lands.
    return {
        n: torch.rand_like(v) if v.is_floating_point() else torch.tensor(41)
        for n, v in state_dict.items()
    }


def cvnets_name(name: str, depths: dict[str, int]) -> str:
    """timm's name as ml-cvnets writes it (as its converters in other projects read it)."""
    if name.startswith("head.fc."):
        return name.replace("head.fc.", "classifier.fc.")
    name = re.sub(r"^stages\.(\d)\.", lambda m: f"layer_{int(m[1]) + 1}.", name)
    name = re.sub(r"^stem\.", "conv_1.", name)
    name = re.sub(r"^final_conv\.", "conv_1x1_exp.", name)
    layer = name.split(".")[0]
    for timm_part, cvnets_part in (
        (".conv1_1x1.", ".block.exp_1x1."),
        (".conv2_kxk.", ".block.conv_3x3."),
        (".conv3_1x1.", ".block.red_1x1."),
        (".conv_kxk.", ".local_rep.conv_3x3."),
        (".conv_1x1.weight", ".local_rep.conv_1x1.conv.weight"),
        (".conv_fusion.", ".fusion."),
        (".transformer.", ".global_rep."),
        (".norm1.", ".pre_norm_mha.0."),
        (".attn.qkv.", ".pre_norm_mha.1.qkv_proj."),
        (".attn.proj.", ".pre_norm_mha.1.out_proj."),
        (".norm2.", ".pre_norm_ffn.0."),
        (".mlp.fc1.", ".pre_norm_ffn.1."),
        (".mlp.fc2.", ".pre_norm_ffn.4."),
        (".conv.", ".block.conv."),
        (".bn.", ".block.norm."),
    ):
        name = name.replace(timm_part, cvnets_part)
    return re.sub(r"\.1\.norm\.", f".1.global_rep.{depths.get(layer)}.", name)


def cvnets_state_dict(name: str) -> dict[str, Tensor]:
    depths = {"layer_3": 2, "layer_4": 4, "layer_5": 3}
    return {cvnets_name(n, depths): v for n, v in timm_state_dict(name).items()}


def pairs_in_order_by_shape(model: HierAttn, source: dict[str, Tensor]) -> dict[str, str]:
    """The official way: walk both lists, pair a tensor with the next one of its shape."""
    pairs, names = {}, iter(source)
    for own, target in model.state_dict().items():
        if not own.startswith(("stem", "layer")):
            continue
        pairs[own] = next(n for n in names if source[n].shape == target.shape)
    return pairs


@pytest.mark.parametrize("dialect", ["timm", "ml-cvnets"])
@pytest.mark.parametrize("name", PAIRS)
def test_stem_and_layers_land_as_if_matched_in_order_by_shape(name: str, dialect: str) -> None:
    source = (timm_state_dict if dialect == "timm" else cvnets_state_dict)(PAIRS[name])
    assert mobilevit_dialect(source) == dialect
    model = create_model(name)
    assert isinstance(model, HierAttn)
    before = {n: v.clone() for n, v in model.state_dict().items()}
    pairs = pairs_in_order_by_shape(model, source)
    # Sorted, as a safetensors file would give it: the order of the file must not matter.
    transfer = transfer_mobilevit(model, dict(sorted(source.items())))

    after = model.state_dict()
    assert transfer.taken == tuple(pairs)
    assert set(transfer.taken) == {n for n in after if n.startswith(("stem", "layer"))}
    for own, theirs in pairs.items():
        assert torch.equal(after[own], source[theirs]), (own, theirs)
    assert transfer.untouched == tuple(n for n in after if n.startswith(("head", "classifier")))
    assert all(torch.equal(after[n], before[n]) for n in transfer.untouched)
    last = {"timm": ("final_conv", "head"), "ml-cvnets": ("conv_1x1_exp", "classifier")}[dialect]
    assert len(transfer.left_out) == 8
    assert all(n.startswith(last) for n in transfer.left_out)


def test_reports_the_parameters_to_freeze() -> None:
    model = create_model("hierattn_xs")
    assert isinstance(model, HierAttn)
    transfer = transfer_mobilevit(model, timm_state_dict("mobilevit_xxs"))
    parameters = {n for n, _ in model.named_parameters()}
    assert transfer.transferred_parameters == {
        n for n in parameters if not n.startswith(("head", "classifier"))
    }


@pytest.mark.parametrize("source", ["mobilevit_xs", "mobilevit_s"])
def test_a_mobilevit_of_another_size_is_refused_and_nothing_changes(source: str) -> None:
    model = create_model("hierattn_xs")
    assert isinstance(model, HierAttn)
    before = {n: v.clone() for n, v in model.state_dict().items()}
    with pytest.raises(CheckpointError, match="xxs fits hierattn_xs"):
        transfer_mobilevit(model, timm_state_dict(source))
    assert all(torch.equal(v, before[n]) for n, v in model.state_dict().items())


def test_other_networks_are_not_taken_for_mobilevit() -> None:
    assert mobilevit_dialect(create_model("mobilenet_v2").state_dict()) is None
    assert mobilevit_dialect(create_model("hierattn_xs").state_dict()) is None
    assert mobilevit_dialect({}) is None
