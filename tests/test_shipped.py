"""The checkpoints inside the package: whole, licensed for shipping, and what they claim to be."""

import json

import pytest
import torch

from hierattn.lineage import without_labels
from hierattn.runs import load_run, shipped_runs

FREE = ("CC BY 4.0", "CC0 1.0")


def test_what_ships() -> None:
    assert shipped_runs() == [
        "hierattn_s.isic_2017",
        "hierattn_s.pad_ufes_20",
        "hierattn_xs.pad_ufes_20",
    ]


@pytest.mark.parametrize("name", shipped_runs())
def test_a_shipped_checkpoint_is_whole(name: str) -> None:
    run = load_run(name)
    size = run.config.image_size
    logits = run.load_model()(torch.rand(1, 3, size, size))
    assert logits.shape == (1, len(run.config.classes)) and bool(logits.isfinite().all())
    assert run.config.operating_point.temperature > 0
    assert json.loads((run.path / "metrics.json").read_text()).keys() >= {"cross_validation"}
    assert "not for diagnosis" in run.config.intended_use
    assert (run.path / "model.safetensors").stat().st_size < 9e6


@pytest.mark.parametrize("name", shipped_runs())
def test_every_photo_behind_a_shipped_checkpoint_may_be_used_so(name: str) -> None:
    run = load_run(name)
    notice = (run.path / "NOTICE.md").read_text()
    link = {"data": run.config.data.model_dump(), "initialisation": run.config.initialisation}
    while link is not None:
        for licence in link["data"]["licences"]:
            assert licence.startswith(FREE), licence
            assert licence.split(" (")[0] in notice
        link = (link["initialisation"] or {}).get("pretraining")


def test_photos_that_taught_features_are_told_where_photos_are_called_new() -> None:
    told = without_labels(load_run("hierattn_xs.pad_ufes_20").config) or ""
    assert told.endswith("from photos of isic_2017+pad_ufes_20, which may be among them")
