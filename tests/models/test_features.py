import pytest
import torch
from torch import nn

from hierattn.models.features import read_features
from hierattn.models.pretrained.initialise import identify, initialise
from hierattn.models.registry import create_model, list_models


@pytest.mark.parametrize("name", list_models())
def test_every_network_gives_five_scales_and_what_its_classifier_reads(name: str) -> None:
    model = create_model(name).eval()
    with torch.no_grad():
        features = read_features(model, name, torch.rand(2, 3, 96, 96), maps=5)
    sides = [tuple(feature.shape[2:]) for feature in features]
    assert sides == [(48, 48), (24, 24), (12, 12), (6, 6), (3, 3), ()]
    classifier = [part for part in model.modules() if isinstance(part, nn.Linear)][-1]
    assert features[-1].shape == (2, classifier.in_features)
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())


def published_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors of an EfficientNet-Lite under other names in the same order, as published."""
    other = {f"_blocks.{place}": value for place, value in enumerate(state.values())}
    first = next(iter(other))
    return {"_conv_stem.weight" if name == first else name: v for name, v in other.items()}


@pytest.mark.parametrize("naming", ["own", "timm", "published"])
def test_lite_weights_are_known_by_any_of_their_names(naming: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(3)
    source = create_model("efficientnet_lite1", 5).eval()
    state = source.state_dict()
    if naming != "own":
        state = {name.removeprefix("network."): value for name, value in state.items()}
    if naming == "published":
        state = published_names(state)
    torch.save(dict(state), tmp_path / "lite.pth")
    assert identify(dict(state)) == "efficientnet_lite1"
    model = create_model("efficientnet_lite1", 5).eval()
    report = initialise(model, "efficientnet_lite1", tmp_path / "lite.pth")
    assert not report.untouched
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model(images), source(images))


def test_the_lite_networks_are_given_pixels_from_minus_one_to_one() -> None:
    model = create_model("efficientnet_lite0", 2).eval()
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model(images), model.network((images * 2) - 1))  # type: ignore[operator]
