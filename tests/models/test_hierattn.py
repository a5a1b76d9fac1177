from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hierattn.models.blocks import MBConv, StageAttention
from hierattn.models.complexity import count_parameters
from hierattn.models.hierattn import HIERATTN_XS, HierAttn, hierattn_m, hierattn_xs
from hierattn.models.pretrained.official import load_official_state_dict
from hierattn.models.registry import create_model

from .golden import OFFICIAL_RESULTS, golden_images, golden_state_dict


def _label(case: dict[str, Any]) -> str:
    return f"{case['model']}-{case['num_classes']}-{case['image_size']}"


@pytest.mark.parametrize("case", OFFICIAL_RESULTS, ids=_label)
def test_computes_what_the_official_code_computes(case: dict[str, Any]) -> None:
    model = create_model(case["model"], case["num_classes"])
    # Loaded in float32 and then widened, as the official numbers were made.
    load_official_state_dict(model, golden_state_dict(case["model"], case["num_classes"]))
    model.double().eval()
    images = golden_images(case["image_size"])
    with torch.no_grad():
        logits = model(images)
        stages = model.forward_stages(images) if "stages" in case else []
    expected = torch.tensor(case["logits"], dtype=torch.float64)
    torch.testing.assert_close(logits, expected, rtol=0, atol=2e-9)
    assert count_parameters(model) == case["params"]
    for stage, official in zip(stages, case.get("stages", []), strict=True):
        assert list(stage.shape) == official["shape"]
        assert stage.mean().item() == pytest.approx(official["mean"], abs=2e-9)
        assert stage.std().item() == pytest.approx(official["std"], abs=2e-9)
        assert stage.flatten()[:4].tolist() == pytest.approx(official["first"], abs=2e-9)


def test_float64_weights_stay_within_the_promised_tolerance() -> None:
    case = next(c for c in OFFICIAL_RESULTS if c["image_size"] == 160)
    model = create_model(case["model"], case["num_classes"]).double().eval()
    load_official_state_dict(model, golden_state_dict(case["model"], case["num_classes"]))
    with torch.no_grad():
        logits = model(golden_images(160))
    expected = torch.tensor(case["logits"], dtype=torch.float64)
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (72, 96), (97, 65), (131, 200)])
def test_takes_any_height_and_width(height: int, width: int) -> None:
    model = hierattn_xs(5).eval()
    with torch.no_grad():
        images = torch.rand(2, 3, height, width)
        stages = model.forward_stages(images)
        logits = model(images)
    sizes = [tuple(stage.shape[2:]) for stage in stages]
    assert sizes == [(-(-height // d), -(-width // d)) for d in (8, 16, 32)]
    assert logits.shape == (2, 5)
    assert torch.isfinite(logits).all()


def test_an_image_does_not_see_its_neighbours_in_the_batch() -> None:
    model = hierattn_xs(4).double().eval()
    images = golden_images(80)
    with torch.no_grad():
        together, alone = model(images), model(images[1:])
    torch.testing.assert_close(together[1:], alone, rtol=0, atol=1e-12)


def test_memory_layout_does_not_change_the_logits() -> None:
    model = hierattn_xs(4).double().eval()
    images = golden_images(72)
    with torch.no_grad():
        plain = model(images)
        model.to(memory_format=torch.channels_last)
        channels_last = model(images.to(memory_format=torch.channels_last))
    torch.testing.assert_close(plain, channels_last, rtol=0, atol=1e-12)


def _step(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    with torch.autocast("cpu", torch.bfloat16):
        loss = F.cross_entropy(model(images).float(), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def test_trains_in_bfloat16_and_every_parameter_gets_a_gradient() -> None:
    torch.manual_seed(0)
    model = hierattn_xs(3).to(memory_format=torch.channels_last).train()
    for part in model.modules():
        if isinstance(part, MBConv):
            part.drop_path.probability = 0.0
    images = torch.rand(6, 3, 64, 64).to(memory_format=torch.channels_last)
    first = _step(model, images, torch.tensor([0, 1, 2, 0, 1, 2]))
    assert first > 0
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
    quiet = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert quiet == []


def test_training_is_repeatable_under_deterministic_algorithms() -> None:
    torch.use_deterministic_algorithms(True)
    try:
        weights = []
        for _ in range(2):
            torch.manual_seed(7)
            model = hierattn_xs(3).train()
            _step(model, torch.rand(4, 3, 72, 72), torch.tensor([0, 1, 2, 0]))
            weights.append(model.state_dict())
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_stochastic_depth_grows_over_the_stride_one_blocks_of_layers_1_and_2() -> None:
    def drops(model: HierAttn) -> list[float]:
        parts = [*model.layer1, *model.layer2, model.layer3[0], model.layer4[0], model.layer5[0]]
        return [part.drop_path.probability for part in parts]

    assert drops(hierattn_xs()) == pytest.approx([0.2 / 3, 0, 0.4 / 3, 0.2, 0, 0, 0])
    # In s and m layer 1 changes the channels: no residual, so nothing to drop.
    assert drops(hierattn_m()) == pytest.approx([0, 0, 0.4 / 3, 0.2, 0, 0, 0])


@pytest.mark.parametrize(("build", "dropout"), [(hierattn_xs, 0.05), (hierattn_m, 0.1)])
def test_dropout_follows_each_mlp_and_the_head(build: Any, dropout: float) -> None:
    model = build()
    found = [
        part.p
        for block in model.modules()
        if isinstance(block, StageAttention)
        for part in block.modules()
        if isinstance(part, nn.Dropout)
    ]
    assert found == [dropout] * 9
    assert model.dropout.p == 0.1


def test_initial_weights_follow_the_page() -> None:
    torch.manual_seed(0)
    model = HierAttn(HIERATTN_XS, 8)
    fan_out = model.head.conv.weight.shape[0]
    assert model.head.conv.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.02)
    qkv = model.layer5[1].blocks[0].attention.qkv
    bound = (6 / (qkv.in_features + qkv.out_features)) ** 0.5
    assert 0.98 * bound < qkv.weight.abs().max().item() <= bound
    assert not qkv.bias.any()
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.1)}
    layer_norms = [part for part in model.modules() if isinstance(part, nn.LayerNorm)]
    assert {norm.eps for norm in layer_norms} == {1e-5}
    assert all((norm.weight == 1).all() and not norm.bias.any() for norm in norms + layer_norms)
