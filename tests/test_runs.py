import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from hierattn import run_files, runs
from hierattn.common.files import file_sha256
from hierattn.errors import CheckpointError, DataError, HierAttnError, UnknownNameError
from hierattn.lineage import describe_initialisation
from hierattn.models.pretrained.initialise import initialise
from hierattn.models.registry import create_model
from hierattn.runs import load_run, seen_rows, shipped_runs


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """The two files of a run that make it one, to be damaged."""
    out = tmp_path / "copy"
    out.mkdir()
    for name in (run_files.CONFIG, run_files.WEIGHTS):
        shutil.copy(finished / name, out / name)
    return out


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    fields = json.loads((folder / run_files.CONFIG).read_text())
    edit(fields)
    (folder / run_files.CONFIG).write_text(json.dumps(fields))


def test_two_files_are_enough_to_answer(copy: Path, finished: Path) -> None:
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    first, second = load_run(copy), load_run(str(finished))
    assert first.config == second.config
    model = first.load_model()
    assert not model.training
    with torch.no_grad():
        assert torch.equal(model(image), second.load_model()(image))


def test_what_is_not_there_is_an_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown run folder or shipped checkpoint"):
        load_run(tmp_path / "nowhere")


def test_a_file_of_the_run_is_not_the_run(copy: Path) -> None:
    with pytest.raises(CheckpointError, match="give the folder, not a file in it"):
        load_run(copy / run_files.WEIGHTS)


def test_an_unfinished_run_says_how_to_go_on(copy: Path) -> None:
    (copy / run_files.CONFIG).unlink()
    with pytest.raises(CheckpointError, match=r"not a run folder, it has no config\.json"):
        load_run(copy)
    (copy / "last.ckpt").touch()
    with pytest.raises(CheckpointError, match=f"hierattn train --resume --out {copy}"):
        load_run(copy)


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda fields: fields.update(best_epoch="many"), "field 'best_epoch'"),
        (lambda fields: fields.update(extra=1), "field 'extra'"),
        (lambda fields: fields.pop("classes"), "field 'classes'"),
        (lambda fields: fields.update(version=2), "field 'version'"),
        (lambda fields: fields["preprocessing"].update(resize="nearest"), "preprocessing.resize"),
        (lambda fields: fields["operating_point"].update(temperature=0), "point.temperature"),
        (lambda fields: fields["data"]["counts"].update(x="y"), r"data\.counts\.x"),
        (lambda fields: fields["training"].update(epochs=0), "field 'training.epochs'"),
    ],
)
def test_a_damaged_config_names_its_field(
    copy: Path, edit: Callable[[dict[str, Any]], object], named: str
) -> None:
    change(copy, edit)
    with pytest.raises(CheckpointError, match=rf"config\.json: .*{named}") as caught:
        load_run(copy)
    assert "\n" not in str(caught.value)


def test_classes_in_another_order_than_they_were_judged_in_are_refused(
    copy: Path, finished: Path
) -> None:
    shutil.copy(finished / run_files.METRICS, copy / run_files.METRICS)
    change(copy, lambda fields: fields["classes"].reverse())
    with pytest.raises(CheckpointError, match=r"config\.json: field 'classes': in another order"):
        load_run(copy)
    for damaged in ("nonsense", "[]", '{"test": 0}'):
        (copy / run_files.METRICS).write_text(damaged)
        with pytest.raises(CheckpointError, match=r"metrics\.json: damaged"):
            load_run(copy)
    (copy / run_files.METRICS).unlink()
    assert load_run(copy).config.classes


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b"3", b"[" * 100_000])
def test_a_config_that_is_no_object_is_refused(copy: Path, content: bytes) -> None:
    (copy / run_files.CONFIG).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"config\.json: ") as caught:
        load_run(copy)
    assert "field ''" not in str(caught.value) and len(str(caught.value)) < 500


def test_weights_that_were_changed_are_refused(copy: Path) -> None:
    content = bytearray((copy / run_files.WEIGHTS).read_bytes())
    content[-1] ^= 1
    (copy / run_files.WEIGHTS).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.safetensors: its sha256 is not the one"):
        load_run(copy).load_model()


def test_missing_and_truncated_weights_are_refused(copy: Path) -> None:
    weights = copy / run_files.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"model\.safetensors: damaged or truncated"):
        load_run(copy).load_model()
    weights.unlink()
    with pytest.raises(CheckpointError, match=r"model\.safetensors: no such weight file"):
        load_run(copy).load_model()


@pytest.mark.parametrize(("model", "classes"), [("hierattn_s", 6), ("hierattn_xs", 5)])
def test_weights_of_another_model_are_refused(copy: Path, model: str, classes: int) -> None:
    weights = copy / run_files.WEIGHTS
    save_file(create_model(model, classes).state_dict(), weights)
    change(copy, lambda fields: fields.update(weights_sha256=file_sha256(weights)))
    with pytest.raises(CheckpointError, match="not the weights of hierattn_xs with 6 classes"):
        load_run(copy).load_model()


def test_a_shipped_run_is_found_by_name_from_anywhere(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = tmp_path / "checkpoints"
    shutil.copytree(copy, shelf / "hierattn_xs.painted")
    (shelf / "unfinished").mkdir()
    monkeypatch.setattr(runs, "SHIPPED", shelf)
    monkeypatch.chdir(tmp_path)
    assert shipped_runs() == ["hierattn_xs.painted"]
    assert load_run("hierattn_xs.painted").path == shelf / "hierattn_xs.painted"
    with pytest.raises(UnknownNameError, match=r"did you mean 'hierattn_xs\.painted'"):
        load_run("hierattn_xs.paint")
    monkeypatch.setattr(runs, "SHIPPED", tmp_path / "none")
    assert shipped_runs() == []


@pytest.mark.parametrize("name", shipped_runs())
def test_every_shipped_run_is_whole(name: str) -> None:
    run = load_run(name)
    assert name.split(".")[0] == run.config.model
    size = run.config.preprocessing.image_size
    with torch.no_grad():
        logits = run.load_model()(torch.zeros(1, 3, size, size))
    assert logits.shape == (1, len(run.config.classes)) and logits.isfinite().all()


@pytest.mark.parametrize("as_folder", [True, False])
def test_starting_from_a_run_names_the_photos_it_learnt_from(copy: Path, as_folder: bool) -> None:
    source = copy if as_folder else copy / run_files.WEIGHTS
    report = initialise(create_model("hierattn_xs", 3), "hierattn_xs", source)
    described = describe_initialisation(report, source)
    assert described["pretraining"]["data"]["images"] == 72
    assert "classifier.weight" in described["left_out"]
    assert json.loads(json.dumps(described)) == described


def test_the_fingerprint_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc" * 1000)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(b"abc" * 1000).hexdigest()
    with pytest.raises(HierAttnError, match="none: No such file"):
        file_sha256(tmp_path / "none")


def test_a_table_of_photos_that_lost_a_part_is_refused(copy: Path, finished: Path) -> None:
    lines = (finished / run_files.SPLITS).read_text().splitlines(keepends=True)
    (copy / run_files.SPLITS).write_text("".join(lines))
    assert len(seen_rows(copy)) == len(lines) - 1
    (copy / run_files.SPLITS).write_text("".join(lines[:20]))
    with pytest.raises(DataError, match=r"splits\.csv: 19 of the run's 72 photos"):
        seen_rows(copy)
    shutil.copy(finished / run_files.METRICS, copy / run_files.METRICS)
    moved = "".join(lines).replace(",train,", ",test,", 1)
    (copy / run_files.SPLITS).write_text(moved)
    with pytest.raises(DataError, match=r"splits\.csv: 12 photos in its test part, .* of 11; "):
        seen_rows(copy)
    (copy / run_files.METRICS).write_text('{"cross_validation": {"images": 72}}')
    with pytest.raises(DataError, match=r"splits\.csv: .* validation part, .* of 0; "):
        seen_rows(copy)
