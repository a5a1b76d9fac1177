from __future__ import annotations

import pytest
import torch

from hierattn.errors import ConfigError, UnknownNameError
from hierattn.models.complexity import count_parameters
from hierattn.models.registry import (
    REGISTRY,
    ModelEntry,
    build_registry,
    check_image_size,
    create_model,
    list_models,
    minimum_image_size,
)

# Measured with 8 classes; the published table rounds them to 2.23, 4.21, 1.26, 3.11, 4.02, 4.94 M.
PARAMETERS = {
    "hierattn_xs": 1_079_928,
    "hierattn_s": 2_135_224,
    "hierattn_m": 5_439_144,
    "mobilenet_v2": 2_234_120,
    "mobilenet_v3_large": 4_212_280,
    "shufflenet_v2_x1_0": 1_261_804,
    "mnasnet1_0": 3_112_560,
    "efficientnet_b0": 4_017_796,
    "mobilevit_s": 4_942_760,
    "efficientnet_lite0": 3_381_256,
    "efficientnet_lite1": 4_145_928,
    "efficientnet_lite2": 4_821_320,
}


def test_lists_the_models_and_filters_by_pattern() -> None:
    assert list_models() == list(PARAMETERS)
    assert list_models("hierattn_*") == ["hierattn_xs", "hierattn_s", "hierattn_m"]
    assert list_models("MobileNet*") == ["mobilenet_v2", "mobilenet_v3_large"]
    assert list_models("resnet*") == []


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_and_output_are_exact(name: str) -> None:
    model = create_model(name).eval()
    assert count_parameters(model) == PARAMETERS[name]
    with torch.no_grad():
        assert model(torch.rand(2, 3, 64, 64)).shape == (2, 8)


@pytest.mark.parametrize("name", PARAMETERS)
def test_class_count_reaches_the_classifier(name: str) -> None:
    with torch.device("meta"):
        model = create_model(name, 3).eval()
        assert model(torch.zeros(1, 3, 96, 96)).shape == (1, 3)


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'hierattn_xs'"):
        create_model("hieratn_xs")
    with pytest.raises(UnknownNameError):
        minimum_image_size("resnet50")


@pytest.mark.parametrize("classes", [0, -1])
def test_class_counts_below_one_are_refused(classes: int) -> None:
    with pytest.raises(ConfigError, match="num_classes"):
        create_model("hierattn_xs", classes)


def test_duplicates_are_refused() -> None:
    entry = REGISTRY["hierattn_xs"]
    with pytest.raises(ConfigError, match="'hierattn_xs' is registered twice"):
        build_registry([entry, entry])


def test_the_registry_cannot_be_changed() -> None:
    entry: ModelEntry = REGISTRY["hierattn_xs"]
    with pytest.raises(TypeError):
        REGISTRY["other"] = entry  # type: ignore[index]


@pytest.mark.parametrize("name", PARAMETERS)
def test_images_below_the_minimum_are_refused(name: str) -> None:
    check_image_size(name, 64)
    check_image_size(name, 255)
    for size in (63, 32, 0, -1):
        with pytest.raises(ConfigError, match=f"{size} is too small for {name}"):
            check_image_size(name, size)
