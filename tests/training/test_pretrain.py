import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hierattn.data.records import DataFolder
from hierattn.errors import CheckpointError, ConfigError, UnknownNameError
from hierattn.lineage import weights_licences
from hierattn.models.registry import create_model
from hierattn.runs import load_run
from hierattn.training.pretrain import PretrainingRequest, pretrain
from hierattn.training.progress import SilentObserver
from hierattn.training.recipe.config import TrainingConfig, build_config
from hierattn.training.run.request import TrainingRequest
from hierattn.training.teaching.features import FeaturePredictor, feature_channels, feature_loss
from hierattn.training.trainer import train

PAINTED = "CC0 1.0 (painted by formula, not real)"


def recipe(**fields: object) -> TrainingConfig:
    small = {"model": "hierattn_xs", "image_size": 64, "epochs": 2, "batch_size": 16}
    return build_config("features", **{**small, **fields})


@pytest.fixture(scope="module")
def pretrained(
    painted: DataFolder, finished: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("pretrained") / "features"
    pretrain(PretrainingRequest(recipe(), (painted.root,), str(finished), out))
    return out


def test_the_loss_is_the_mean_of_standardised_squared_errors() -> None:
    wanted = [torch.tensor([[1.0], [3.0]]), torch.tensor([[[[0.0, 4.0]]], [[[0.0, 4.0]]]])]
    # Standardised: -1 and 1; the prediction misses by 1 and 0. The map: -1 and 1, missed by 1 each.
    predicted = [torch.tensor([[0.0], [1.0]]), torch.zeros(2, 1, 1, 2)]
    assert feature_loss(predicted, wanted).item() == pytest.approx((0.5 + 1.0) / 2, abs=1e-4)
    wanted[1] = wanted[1].repeat(1, 1, 2, 2)
    assert feature_loss(predicted, wanted).isfinite()


def test_a_network_that_learns_its_own_features_gets_better() -> None:
    torch.manual_seed(0)
    teacher = create_model("hierattn_xs").eval()
    channels = feature_channels(teacher, "hierattn_xs", maps=5)
    predictor = FeaturePredictor(create_model("hierattn_xs"), "hierattn_xs", channels)
    assert [head.weight.shape[0] for head in predictor.heads] == channels
    assert channels == [16, 24, 48, 64, 80, 768]
    assert feature_channels(teacher, "hierattn_xs", maps=1) == [80, 768]


def test_the_folder_starts_a_training_and_is_on_its_record(
    pretrained: Path, painted: DataFolder, finished: Path, tmp_path: Path
) -> None:
    weights = load_file(pretrained / "model.safetensors")
    whole = create_model("hierattn_xs").state_dict()
    assert set(whole) - set(weights) == {"classifier.weight", "classifier.bias"}
    config = build_config(model="hierattn_xs", image_size=64, epochs=1, batch_size=16)
    out = tmp_path / "run"
    train(TrainingRequest(config, painted.root, out, init=pretrained))
    run = load_run(out)
    assert run.config.initialisation is not None
    earlier = run.config.initialisation["pretraining"]
    assert earlier["teacher"]["name"] == finished.name
    assert earlier["teacher"]["weights_sha256"] == load_run(finished).config.weights_sha256
    assert weights_licences(run.config) == [PAINTED]


def test_a_refusal_says_that_the_teacher_had_the_labels(
    pretrained: Path, painted: DataFolder, tmp_path: Path
) -> None:
    config = build_config(model="hierattn_xs", image_size=64, epochs=1, seed=5)
    with pytest.raises(ConfigError, match=r"its teacher, or a run before it, learnt from \d+ of"):
        train(TrainingRequest(config, painted.root, tmp_path / "run", init=pretrained))


def test_a_pretraining_is_no_classifier(pretrained: Path) -> None:
    with pytest.raises(CheckpointError, match="classifies nothing; start from it with"):
        load_run(pretrained)


class StopAfter(SilentObserver):
    """Interrupts as Ctrl-C would, in the middle of an epoch."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def stepped(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_a_resumed_pretraining_ends_with_the_same_bits(
    pretrained: Path, painted: DataFolder, finished: Path, tmp_path: Path
) -> None:
    request = PretrainingRequest(recipe(), (painted.root,), str(finished), tmp_path / "again")
    with pytest.raises(KeyboardInterrupt):
        pretrain(request, StopAfter(6))
    again = PretrainingRequest(
        recipe(), (painted.root,), str(finished), tmp_path / "again", resume=True
    )
    pretrain(again)
    name = "model.safetensors"
    assert (tmp_path / "again" / name).read_bytes() == (pretrained / name).read_bytes()


@pytest.mark.parametrize("changed", [{"lr": 0.01}, {"feature_maps": 3}])
def test_another_recipe_does_not_go_on(
    pretrained: Path, painted: DataFolder, finished: Path, changed: dict[str, float]
) -> None:
    request = PretrainingRequest(
        recipe(**changed), (painted.root,), str(finished), pretrained, resume=True
    )
    field = next(iter(changed))
    with pytest.raises(CheckpointError, match=f"otherwise: {field}; resume with the same"):
        pretrain(request)


def test_a_folder_given_twice_is_refused(
    painted: DataFolder, finished: Path, tmp_path: Path
) -> None:
    request = PretrainingRequest(
        recipe(), (painted.root, painted.root), str(finished), tmp_path / "out"
    )
    with pytest.raises(ConfigError, match="a second folder called"):
        pretrain(request)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["typo", "teacher.pth"])
def test_a_teacher_that_is_none_is_told_before_a_photo_is_decoded(
    painted: DataFolder, tmp_path: Path, name: str
) -> None:
    class NothingDecoded(SilentObserver):
        def decoded(self, done: int, total: int) -> None:
            raise AssertionError("photos were decoded")

    torch.save({"weight": torch.zeros(3)}, tmp_path / "teacher.pth")
    request = PretrainingRequest(recipe(), (painted.root,), str(tmp_path / name), tmp_path / "out")
    with pytest.raises(
        (CheckpointError, UnknownNameError),
        match=rf"(the weights of no network in 'hierattn models'|unknown run folder .*{name})",
    ):
        pretrain(request, NothingDecoded())
    assert not (tmp_path / "out").exists()


def test_the_record_names_photos_teacher_and_recipe(pretrained: Path, painted: DataFolder) -> None:
    record = json.loads((pretrained / "config.json").read_text())
    assert record["kind"] == "features"
    assert record["data"]["counts"] == {painted.root.name: 72}
    assert record["training"]["augmentation"] == "crops"
    assert record["teacher"]["model"] == "hierattn_xs"
