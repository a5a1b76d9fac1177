import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import get_type_hints

import pytest
from PIL import Image

from hierattn.cli.commands.pretrain import pretrain
from hierattn.cli.commands.train import train
from hierattn.data.folder import read_data_folder
from hierattn.data.pixels.store import default_store
from hierattn.data.records import DataFolder
from hierattn.data.split_file import read_splits
from hierattn.data.splits import Split
from hierattn.models.registry import list_models
from hierattn.training.recipe.config import build_config
from tests.conftest import Answer
from tests.data.helpers import write_class_folders, write_csv, write_photo

Cli = Callable[..., Answer]


def in_a_process(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "hierattn.cli", *arguments],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def assert_one_line_of_error(answer: Answer) -> None:
    assert answer.code == 1
    assert answer.out == ""
    assert answer.err.startswith("error: ") and answer.err.count("\n") == 1


def run_python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=False
    )


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["data", "--help"]])
def test_help_does_not_wait_for_heavy_imports(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from hierattn.cli.main import main\n"
        f"sys.argv = ['hierattn', *{arguments!r}]\n"
        "try:\n    main()\n"
        "finally:\n"
        "    heavy = {'torch', 'torchvision', 'timm', 'sklearn', 'scipy', 'matplotlib', 'numpy'}\n"
        "    print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = run_python(program)
    assert done.returncode == 0
    assert "Usage:" in done.stdout
    assert done.stderr.strip() == "[]"


def test_an_interruption_while_the_commands_are_loaded_is_one_line() -> None:
    program = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'typer':\n            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "from hierattn.cli.__main__ import main\n"
        "main()\n"
    )
    done = run_python(program)
    assert done.returncode == 1 and done.stderr == "interrupted; nothing was begun\n"


@pytest.mark.parametrize(
    ("command", "recipe", "count"), [(train, "default", 10), (pretrain, "features", 6)]
)
def test_the_help_tells_the_defaults_of_the_recipe(
    command: Callable[..., None], recipe: str, count: int
) -> None:
    told = {
        name: option.help.rpartition("by default ")[2].rstrip(".")
        for name, annotation in get_type_hints(command, include_extras=True).items()
        for option in getattr(annotation, "__metadata__", ())
        if option.help and "by default" in option.help
    }
    usual = build_config(recipe)
    assert len(told) == count
    assert told == {name: str(getattr(usual, name)) for name in told}


def test_the_version_is_the_packages(cli: Cli) -> None:
    answer = cli("--version")
    assert answer.code == 0 and answer.out == f"hierattn {version('hierattn-mobile')}\n"


def test_no_cache_turns_the_store_of_photos_off(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIERATTN_PHOTO_CACHE_GB", "1")
    assert cli("--no-cache", "data", "inspect", "nowhere").code == 1
    assert default_store() is None


def test_help_names_every_command(cli: Cli) -> None:
    answer = cli("--help")
    assert answer.code == 0
    for name in ("models", "data", "train", "evaluate", "pool", "demo"):
        assert name in answer.out
    assert "Not a medical device" in " ".join(answer.out.split())
    assert cli("-h").out == answer.out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nonsense"], "nonsense"),
        (["data", "nonsense"], "nonsense"),
        (["train"], "--out"),
        (["train", "--out", "x", "--bogus"], "--bogus"),
        (["train", "--out", "x", "--epochs", "many"], "--epochs"),
        (["models", "--classes", "1"], "classes"),
        (["evaluate", "--data", "x"], "RUN"),
        (["data", "inspect"], "FOLDER"),
        (["data", "synth", "--out", "x", "--per-class", "0"], "per-class"),
    ],
)
def test_wrong_usage_exits_2_and_names_the_fault(
    cli: Cli, arguments: list[str], named: str
) -> None:
    answer = cli(*arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert named.lower() in answer.err.lower() and "Traceback" not in answer.err


def test_no_arguments_is_wrong_usage_answered_with_help(cli: Cli) -> None:
    for arguments in ([], ["data"]):
        answer = cli(*arguments)
        assert answer.code == 2 and "Usage:" in answer.out + answer.err


def test_exit_codes_reach_the_shell(tmp_path: Path) -> None:
    wrong = in_a_process("train", "--bogus")
    assert wrong.returncode == 2 and "Traceback" not in wrong.stderr
    missing = in_a_process("data", "inspect", str(tmp_path / "none"))
    assert missing.returncode == 1
    assert missing.stderr.startswith("error: ") and missing.stderr.count("\n") == 1
    assert missing.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["models", "hierattn_sx"], "unknown model 'hierattn_sx'; did you mean 'hierattn_"),
        (["models", "hierattn_xs", "--image-size", "32"], "too small for hierattn_xs"),
        (["train", "--out", "run"], "needs --data"),
        (["train", "--out", "run", "--data", "x", "--lr", "-1"], "training field 'lr'"),
        (["train", "--out", "run", "--data", "x", "--recipe", "papr"], "did you mean 'paper'"),
        (["train", "--out", "run", "--data", "x", "--calibrate-from", "x"], "hierattn pool"),
        (["evaluate", "none", "--data", "x"], "unknown run folder or shipped checkpoint 'none'"),
        (["evaluate", "none", "--data", "x", "--split", "tests"], "did you mean 'test'"),
        (["pool", "none", "--out", "x"], "unknown run folder"),
        (["data", "inspect", "none"], "none"),
        (["data", "prepare", "none", "--out", "x"], "none"),
        (["data", "balance", "none", "--out", "x"], "none"),
        (["data", "balance", "none", "--out", "x", "--fold", "7/5"], "give I/K, such as 1/5"),
    ],
)
def test_what_cannot_be_done_is_one_line_on_stderr(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    answer = cli(*arguments)
    assert_one_line_of_error(answer)
    assert reason in answer.err
    assert [path.name for path in tmp_path.rglob("*")] == ["x"]


@pytest.mark.parametrize(
    ("model", "reason"), [("hierattn_sx", "did you mean 'hierattn_"), ("resnet", "(valid: ")]
)
def test_training_an_unknown_model_suggests_the_nearest(
    cli: Cli, painted: DataFolder, tmp_path: Path, model: str, reason: str
) -> None:
    answer = cli("train", "--data", painted.root, "--model", model, "--out", tmp_path / "run")
    assert answer.code == 1 and answer.out == ""
    last = answer.err.strip().splitlines()[-1]
    assert last.startswith("error: unknown model") and reason in last
    assert not (tmp_path / "run").exists()


def test_models_as_a_table_and_as_json(cli: Cli) -> None:
    table = cli("models", "hierattn_*", "--image-size", "64")
    assert table.code == 0
    assert "building networks: 3 of 3" in table.err
    document = cli("models", "hierattn_*", "--image-size", "64", "--json")
    found = json.loads(document.out)
    assert (found["classes"], found["image_size"]) == (8, 64)
    assert [row["name"] for row in found["models"]] == list_models("hierattn_*")
    for row in found["models"]:
        assert row["name"] in table.out and f"{row['parameters']:,}" in table.out
        assert row["parameters"] > 1e6 and row["multiply_adds"] > 1e6
        assert "2205.04326" in row["source"]
    assert "mobilenet" not in document.out
    smallest = next(row for row in found["models"] if row["name"] == "hierattn_xs")
    other = json.loads(cli("models", "hierattn_xs", "--classes", "2", "--json").out)["models"][0]
    assert other["parameters"] < smallest["parameters"]
    # At the default 256 pixels there is more to multiply than at 64.
    assert other["multiply_adds"] > 8 * smallest["multiply_adds"]


def test_synth_inspect_and_balance(cli: Cli, tmp_path: Path) -> None:
    root, sheet = tmp_path / "painted", tmp_path / "sheet.png"
    made = json.loads(
        cli("data", "synth", "--out", root, "--per-class", 8, "--size", 48, "--json").out
    )
    assert made["images"] == 8 * len(made["classes"]) and made["out"] == str(root)
    again = cli("data", "synth", "--out", root)
    assert_one_line_of_error(again)

    inspected = cli("data", "inspect", root, "--contact-sheet", sheet, "--json")
    assert inspected.code == 0
    report = json.loads(inspected.out)
    assert report["images"] == made["images"] and report["unreadable"] == []
    assert {row["name"]: row["images"] for row in report["classes"]} == dict.fromkeys(
        made["classes"], 8
    )
    assert Image.open(sheet).size[0] > 100
    spoken = cli("data", "inspect", root)
    assert spoken.code == 0
    assert all(name in spoken.out for name in made["classes"])
    assert "licence: CC0 1.0" in spoken.out and "width: 48 to 48 px" in spoken.out

    out = tmp_path / "balanced"
    balanced = json.loads(cli("data", "balance", root, "--out", out, "--target", 10, "--json").out)
    assert set(balanced["counts"]["train"].values()) == {10}
    folder = read_data_folder(out)
    splits = read_splits(out / "splits.csv", folder)
    assert len(splits) == sum(sum(part.values()) for part in balanced["counts"].values())
    assert splits.count(Split.TRAIN) == 10 * len(made["classes"])


def test_inspect_exits_1_and_names_unreadable_photos(cli: Cli, tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "data", {"mel": 2, "nv": 2})
    (root / "nv" / "bad.jpg").write_bytes(b"")
    for more in ([], ["--json"]):
        answer = cli("data", "inspect", root, *more)
        assert answer.code == 1
        assert "nv/bad.jpg" in answer.out and "the file is empty" in answer.out
    assert json.loads(answer.out)["unreadable"][0]["file"] == "nv/bad.jpg"


def test_prepare_reads_an_official_layout(cli: Cli, tmp_path: Path) -> None:
    source, out = tmp_path / "download", tmp_path / "data"
    rows = []
    for number, diagnosis in enumerate(("ACK", "BCC", "MEL", "BCC")):
        name = f"PAT_{number}_1_{number}.png"
        write_photo(source / "images" / "imgs_part_1" / name, number)
        rows.append(f"PAT_{number},{number},{diagnosis},{name},50,FEMALE,ARM,2")
    write_csv(
        source / "metadata.csv",
        "patient_id,lesion_id,diagnostic,img_id,age,gender,region,fitspatrick",
        rows,
    )
    answer = cli("data", "prepare", source, "--out", out, "--json")
    assert answer.code == 0, answer.err
    report = json.loads(answer.out)
    assert report["layout"] == "pad_ufes_20"
    assert report["images"] == {"ACK": 1, "BCC": 2, "MEL": 1}
    assert len(read_data_folder(out).records) == 4
    refused = cli("data", "prepare", source, "--out", tmp_path / "x", "--layout", "isic")
    assert_one_line_of_error(refused)
    assert "isic_2019" in refused.err


@pytest.mark.slow
def test_train_prints_one_json_document_and_talks_on_stderr(
    cli: Cli, painted: DataFolder, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    recipe = ["--model", "hierattn_xs", "--image-size", 64, "--batch-size", 24, "--epochs", 1]
    answer = cli("train", "--data", painted.root, "--out", out, *recipe, "--json")
    assert answer.code == 0, answer.err
    document = json.loads(answer.out)
    assert (document["run"], document["epochs"], document["best_epoch"]) == (str(out), 1, 1)
    assert document["reports"]["test"]["images"] > 0 and document["skipped"] == []
    assert "    1/1 " in answer.err
    again = cli("train", "--data", painted.root, "--out", out, *recipe)
    assert_one_line_of_error_at_the_end(again, "already holds a run")
    other = cli("train", "--resume", "--out", out, "--epochs", 2, "--lr", 0.5)
    assert_one_line_of_error_at_the_end(other, "another")
    done = cli("train", "--resume", "--out", out)
    chosen = "epoch 1 of 1, the best by balanced accuracy of the validation images"
    assert done.code == 0 and f"Run folder: {out}\nIt holds {chosen}" in done.out


def assert_one_line_of_error_at_the_end(answer: Answer, reason: str) -> None:
    assert answer.code == 1 and answer.out == ""
    assert reason in answer.err.split("error: ")[-1] and "Traceback" not in answer.err


def test_evaluate_writes_json_to_a_file_or_to_stdout(
    cli: Cli, finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    file, figures = tmp_path / "new" / "report.json", tmp_path / "figures"
    common = ["evaluate", finished, "--data", painted.root, "--replicates", 5]
    spoken = cli(*common, "--json", file, "--out", figures)
    assert spoken.code == 0
    assert "balanced accuracy" in spoken.out and "Each class against the rest" in spoken.out
    printed = cli(*common, "--json", "-")
    document = json.loads(printed.out)
    assert document == json.loads(file.read_text())
    assert document["warning"] is None and document["report"]["images"] > 0
    assert (figures / "roc.png").is_file() and (figures / "metrics.json").is_file()
    everything = cli(*common, "--split", "all")
    note, _, figures_after = everything.out.partition("All classes:")
    assert (
        "NOTE" in note and "trained or calibrated on" in note and "trained or" not in figures_after
    )


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hierattn.cli", "models", "hierattn_xs", "--image-size", "64"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
        process.wait(timeout=600)
    assert process.returncode == 1


def test_want_of_memory_is_said(
    cli: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def too_large(folder: Path) -> None:
        raise MemoryError  # as Python does, without words

    monkeypatch.setattr("hierattn.run_list.list_runs", too_large)
    answer = cli("runs", tmp_path)
    assert answer.code == 1
    assert answer.err == "error: out of memory; close other programs, or give smaller files\n"


def test_photos_that_a_training_would_refuse_are_not_followed_by_one(
    cli: Cli, tmp_path: Path
) -> None:
    few = cli("data", "synth", "--out", tmp_path / "few", "--per-class", 2)
    assert few.code == 0 and "would refuse these photos" in few.out and "Next:" not in few.out
    inspected = cli("data", "inspect", tmp_path / "few")
    assert "too few groups" in inspected.out and "Next:" not in inspected.out
