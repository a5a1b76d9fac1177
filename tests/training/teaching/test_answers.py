"""Answers of teachers: the loss, what is refused, and what is recorded."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hierattn.data.records import DataFolder
from hierattn.data.split_file import read_split_rows, write_split_rows
from hierattn.data.splits import Split
from hierattn.errors import CheckpointError, ConfigError, HierAttnError
from hierattn.lineage import data_sources, weights_licences
from hierattn.runs import load_run
from hierattn.training.distributed import ProcessGroup
from hierattn.training.leaks import learnt_rows
from hierattn.training.objective import Classification
from hierattn.training.pretrain import PretrainingRequest, pretrain
from hierattn.training.progress import SilentObserver
from hierattn.training.recipe.config import TrainingConfig, build_config
from hierattn.training.run.checkpoint import load_state
from hierattn.training.run.request import TrainingRequest
from hierattn.training.teaching.answers import Distillation, answer_loss
from hierattn.training.trainer import train

PAINTED = "CC0 1.0 (painted by formula, not real)"


def recipe(**fields: object) -> TrainingConfig:
    small = {"model": "shufflenet_v2_x1_0", "image_size": 64, "epochs": 1, "batch_size": 24}
    return build_config(**{**small, **fields})


class Listener(SilentObserver):
    """Keeps what is said, and interrupts as Ctrl-C would after some steps."""

    def __init__(self, steps: int = 10_000) -> None:
        self.said: list[str] = []
        self.left = steps

    def status(self, message: str) -> None:
        self.said.append(message)

    def stepped(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


class Constant(nn.Module):
    """Answers the same logits to every picture, and keeps the pictures."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.images = images
        return self.logits.expand(len(images), -1)


def test_the_distance_is_that_of_the_mean_of_the_teachers_answers() -> None:
    # At temperature 2: the teachers say (0.8, 0.2) and (0.4, 0.6), the student (0.5, 0.5).
    first, second = torch.tensor([[2 * math.log(4), 0.0]]), torch.tensor([[0.0, 2 * math.log(1.5)]])
    distance = answer_loss(torch.zeros(1, 2), [first, second], 2.0)
    by_hand = 0.6 * math.log(0.6 / 0.5) + 0.4 * math.log(0.4 / 0.5)
    assert distance.item() == pytest.approx(by_hand, abs=1e-6)
    assert answer_loss(first, [first], 3.0).item() == pytest.approx(0, abs=1e-6)


def test_the_loss_weighs_labels_and_answers_on_the_same_mixed_pictures() -> None:
    fields = {"mixup": 0.4, "cutmix": 0.4, "teacher_weight": 0.25, "teacher_temperature": 2.0}
    config = build_config(image_size=64, **fields)
    group = ProcessGroup(0, 1, torch.device("cpu"))
    shares = np.array([0.9, 0.1])
    student, teacher = Constant(1.0, 0.0), Constant(0.0, 3.0)
    taught = Distillation(config, group, 2, shares, [teacher])
    images, labels = torch.rand(4, 3, 8, 8), torch.tensor([0, 1, 1, 0])
    hard = Classification(config, group, 2, shares).loss(
        student, images, labels, torch.Generator().manual_seed(3)
    )
    loss = taught.loss(student, images, labels, torch.Generator().manual_seed(3))
    assert teacher.images is student.images and not torch.equal(teacher.images, images)
    soft = answer_loss(torch.tensor([[1.0, 0.0]]), [torch.tensor([[0.0, 3.0]])], 2.0)
    assert loss.item() == pytest.approx((0.75 * hard + 0.25 * 4 * soft).item(), abs=1e-5)
    loss.backward()
    assert student.logits.grad is not None and teacher.logits.grad is None


@pytest.fixture(scope="module")
def taught(painted: DataFolder, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ShuffleNet taught by the hierattn_xs of ``finished`` for two epochs."""
    out = tmp_path_factory.mktemp("taught") / "run"
    listener = Listener()
    config = recipe(epochs=2, sampling_power=0.0, logit_adjustment=0.5)
    train(TrainingRequest(config, painted.root, out, teachers=(str(finished),)), listener)
    assert f"taught by {finished} (hierattn_xs)" in listener.said
    assert any("its answers favour other classes" in line for line in listener.said)
    return out


def test_the_record_names_the_teacher_its_photos_and_licences(taught: Path, finished: Path) -> None:
    run, teacher = load_run(taught), load_run(finished)
    (record,) = run.config.teachers
    assert (record.name, record.model) == (finished.name, "hierattn_xs")
    assert record.weights_sha256 == teacher.config.weights_sha256
    assert record.data == teacher.config.data
    assert record.seen == {"test": 0, "validation": 0}
    foreign = record.data.model_copy(update={"sha256": "0", "licences": {"CC BY 4.0": 72}})
    other = record.model_copy(update={"data": foreign, "licences": ["CC BY 4.0", "CC BY-NC 4.0"]})
    config = run.config.model_copy(update={"teachers": [other]})
    assert [source.role for source in data_sources(config)] == ["training", "teaching"]
    assert weights_licences(config) == ["CC BY 4.0", "CC BY-NC 4.0", PAINTED]


def test_what_a_teacher_learnt_from_is_known_to_later_runs(
    taught: Path, finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    rows = read_split_rows(taught / "seen.csv", one_folder=False)
    assert set(rows) == set(learnt_rows(finished))
    # Even where the student's own table tells of no photo, what its teacher learnt from does.
    heir = tmp_path / "heir"
    shutil.copytree(taught, heir)
    own = [row for row in read_split_rows(heir / "splits.csv") if row.split is Split.TEST]
    write_split_rows(heir / "splits.csv", own)
    fields = json.loads((heir / "config.json").read_text())
    fields["data"]["images"] = len(own)
    (heir / "config.json").write_text(json.dumps(fields))
    (heir / "metrics.json").unlink()
    order = TrainingRequest(recipe(seed=5), painted.root, tmp_path / "run", teachers=(str(heir),))
    with pytest.raises(ConfigError, match=r"--teacher .*heir: learnt from \d+ of 1\d test photos"):
        train(order)
    with pytest.raises(ConfigError, match=r"--init .*heir: learnt from \d+ of 1\d test photos"):
        train(replace(order, teachers=(), init=heir))
    (heir / "splits.csv").unlink()
    with pytest.raises(ConfigError, match=r"heir: has no splits\.csv, so nobody can tell"):
        train(order)
    assert not (tmp_path / "run").exists()


def test_a_teacher_that_learnt_from_test_photos_is_recorded_where_it_is_allowed(
    taught: Path, finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    names = (str(finished), str(taught))
    config = recipe(seed=5)
    train(TrainingRequest(config, painted.root, out, teachers=names, allow_seen=True))
    records = load_run(out).config.teachers
    assert [record.model for record in records] == ["hierattn_xs", "shufflenet_v2_x1_0"]
    earlier = {row.sha256: row.split for row in read_split_rows(finished / "splits.csv")}
    test = [row for row in read_split_rows(out / "splits.csv") if row.split is Split.TEST]
    leaked = sum(earlier[row.sha256] is not Split.TEST for row in test)
    assert all(record.seen and record.seen["test"] == leaked > 0 for record in records)


def test_a_resumed_student_ends_with_the_same_bits(
    taught: Path, finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    out = tmp_path / "again"
    config = load_run(taught).config.training
    with pytest.raises(KeyboardInterrupt):
        train(
            TrainingRequest(config, painted.root, out, teachers=(str(finished),)), Listener(steps=3)
        )
    assert load_state(out / "last.ckpt").epoch == 1
    with pytest.raises(CheckpointError, match="was started with finished as its teachers; resume"):
        train(TrainingRequest(None, None, out, resume=True, teachers=(str(taught),)))
    other = config.model_copy(update={"teacher_weight": 0.1})
    with pytest.raises(CheckpointError, match="began otherwise: teacher_weight"):
        train(TrainingRequest(other, None, out, resume=True))
    train(TrainingRequest(None, None, out, resume=True))
    for name in ("model.safetensors", "seen.csv"):
        assert (out / name).read_bytes() == (taught / name).read_bytes(), name
    assert load_run(out).config.teachers == load_run(taught).config.teachers


def test_a_teacher_draws_no_random_number() -> None:
    """So crops, mixing and dropout are those of the same run without it."""
    config = build_config(image_size=64, mixup=0.2, teacher_weight=0)
    group, shares = ProcessGroup(0, 1, torch.device("cpu")), np.array([0.5, 0.5])
    teacher = nn.Sequential(nn.Dropout(0.5), nn.Flatten(), nn.Linear(12, 2))
    images, labels = torch.rand(4, 3, 2, 2), torch.tensor([0, 1, 1, 0])
    losses, states = [], []
    for objective in (
        Classification(config, group, 2, shares),
        Distillation(config, group, 2, shares, [teacher]),
    ):
        torch.manual_seed(0)
        generator = torch.Generator().manual_seed(0)
        losses.append(objective.loss(Constant(1.0, 0.0), images, labels, generator))
        states.append(torch.cat([torch.get_rng_state(), generator.get_state()]))
    assert torch.equal(*losses) and torch.equal(*states)


def refusal(painted: DataFolder, out: Path, *teachers: Path, **fields: object) -> str:
    names = tuple(str(teacher) for teacher in teachers)
    with pytest.raises(HierAttnError) as caught:
        train(TrainingRequest(recipe(**fields), painted.root, out, teachers=names))
    assert not out.exists() and "\n" not in str(caught.value)
    return str(caught.value)


def test_teachers_that_do_not_fit_are_refused_before_a_photo_is_decoded(
    finished: Path, painted: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_decoding(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("hierattn.training.data.decode_folder", no_decoding)
    out = tmp_path / "run"
    said = refusal(painted, out, finished, image_size=96)
    assert "takes other pictures: image size 64, this run 96" in said
    assert "given twice" in refusal(painted, out, finished, finished)
    weights = finished / "model.safetensors"
    assert "a file does not say its classes" in refusal(painted, out, weights)
    other = tmp_path / "other"
    shutil.copytree(finished, other)
    fields = json.loads((finished / "config.json").read_text())
    classes = list(painted.classes)
    fields["classes"] = [*classes[:-1], "strange"]
    (other / "config.json").write_text(json.dumps(fields))
    said = refusal(painted, out, other)
    assert f"it lacks '{classes[-1]}' and it has 'strange' besides" in said
    fields["classes"] = classes[::-1]
    (other / "metrics.json").unlink()  # which would tell that they were reordered by hand
    (other / "config.json").write_text(json.dumps(fields))
    said = refusal(painted, out, other)
    assert f"another order: its class 0 is '{classes[-1]}', the data's '{classes[0]}'" in said


def test_a_pretraining_hands_on_what_its_teacher_learnt_and_counts_what_it_saw(
    finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    features = tmp_path / "features"
    config = build_config("features", model="shufflenet_v2_x1_0", image_size=64, epochs=1)
    pretrain(PretrainingRequest(config, (painted.root,), str(finished), features))
    out = tmp_path / "run"
    with pytest.raises(
        ConfigError, match=r"--init .*features: its teacher, .*learnt from \d+ of 1\d test photos"
    ):
        train(TrainingRequest(recipe(seed=5), painted.root, out, init=features))
    listener = Listener()
    train(TrainingRequest(recipe(), painted.root, out, init=features), listener)
    recorded = load_run(out).config.initialisation
    assert recorded is not None and recorded["seen"] == {"test": 0, "validation": 0}
    counted = recorded["seen_without_labels"]
    assert 0 < counted["test"] <= len(painted.records)
    assert any("of this run, without their labels" in line for line in listener.said)
    rows = read_split_rows(out / "seen.csv", one_folder=False)
    assert set(rows) == set(learnt_rows(finished))
