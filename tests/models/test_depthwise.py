import copy
import importlib
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from hierattn.models._torchvision import import_timm
from hierattn.models.depthwise import DepthwiseConv2d, SameDepthwiseConv2d, hasten
from hierattn.models.registry import create_model


def gradients(x: Tensor, part: nn.Module, upstream: Tensor, **cast: Any) -> list[Tensor]:
    """Result, and gradients of map and kernel."""
    x = x.detach().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, **cast):
        y = part(x)
    return [y, *torch.autograd.grad(y, [x, part.weight], upstream.to(y.dtype))]


def check(plain: nn.Conv2d, x: Tensor) -> None:
    quick = copy.deepcopy(plain)
    hasten(quick)
    assert type(quick) is not type(plain)
    # What bfloat16 can say, so that float64 answers the same question.
    plain = plain.bfloat16().double()
    quick.load_state_dict(plain.state_dict())
    upstream = torch.randn(plain(x.double()).shape).bfloat16()
    mine = gradients(x, quick, upstream)
    expected = gradients(x.double(), plain, upstream, enabled=False)
    assert [one.dtype for one in mine] == [torch.bfloat16, torch.bfloat16, torch.float32]
    for own, other in zip(mine, expected, strict=True):
        torch.testing.assert_close(own.double(), other, rtol=2**-7, atol=0.02)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("side", [8, 9])
@pytest.mark.parametrize(("kernel", "padding"), [(3, 1), (3, 0), (5, 2)])
@pytest.mark.parametrize("order", [torch.channels_last, torch.contiguous_format])
def test_gradients_are_autograds_to_the_rounding_of_bfloat16(
    stride: int, side: int, kernel: int, padding: int, order: torch.memory_format
) -> None:
    torch.manual_seed(0)
    plain = nn.Conv2d(5, 5, kernel, stride, padding, groups=5, bias=False)
    check(plain, torch.randn(2, 5, side, side + 1).bfloat16().to(memory_format=order))


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("side", [8, 9])
def test_timms_own_padding_is_kept(kernel: int, side: int) -> None:
    import_timm()
    same = importlib.import_module("timm.layers.conv2d_same").Conv2dSame
    torch.manual_seed(0)
    plain = same(5, 5, kernel, stride=2, groups=5, bias=False)
    x = torch.randn(2, 5, side, side + 1).bfloat16()
    check(plain, x)
    quick = copy.deepcopy(plain).float()
    hasten(quick)
    assert torch.equal(quick(x.float()), plain.float()(x.float()))


def test_only_what_the_formula_holds_for_is_touched_and_no_name_changes() -> None:
    others = [
        nn.Conv2d(4, 4, 3), nn.Conv2d(4, 8, 3, groups=4), nn.Conv2d(4, 4, 3, groups=4),
        nn.Conv2d(4, 4, 3, groups=4, bias=False, dilation=2),
        nn.Conv2d(4, 4, 3, groups=4, bias=False, padding="same"),
        nn.Conv2d(4, 4, 1, groups=4, bias=False, padding=1),
        nn.Conv2d(4, 4, 3, groups=4, bias=False, padding=1, padding_mode="reflect"),
        nn.Conv2d(4, 4, (1, 3), groups=4, bias=False, padding=(0, 1)),
    ]  # fmt: skip
    hasten(nn.ModuleList(others))
    assert {type(part) for part in others} == {nn.Conv2d}
    for name, kinds in (
        ("hierattn_xs", {DepthwiseConv2d}),
        ("efficientnet_lite0", {DepthwiseConv2d, SameDepthwiseConv2d}),
    ):
        network = create_model(name)
        names = list(network.state_dict())
        hasten(network)
        grouped = [p for p in network.modules() if isinstance(p, nn.Conv2d) and p.groups > 1]
        assert {type(part) for part in grouped} == kinds
        assert list(network.state_dict()) == names


@pytest.mark.parametrize("wanted", [True, False])
def test_answers_without_learning_and_learning_in_float32_are_bit_for_bit_the_same(
    wanted: bool,
) -> None:
    torch.manual_seed(0)
    plain = nn.Conv2d(5, 5, 3, 2, 1, groups=5, bias=False)
    quick = copy.deepcopy(plain)
    hasten(quick)
    x = torch.randn(2, 5, 8, 8)
    with torch.set_grad_enabled(wanted):
        assert torch.equal(quick(x), plain(x))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(quick(x), plain(x))
