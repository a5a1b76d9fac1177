"""What commands say of data folders: what they pass over, splits that are given, bad places."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hierattn.data.records import DataFolder
from hierattn.data.split_file import read_split_rows
from tests.benchmarks.helpers import write_export
from tests.conftest import Answer
from tests.data.helpers import write_class_folders

Cli = Callable[..., Answer]
RECIPE = ["--model", "hierattn_xs", "--image-size", 64, "--batch-size", 24, "--epochs", 1]


def assert_one_line_of_error(answer: Answer) -> None:
    assert answer.code == 1, answer
    assert answer.err.strip().splitlines()[-1].startswith("error: ")
    assert "Traceback" not in answer.err


@pytest.fixture
def littered(painted: DataFolder, tmp_path: Path) -> Path:
    """The painted pictures with a raw photo and a note beside them, and a hidden file."""
    root = tmp_path / "littered"
    shutil.copytree(painted.root, root)
    for name in ("raw.cr2", "notes.txt", ".DS_Store"):
        (root / painted.classes[0] / name).write_bytes(b"x")
    return root


def test_inspect_prepare_train_and_evaluate_name_what_they_pass_over(
    cli: Cli, littered: Path, painted: DataFolder, tmp_path: Path
) -> None:
    run, first = tmp_path / "run", painted.classes[0]
    commands = (
        ["data", "inspect", littered],
        ["data", "prepare", littered, "--out", tmp_path / "prepared"],
        ["train", "--data", littered, "--out", run, *RECIPE],
        ["evaluate", run, "--data", littered, "--replicates", 5],
    )
    for command in commands:
        answer = cli(*command)
        assert answer.code == 0, answer.err
        for suffix, name in ((".cr2", "raw.cr2"), (".txt", "notes.txt")):
            line = f"passed over: 1 file ({first}/{name}): {suffix} is not read as a photo"
            assert line in answer.out
        assert "DS_Store" not in answer.out
    shutil.rmtree(tmp_path / "prepared")
    shutil.rmtree(run)
    for command in commands:
        more = ["--json", "-"] if command[0] == "evaluate" else ["--json"]
        named = json.loads(cli(*command, *more).out)["passed_over"]
        assert [entry["file"] for entry in named] == [f"{first}/notes.txt", f"{first}/raw.cr2"]


def test_names_from_files_never_reach_the_terminal_as_they_are(cli: Cli, tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "data", {"a": 1, "b": 1})
    (root / "a" / "clear\x1b[2J\nverified.txt").write_bytes(b"x")
    (root / "a" / "bad\x1b[31m.jpg").write_bytes(b"")
    shutil.copy(root / "a" / "000.png", root / "b" / "same\x1b[31m.png")
    answer = cli("data", "inspect", root)
    assert answer.code == 1 and "\x1b" not in answer.out
    for line in (
        "passed over: 1 file (a/clear\\x1b[2J\\nverified.txt): .txt is not read as a photo",
        "  a/bad\\x1b[31m.jpg: the file is empty",
        "  a/000.png, b/same\\x1b[31m.png (labels differ: a, b)",
    ):
        assert line in answer.out.splitlines()


@pytest.mark.slow
def test_what_comes_next_leaves_out_what_could_not_be_read(
    cli: Cli, painted: DataFolder, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(painted.root, tmp_path / "data"))
    (root / painted.classes[0] / "empty.jpg").write_bytes(b"")
    run = tmp_path / "run"
    answer = cli("train", "--data", root, "--out", run, *RECIPE, "--skip-unreadable")
    (told,) = [line for line in answer.out.splitlines() if "hierattn e" in line]
    assert f"--data {root} --skip-unreadable" in told
    answer = cli("evaluate", run, "--data", root, "--skip-unreadable", "--replicates", 5)
    assert answer.code == 0 and "--skip-unreadable" in answer.out.splitlines()[-1]


@pytest.mark.slow
def test_training_follows_a_split_that_is_given(
    cli: Cli, painted: DataFolder, tmp_path: Path
) -> None:
    root = tmp_path / "preset"
    for place, record in enumerate(painted.records):
        split = ("train_dir", "train_dir", "val_dir", "test_dir")[place % 4]
        target = root / split / record.file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(record.path, target)
    answer = cli("train", "--data", root, "--out", tmp_path / "run", *RECIPE, "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["reports"]["test"]["images"] == 18
    words = {"train_dir": "train", "val_dir": "validation", "test_dir": "test"}
    rows = read_split_rows(tmp_path / "run" / "splits.csv")
    assert all(words[row.file.split("/")[0]] == row.split for row in rows)
    balanced = cli("data", "balance", root, "--out", tmp_path / "b", "--target", 4, "--json")
    assert sum(json.loads(balanced.out)["counts"]["test"].values()) == 18


@pytest.mark.parametrize(
    "command",
    [
        ["data", "inspect", "LOOP"],
        ["data", "inspect", "DATA", "--contact-sheet", "LOOP"],
        ["data", "prepare", "LOOP", "--out", "new"],
        ["data", "prepare", "DATA", "--out", "LOOP"],
        ["data", "balance", "LOOP", "--out", "new"],
        ["data", "balance", "DATA", "--out", "LOOP"],
        ["data", "synth", "--out", "LOOP"],
        ["train", "--data", "LOOP", "--out", "new"],
        ["train", "--data", "DATA", "--out", "LOOP"],
        ["train", "--data", "DATA", "--out", "new", "--init", "LOOP"],
        ["train", "--data", "DATA", "--out", "new", "--config", "LOOP"],
        ["train", "--resume", "--out", "LOOP"],
        ["train", "--data", "DATA", "--out", "new", "--export", "LOOP"],
        ["train", "--data", "DATA", "--out", "new", "--calibrate-from", "LOOP"],
        ["evaluate", "LOOP", "--data", "DATA"],
        ["evaluate", "RUN", "--data", "LOOP"],
        ["evaluate", "RUN", "--data", "DATA", "--out", "LOOP"],
        ["evaluate", "RUN", "--data", "DATA", "--json", "LOOP"],
        ["pool", "LOOP", "--out", "new"],
        ["pool", "RUN", "--out", "LOOP"],
        ["export", "LOOP", "--out", "new"],
        ["export", "RUN", "--out", "LOOP"],
        ["export", "RUN", "--out", "new", "--data", "LOOP"],
        ["verify", "LOOP"],
        ["benchmark", "LOOP", "--out", "new"],
        ["bundle", "LOOP", "--app", "APP"],
        ["bundle", "EXPORT", "--app", "LOOP"],
        ["demo", "--out", "LOOP"],
        ["demo", "--out", "new", "--data", "LOOP"],
    ],
)
def test_a_link_to_itself_is_one_line_in_every_command(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished: Path, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    write_class_folders(tmp_path / "data", {"mel": 4, "nv": 4})
    Path("app/src/main").mkdir(parents=True)
    places = {"LOOP": "loop", "DATA": "data", "RUN": finished, "APP": "app", "EXPORT": "none"}
    answer = cli(*(places.get(word, word) for word in command))
    assert_one_line_of_error(answer)
    assert "loop" in answer.err
    assert Path("loop").is_symlink()


@pytest.mark.parametrize(
    "command",
    [
        ["data", "prepare", "DATA", "--out", "DATA/new"],
        ["data", "balance", "DATA", "--out", "DATA/new"],
        ["data", "synth", "--out", "DATA/new"],
        ["train", "--data", "DATA", "--out", "DATA/new"],
        ["train", "--data", "DATA", "--out", "new", "--init", "RUN", "--export", "DATA/new"],
        ["train", "--data", "DATA", "--out", "RUN/new", "--init", "RUN"],
        ["train", "--data", "DATA", "--out", "new", "--export", "new/export"],
        ["evaluate", "RUN", "--data", "DATA", "--out", "DATA/new"],
        ["evaluate", "RUN", "--data", "DATA", "--out", "RUN/new"],
        ["evaluate", "RUN", "--data", "DATA", "--json", "DATA/new.json"],
        ["pool", "RUN", "--out", "DATA/new"],
        ["pool", "RUN", "--out", "RUN/new"],
        ["export", "RUN", "--out", "DATA/new"],
        ["export", "RUN", "--data", "DATA", "--out", "DATA/new"],
        ["export", "RUN", "--out", "RUN/new"],
        ["benchmark", "EXPORT", "--out", "EXPORT/new"],
        ["benchmark", "EXPORT", "--data", "DATA", "--out", "DATA/new"],
        ["bundle", "EXPORT", "--app", "EXPORT"],
        ["demo", "--out", "DATA/new"],
        ["demo", "--data", "DATA", "--out", "DATA/new"],
    ],
)
def test_no_command_writes_into_what_is_read(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished: Path, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_class_folders(Path("data"), {"mel": 4, "nv": 4})
    shutil.copytree(finished, "run")
    Path("exported").mkdir()
    Path("exported/manifest.json").write_text('{"artefacts": []}')
    before = sorted(Path().rglob("*"))
    places = {"DATA": "data", "RUN": "run", "EXPORT": "exported"}

    def placed(word: str) -> str:
        first, slash, rest = word.partition("/")
        return places.get(first, first) + slash + rest

    answer = cli(*map(placed, command))
    assert_one_line_of_error(answer)
    assert "choose another --" in answer.err
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    "command",
    [
        ["data", "inspect", "DATA", "--contact-sheet", "new.png"],
        ["data", "prepare", "DATA", "--out", "new"],
        ["data", "balance", "DATA", "--out", "new"],
        ["data", "synth", "--out", "new"],
        ["train", "--data", "DATA", "--out", "new"],
        ["pretrain", "--data", "DATA", "--teacher", "RUN", "--out", "new"],
        ["evaluate", "RUN", "--data", "DATA", "--out", "new"],
        ["evaluate", "RUN", "--data", "DATA", "--json", "new.json"],
        ["predict", "RUN", "DATA", "--csv", "new.csv"],
        ["predict", "RUN", "DATA", "--saliency", "new"],
        ["pool", "RUN", "--out", "new"],
        ["export", "RUN", "--data", "DATA", "--out", "new"],
        ["benchmark", "EXPORT", "--data", "DATA", "--out", "new"],
        ["bundle", "EXPORT", "--app", "APP"],
        ["demo", "--out", "new"],
    ],
)
def test_a_full_disk_is_told_before_a_photo_is_decoded(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished: Path, command: list[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def decode(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.chdir(tmp_path)
    write_class_folders(Path("data"), {"mel": 4, "nv": 4})
    write_export(Path("exported"))
    Path("app/src/main").mkdir(parents=True)
    before = sorted(Path().rglob("*"))
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    monkeypatch.setattr("PIL.Image.open", decode)
    places = {"DATA": "data", "RUN": finished, "EXPORT": "exported", "APP": "app"}
    answer = cli(*(places.get(word, word) for word in command))
    assert_one_line_of_error(answer)
    assert "cannot be written (No space left on device)" in answer.err
    assert sorted(Path().rglob("*")) == before
