from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch

from hierattn.errors import CheckpointError
from hierattn.models.pretrained.initialise import (
    SourceKind,
    classifier_prefix,
    identify,
    initialise,
)
from hierattn.models.registry import create_model
from tests.models.golden import golden_state_dict
from tests.models.pretrained.helpers import same, saved
from tests.models.pretrained.test_transfer import cvnets_state_dict, timm_state_dict

SMALL = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2)}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("hierattn_xs", SourceKind.OWN),
        ("mobilenet_v3_large", SourceKind.TORCHVISION),
        ("shufflenet_v2_x1_0", SourceKind.TORCHVISION),
        ("mobilevit_s", SourceKind.TIMM),
    ],
)
def test_a_classifier_of_other_classes_begins_at_zero(
    tmp_path: Path, name: str, kind: SourceKind
) -> None:
    source, model = create_model(name, 5), create_model(name, 7)
    prefix = classifier_prefix(model)
    report = initialise(model, name, saved(tmp_path, source.state_dict()))
    assert report.source_kind is kind
    assert report.left_out == report.untouched == (f"{prefix}weight", f"{prefix}bias")
    given, after = source.state_dict(), model.state_dict()
    assert all(torch.equal(after[n], given[n]) for n in report.taken)
    assert not any(after[n].any() for n in report.untouched)
    assert set(report.taken) | set(report.untouched) == set(after)
    assert f"{prefix}weight" not in report.transferred_parameters


def test_same_model_with_the_same_classes_takes_everything(tmp_path: Path) -> None:
    source, model = create_model("hierattn_xs", 6), create_model("hierattn_xs", 6)
    report = initialise(model, "hierattn_xs", saved(tmp_path, source.state_dict()))
    assert same(model.state_dict(), source.state_dict())
    assert report.left_out == report.untouched == ()
    assert report.transferred_parameters == {n for n, _ in model.named_parameters()}


def test_official_checkpoints_are_recognised(tmp_path: Path) -> None:
    state_dict = {f"module.{n}": v.float() for n, v in golden_state_dict("hierattn_xs").items()}
    model = create_model("hierattn_xs", 8)
    report = initialise(model, "hierattn_xs", saved(tmp_path, state_dict))
    assert report.source_kind is SourceKind.OFFICIAL
    assert not report.untouched
    assert torch.equal(
        model.state_dict()["stem.conv.weight"], state_dict["module.Conv1.Conv.weight"]
    )
    six = initialise(create_model("hierattn_xs", 6), "hierattn_xs", tmp_path / "init.pt")
    assert six.untouched == ("classifier.weight", "classifier.bias")


def test_mobilevit_files_are_recognised(tmp_path: Path) -> None:
    timm, cvnets = timm_state_dict("mobilevit_xxs"), cvnets_state_dict("mobilevit_xxs")
    model = create_model("hierattn_xs")
    report = initialise(model, "hierattn_xs", saved(tmp_path, cvnets))
    assert report.source_kind is SourceKind.MOBILEVIT_CVNETS
    assert torch.equal(model.state_dict()["stem.conv.weight"], cvnets["conv_1.block.conv.weight"])
    safetensors.torch.save_file(timm, tmp_path / "timm.safetensors")
    report = initialise(model, "hierattn_xs", tmp_path / "timm.safetensors")
    assert report.source_kind is SourceKind.MOBILEVIT_TIMM
    assert len(report.transferred_parameters) == len(
        [n for n, _ in model.named_parameters() if n.startswith(("stem", "layer"))]
    )


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("hierattn_s", "hierattn_xs"),
        ("mobilenet_v2", "hierattn_xs"),
        ("hierattn_xs", "mobilenet_v2"),
        ("efficientnet_b0", "mobilenet_v2"),
        ("mobilevit_s", "hierattn_xs"),
    ],
)
def test_a_checkpoint_of_another_model_names_both(tmp_path: Path, source: str, target: str) -> None:
    path = saved(tmp_path, create_model(source, 3).state_dict())
    model = create_model(target)
    before = {n: v.clone() for n, v in model.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        initialise(model, target, path)
    assert f"init.pt: this is a checkpoint of {source}, not of {target}" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert same(model.state_dict(), before)


def test_unknown_tensors_are_refused_with_the_first_differences(tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r"cannot start hierattn_xs: stem\.conv\.weight is missing"
    ):
        initialise(create_model("hierattn_xs"), "hierattn_xs", saved(tmp_path, SMALL))
    assert identify(SMALL) is None
    with pytest.raises(CheckpointError, match="MobileViT of another size"):
        initialise(
            create_model("hierattn_xs"),
            "hierattn_xs",
            saved(tmp_path, timm_state_dict("mobilevit_xs")),
        )
