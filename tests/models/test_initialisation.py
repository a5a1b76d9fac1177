import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hierattn.errors import ConfigError
from hierattn.models.initialisation import EPSILON, first_convolution, set_dirac, start, whiten
from hierattn.models.registry import create_model, list_models


def pictures(seed: int = 0) -> torch.Tensor:
    """Smooth pictures, brightness above all, as photos are: float [24, 3, 32, 32]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(24, 3, 8, 8, generator=generator) * 0.3
    light = torch.rand(24, 1, 1, 1, generator=generator) * 0.6
    return F.interpolate(coarse, (32, 32), mode="bilinear") + light


def test_whitened_patches_have_the_covariance_of_noise() -> None:
    convolution = nn.Conv2d(3, 54, 3, stride=2, padding=1)
    whiten(convolution, pictures())
    with torch.no_grad():
        answers = F.conv2d(pictures(), convolution.weight, stride=2)
    values = answers.transpose(0, 1).flatten(1).double()
    covariance = torch.cov(values[:27])
    variance = covariance.diag()
    # Of a direction with variance v the filter makes v / (v + EPSILON): 1 wherever there is light.
    assert (covariance - variance.diag()).abs().max() < 1e-3
    assert 0.99 < variance[0] < 1.001 and (variance.diff() < 1e-6).all()
    assert variance.max() < 1.001
    assert torch.equal(convolution.weight[27:], -convolution.weight[:27])
    assert not convolution.bias.any()
    assert EPSILON < 1e-3


@pytest.mark.parametrize("channels", [1, 7, 16, 64])
def test_the_widest_directions_come_first_and_spare_channels_stay_random(channels: int) -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, channels, 3, bias=False)
    before = convolution.weight.detach().clone()
    wide = nn.Conv2d(3, 54, 3, bias=False)
    whiten(convolution, pictures())
    whiten(wide, pictures())
    pairs = min(27, (channels + 1) // 2)
    assert torch.equal(convolution.weight[:pairs], wide.weight[:pairs])
    assert torch.equal(convolution.weight[54:], before[54:])


def test_identity_repeats_its_input() -> None:
    torch.manual_seed(0)
    widening, narrowing = nn.Conv2d(4, 6, 3, padding=1, bias=False), nn.Conv2d(4, 3, 1, bias=False)
    spare = widening.weight[4:].detach().clone()
    set_dirac(widening)
    set_dirac(narrowing)
    picture = torch.rand(2, 4, 5, 5)
    assert torch.equal(widening(picture)[:, :4], picture)
    assert torch.equal(narrowing(picture), picture[:, :3])
    assert torch.equal(widening.weight[4:], spare)


@pytest.mark.parametrize("name", list_models())
def test_every_network_can_start_so(name: str) -> None:
    torch.manual_seed(0)
    network = create_model(name, 3)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    start(network, "default", pictures())
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    start(network, "whitening_dirac", pictures())
    first = first_convolution(network)
    assert first is not None and first.in_channels == 3
    moved = {
        key for key, value in network.state_dict().items() if not torch.equal(before[key], value)
    }
    for key, part in network.named_modules():
        plain = isinstance(part, nn.Conv2d) and part.groups == 1
        assert (f"{key}.weight" in moved) == plain, key


def test_a_network_that_begins_otherwise_is_one_line() -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 3, groups=3))
    start(network, "dirac", pictures())
    with pytest.raises(ConfigError, match="no plain convolution to whiten; use 'default' or 'dir"):
        start(network, "whitening", pictures())
