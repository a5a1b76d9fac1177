import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from hierattn.data.records import DataFolder
from hierattn.data.split_file import read_split_rows
from hierattn.data.synth.dataset import write_synthetic
from hierattn.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    TrainingError,
    UnknownNameError,
    UnreadableImagesError,
)
from hierattn.evaluation.evaluate import evaluate_run
from hierattn.evaluation.pooling import PooledFolds
from hierattn.metrics.report import EvaluationReport
from hierattn.models.registry import create_model
from hierattn.run_list import list_runs
from hierattn.runs import load_run
from hierattn.training.progress import SilentObserver
from hierattn.training.recipe.config import TrainingConfig, build_config
from hierattn.training.run.checkpoint import load_state, save_state
from hierattn.training.run.request import TrainingRequest
from hierattn.training.trainer import train
from tests.training.conftest import TINY

RUN_FILES = {
    "config.json",
    "confusion.png",
    "curves.png",
    "history.csv",
    "last.ckpt",
    "metrics.json",
    "model.safetensors",
    "predictions.csv",
    "reliability.png",
    "roc.png",
    "splits.csv",
}


class StopAfter(SilentObserver):
    """Interrupts as Ctrl-C would, in the middle of an epoch."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def stepped(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_a_run_folder_is_complete_and_loads(finished: Path, painted: DataFolder) -> None:
    assert {path.name for path in finished.iterdir()} == RUN_FILES
    run = load_run(finished)
    assert run.config.classes == list(painted.classes)
    assert run.config.data.licences == {"CC0 1.0 (painted by formula, not real)": 72}
    logits = run.load_model()(torch.zeros(1, 3, 64, 64))
    assert logits.shape == (1, 6)
    assert len((finished / "history.csv").read_text().splitlines()) == 4
    metrics = json.loads((finished / "metrics.json").read_text())
    assert set(metrics) == {"test", "validation"}


def test_a_run_interrupted_in_every_epoch_ends_with_the_same_bits(
    finished: Path, painted: DataFolder, tmp_path: Path, tiny: TrainingConfig
) -> None:
    out = tmp_path / "run"
    request = TrainingRequest(tiny, painted.root, out)
    for epochs_done, steps in ((0, 1), (1, 9), (2, 8)):  # 6 steps an epoch.
        with pytest.raises(KeyboardInterrupt):
            train(request, StopAfter(steps))
        assert load_state(out / "last.ckpt").epoch == epochs_done
        request = TrainingRequest(None, None, out, resume=True)
    assert not (out / "config.json").exists()
    (listed,) = list_runs(out)
    assert (listed.status, listed.model) == ("unfinished", tiny.model)
    assert listed.data == painted.root.name
    assert (listed.epochs, listed.of_epochs) == (2, tiny.epochs)
    train(request)
    names = sorted(path.name for path in out.iterdir())
    assert names == sorted(path.name for path in finished.iterdir())
    assert list_runs(out)[0].status == "finished"
    assert (out / "model.safetensors").read_bytes() == (finished / "model.safetensors").read_bytes()
    resumed, whole = load_state(out / "last.ckpt"), load_state(finished / "last.ckpt")
    for name, value in whole.model.items():
        assert torch.equal(resumed.model[name], value), name
    assert (out / "metrics.json").read_bytes() == (finished / "metrics.json").read_bytes()


def test_another_seed_gives_other_weights(
    finished: Path, painted: DataFolder, tmp_path: Path, tiny: TrainingConfig
) -> None:
    other = tiny.model_copy(update={"seed": 1})
    train(TrainingRequest(other, painted.root, tmp_path / "run"))
    mine = (tmp_path / "run" / "model.safetensors").read_bytes()
    assert mine != (finished / "model.safetensors").read_bytes()


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(
    painted: DataFolder, tmp_path: Path, tiny: TrainingConfig
) -> None:
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(TrainingRequest(tiny, painted.root, out), StopAfter(9))
    kept = (out / "last.ckpt").read_bytes()
    state = load_state(out / "last.ckpt")
    state.model["classifier.bias"] = torch.full_like(state.model["classifier.bias"], float("nan"))
    save_state(out / "last.ckpt", state)
    damaged = (out / "last.ckpt").read_bytes()
    with pytest.raises(TrainingError, match="not finite in epoch 2"):
        train(TrainingRequest(None, None, out, resume=True))
    assert (out / "last.ckpt").read_bytes() == damaged != kept


def test_a_target_class_that_is_not_clear_is_asked_for_before_the_long_work(
    painted: DataFolder, tmp_path: Path, tiny: TrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "data"
    for record in painted.records:
        of_melanoma = "1_melanoma" if record.label == "painted_melanoma" else "0_not_melanoma"
        (root / of_melanoma).mkdir(parents=True, exist_ok=True)
        (root / of_melanoma / record.path.name).write_bytes(record.path.read_bytes())

    def decode(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("hierattn.training.data.decode_folder", decode)
    with pytest.raises(ConfigError, match=r"'0_not_melanoma', '1_melanoma'.*--target-class"):
        train(TrainingRequest(tiny, root, tmp_path / "run"))
    wrong = tiny.model_copy(update={"target_classes": ("2_melanoma",)})
    with pytest.raises(UnknownNameError, match=r"'2_melanoma' \(valid: .*1_melanoma"):
        train(TrainingRequest(wrong, root, tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    monkeypatch.undo()
    named = tiny.model_copy(
        update={"target_classes": ("1_melanoma",), "epochs": 1, "warmup_epochs": 0.1}
    )
    train(TrainingRequest(named, root, tmp_path / "run"))
    config = load_run(tmp_path / "run").config
    assert config.operating_point.target_classes == ("1_melanoma",)
    assert config.training.target_classes == ("1_melanoma",)


def test_an_existing_run_is_never_overwritten(
    finished: Path, painted: DataFolder, tiny: TrainingConfig
) -> None:
    with pytest.raises(ConfigError, match="already holds a run"):
        train(TrainingRequest(tiny, painted.root, finished))


def test_resuming_refuses_other_settings_other_photos_and_damage(
    painted: DataFolder, tmp_path: Path, tiny: TrainingConfig
) -> None:
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(TrainingRequest(tiny, painted.root, out), StopAfter(9))
    other = tiny.model_copy(update={"lr": 0.1})
    with pytest.raises(CheckpointError, match="began otherwise: lr;"):
        train(TrainingRequest(other, painted.root, out, resume=True))
    copy = tmp_path / "copy"
    for record in painted.records[:-1]:
        (copy / record.label).mkdir(parents=True, exist_ok=True)
        (copy / record.file).write_bytes(record.path.read_bytes())
    with pytest.raises(DataError, match="no longer in the folder"):
        train(TrainingRequest(None, copy, out, resume=True))
    (copy / painted.records[-1].file).write_bytes(painted.records[0].path.read_bytes())
    with pytest.raises((CheckpointError, DataError), match=r"began with|groups stay whole"):
        train(TrainingRequest(None, copy, out, resume=True))
    checkpoint = out / "last.ckpt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match=r"last\.ckpt: damaged"):
        train(TrainingRequest(None, None, out, resume=True))


def test_unreadable_photos_are_named_and_skipped_only_when_asked(
    painted: DataFolder, tmp_path: Path, tiny: TrainingConfig
) -> None:
    root = tmp_path / "data"
    for record in painted.records:
        (root / record.label).mkdir(parents=True, exist_ok=True)
        (root / record.file).write_bytes(record.path.read_bytes())
    empty = root / painted.classes[0] / "empty.jpg"
    empty.write_bytes(b"")
    config = tiny.model_copy(update={"epochs": 1, "warmup_epochs": 0.1})
    with pytest.raises(UnreadableImagesError, match=r"1 unreadable image: .*empty\.jpg"):
        train(TrainingRequest(config, root, tmp_path / "refused"))
    assert not (tmp_path / "refused").exists()
    outcome = train(TrainingRequest(config, root, tmp_path / "run", skip_unreadable=True))
    assert len(outcome.skipped) == 1


def test_training_on_everything_needs_no_held_out_photos(
    painted: DataFolder, tmp_path: Path, tiny: TrainingConfig
) -> None:
    whole = tiny.model_copy(
        update={"epochs": 1, "warmup_epochs": 0.1, "validation_fraction": 0, "test_fraction": 0}
    )
    outcome = train(TrainingRequest(whole, painted.root, tmp_path / "run"))
    assert outcome.reports == {}
    run = load_run(tmp_path / "run")
    assert run.config.operating_point.fitted_on.startswith("not fitted")
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == {}


def test_starting_from_another_run_freezes_then_frees_what_was_taken(
    finished: Path, tmp_path: Path, tiny: TrainingConfig
) -> None:
    root = tmp_path / "two"
    random = np.random.default_rng(0)
    for label in ("light", "dark"):
        (root / label).mkdir(parents=True)
        for number in range(12):
            level = 200 if label == "light" else 60
            pixels = random.integers(level - 40, level + 40, (64, 64, 3), np.uint8)
            Image.fromarray(pixels).save(root / label / f"{number}.png")
    config = tiny.model_copy(update={"epochs": 2, "warmup_epochs": 0.2, "freeze_epochs": 1})
    stop = TrainingRequest(config, root, tmp_path / "run", init=finished)
    steps = 2  # 24 photos, about 16 to train on, batches of 8.
    with pytest.raises(KeyboardInterrupt):
        train(stop, StopAfter(steps + 1))
    state = load_state(tmp_path / "run" / "last.ckpt")
    start = load_run(finished).load_model().state_dict()
    assert state.epoch == 1
    assert state.initialisation is not None
    assert state.initialisation["pretraining"]["data"]["images"] == 72
    for name in state.frozen:
        assert torch.equal(state.model[name], start[name]), name
    assert "classifier.weight" not in state.frozen
    train(TrainingRequest(None, None, tmp_path / "run", resume=True))
    freed = load_state(tmp_path / "run" / "last.ckpt")
    moved = [name for name in state.frozen if not torch.equal(freed.model[name], start[name])]
    assert len(moved) == len(state.frozen)


def test_freezing_all_but_the_classifier_of_the_same_classes_trains_and_goes_on(
    finished: Path, painted: DataFolder, tmp_path: Path, tiny: TrainingConfig
) -> None:
    config = tiny.model_copy(update={"epochs": 2, "warmup_epochs": 0.2, "freeze_epochs": 1})
    stop = TrainingRequest(config, painted.root, tmp_path / "run", init=finished, allow_seen=True)
    with pytest.raises(KeyboardInterrupt):
        train(stop, StopAfter(8))
    assert load_state(tmp_path / "run" / "last.ckpt").epoch == 1
    train(TrainingRequest(None, None, tmp_path / "run", resume=True))
    assert load_state(tmp_path / "run" / "last.ckpt").epoch == 2


def test_an_out_that_is_a_file_is_refused(
    painted: DataFolder, tmp_path: Path, tiny: TrainingConfig
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(ConfigError, match="is a file"):
        train(TrainingRequest(tiny, painted.root, file))
    assert file.read_text() == "mine"


def test_a_batch_that_processes_cannot_share_is_refused(
    painted: DataFolder, tmp_path: Path, tiny: TrainingConfig
) -> None:
    from hierattn.training import trainer
    from hierattn.training.distributed import ProcessGroup

    group = ProcessGroup(0, 3, torch.device("cpu"))
    with pytest.raises(ConfigError, match="batch size 8 cannot be shared by 3 processes"):
        trainer._train(
            TrainingRequest(tiny, painted.root, tmp_path / "run"), group, SilentObserver()
        )
    assert dataclasses.replace(group, rank=1).is_main is False


def test_two_folders_are_one_training_set_and_are_found_again(
    painted: DataFolder, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    write_synthetic(other, per_class=8, size=64, seed=5)
    first, second = painted.classes[:2]
    (other / first).rename(other / "else")
    table = (other / "manifest.csv").read_text().replace(f"{first}/", "else/")
    (other / "manifest.csv").write_text(table.replace(f",{first},", ",else,"))
    config = build_config(**{**TINY, "epochs": 1}, class_map={"else": first, second: ""})
    out = tmp_path / "run"
    outcome = train(TrainingRequest(config, (painted.root, other), out))
    assert f"other: else -> {first} (--map-class)" in outcome.remarks
    run = load_run(out)
    assert run.config.classes == sorted({*painted.classes} - {second})
    assert run.config.data.name == f"{painted.root.name}+other"
    assert run.config.data.images == 5 * (12 + 8)
    homes = {row.file.split("/")[0] for row in read_split_rows(out / "splits.csv")}
    assert homes == {painted.root.name, "other"}
    train(TrainingRequest(None, None, out, resume=True))
    with pytest.raises(CheckpointError, match="began otherwise: class_map"):
        train(TrainingRequest(build_config(**{**TINY, "epochs": 1}), None, out, resume=True))
    # The table is remembered, so the folder needs no renaming to be judged.
    judged = evaluate_run(str(out), other, split="all", replicates=10)
    assert any("as in the training" in line for line in judged.remarks)
    other.rename(tmp_path / "moved")
    with pytest.raises(CheckpointError, match=r"other: the photos .* no longer there.*--data"):
        train(TrainingRequest(None, None, out, resume=True))


class NothingDecoded(SilentObserver):
    def decoded(self, done: int, total: int) -> None:
        raise AssertionError("photos were decoded")


@pytest.mark.parametrize("name", ["typo", "empty.pt", "other.pt", "hierattn_xs.pad_ufes"])
def test_weights_that_do_not_fit_are_told_before_a_photo_is_decoded(
    painted: DataFolder, tmp_path: Path, tiny: TrainingConfig, name: str
) -> None:
    (tmp_path / "empty.pt").touch()
    torch.save({"layer.weight": torch.ones(2, 2)}, tmp_path / "other.pt")
    request = TrainingRequest(tiny, painted.root, tmp_path / "out", init=tmp_path / name)
    with pytest.raises(CheckpointError, match=name):
        train(request, NothingDecoded())
    assert not (tmp_path / "out").exists()


def test_a_calibration_that_does_not_fit_is_told_before_a_photo_is_decoded(
    painted: DataFolder, finished: Path, tmp_path: Path, tiny: TrainingConfig
) -> None:
    run = load_run(finished)
    folds = PooledFolds(
        folds=5,
        of_folds=5,
        operating_point=run.config.operating_point,
        report=EvaluationReport.model_validate_json(
            json.dumps(json.loads((finished / "metrics.json").read_text())["test"])
        ),
    )
    others = folds.report.model_copy(update={"classes": ["a", "b"]})
    on_all = tiny.model_copy(update={"validation_fraction": 0.0, "test_fraction": 0.0})
    for config, calibration, reason in (
        (tiny, folds, "--validation-fraction 0"),
        (on_all, folds.model_copy(update={"report": others}), "made for classes a, b"),
        (on_all.model_copy(update={"target_classes": ()}), folds, "--calibrate-from watches"),
    ):
        request = TrainingRequest(config, painted.root, tmp_path / "out", calibration=calibration)
        with pytest.raises(ConfigError, match=reason):
            train(request, NothingDecoded())
    assert not (tmp_path / "out").exists()


def test_a_shipped_checkpoint_starts_a_run_by_its_name_and_prefixes_are_told(
    painted: DataFolder, tmp_path: Path, tiny: TrainingConfig
) -> None:
    said: list[str] = []

    class Stop(SilentObserver):
        def status(self, text: str) -> None:
            said.append(text)

        def stepped(self) -> None:
            raise KeyboardInterrupt

    shipped = Path("hierattn_xs.pad_ufes_20")
    wrapped = {f"module.{n}": v for n, v in create_model("hierattn_xs").state_dict().items()}
    torch.save(wrapped, tmp_path / "wrapped.pt")
    for number, init in enumerate((shipped, tmp_path / "wrapped.pt")):
        out = tmp_path / str(number)
        with pytest.raises(KeyboardInterrupt):
            train(TrainingRequest(tiny, painted.root, out, init=init), Stop())
        state = load_state(out / "last.ckpt")
        assert state.initialisation is not None and state.initialisation["file"] == init.name
        assert (state.initialisation["pretraining"] is not None) == (init is shipped)
    assert any("prefix module. taken off the names" in line for line in said)
