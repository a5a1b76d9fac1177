"""A walk along the lines of "Next:": each is pasted as it stands, into the command line itself.

Only what shortens a training or an export is added. Names hold spaces, as a user's do.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from hierattn.cli.main import app
from hierattn.data.records import DataFolder
from hierattn.data.synth.dataset import write_synthetic
from tests.conftest import Answer

Cli = Callable[..., Answer]
COMMANDS = Path(__file__).parents[2] / "hierattn/cli/commands"
WALKED = {
    "bundle",
    "benchmark",
    "data",
    "demo",
    "evaluate",
    "export",
    "pretrain",
    "train",
    "verify",
}
"""Modules that say what comes next; the demo's line is parsed in its own test."""
SHORT_TRAINING = ("--epochs", "1", "--image-size", "64", "--batch-size", "8")
SHORT_EXPORT = ("--format", "onnx", "--precision", "fp32")
SHORT_BENCHMARK = ("--runs", "2", "--launches", "1", "--threads", "1", "--runtime", "onnxruntime")

pytestmark = pytest.mark.slow


def told(answer: Answer) -> list[list[str]]:
    """The commands after "Next:", as a shell takes them apart."""
    assert answer.code == 0, (answer.out, answer.err)
    _, found, after = answer.out.rpartition("Next: ")
    assert found
    lines = [line.strip() for line in after.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("hierattn ")]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def paint(name: str, **renamed: str) -> None:
    """A painted data folder, whose classes may be renamed, and lose their manifest then."""
    write_synthetic(Path(name), per_class=12, size=48)
    for old, new in renamed.items():
        Path(name, old).rename(Path(name, new))
    if renamed:
        Path(name, "manifest.csv").unlink()


def test_no_command_is_left_out() -> None:
    says = re.compile(r"Next: |print_training\(")
    sources = {path.stem: path.read_text(encoding="utf-8") for path in COMMANDS.glob("*.py")}
    assert {name for name, text in sources.items() if says.search(text)} == WALKED


def test_from_a_painted_folder_to_a_benchmark_again(cli: Cli, home: Path) -> None:
    (train,) = told(cli("data", "synth", "--out", "my data", "--per-class", "12", "--size", "48"))
    assert told(cli("data", "inspect", "my data")) == [train]
    (export,) = told(cli(*train, *SHORT_TRAINING))
    resumed = cli("train", "--resume", "--out", "my data-run")
    assert "all epochs were done before" in resumed.err and told(resumed) == [export]
    evaluate = ("evaluate", "my data-run", "--data", "my data")
    assert told(cli(*evaluate, "--replicates", "20")) == [export]
    exported = cli(*export, *SHORT_EXPORT)
    verify, benchmark, evaluate_file = told(exported)
    answer = cli(*evaluate_file, "--replicates", "20")
    assert told(answer) == [benchmark]
    assert "that the export was not judged on" in answer.out, answer.err
    assert told(cli(*verify)) == [benchmark]
    (again,) = told(cli(*benchmark, *SHORT_BENCHMARK))
    assert again[again.index("--data") + 1] == "my data"
    answer = cli(*again)
    # Of so few runs some may be slower; all that was measured before is compared.
    assert answer.code in (0, 1) and "Written: " in answer.out, answer.err
    verdicts = ("compared: nothing got slower", "too noisy to tell", "WORSE")
    assert any(words in answer.out for words in verdicts)
    assert "same images" not in answer.out and "only before" not in answer.out


def test_after_preparing_and_balancing(cli: Cli, home: Path) -> None:
    paint("my download")
    (inspect,) = told(
        cli("data", "prepare", "my download", "--layout", "folders", "--out", "my data")
    )
    assert told(cli(*inspect))
    (train,) = told(cli("data", "balance", "my data", "--target", "14", "--out", "my balanced"))
    assert told(cli(*train, *SHORT_TRAINING))


def test_classes_that_do_not_say_which_is_watched(cli: Cli, home: Path) -> None:
    paint("my data", painted_melanoma="benign_melanoma")
    answer = cli("data", "inspect", "my data")
    assert "which class is melanoma?" in answer.out
    (train,) = told(answer)
    assert told(cli(*train, *SHORT_TRAINING))


def test_renamed_classes_are_known_later(cli: Cli, home: Path) -> None:
    paint("my data", painted_nevus="my moles")
    asked = ("train", "--data", "my data", "--map-class", "my moles=NV", "--out", "my run")
    (export,) = told(cli(*asked, *SHORT_TRAINING))
    evaluate = ("evaluate", "my run", "--data", "my data")
    assert cli(*evaluate, "--replicates", "20").code == 0
    verify, benchmark, evaluate_file = told(cli(*export, *SHORT_EXPORT))
    assert cli(*verify).code == 0
    assert cli(*evaluate_file, "--replicates", "20").code == 0
    assert told(cli(*benchmark, *SHORT_BENCHMARK))


@pytest.mark.parametrize(
    ("of_teacher", "option"),
    [((), None), (("--seed", "5"), "--seed"), (("--test-fraction", "0"), "--test-fraction")],
)
def test_after_a_pretraining_whose_teacher_learnt_labels_of_the_same_photos(
    cli: Cli, painted: DataFolder, home: Path, of_teacher: tuple[str, ...], option: str | None
) -> None:
    data = ("--data", painted.root)
    assert cli("train", *data, *of_teacher, *SHORT_TRAINING, "--out", "my teacher").code == 0
    asked = ("--teacher", "my teacher", "--model", "hierattn_xs", "--out", "my features")
    answer = cli("pretrain", *data, *asked, *SHORT_TRAINING)
    (train,) = told(answer)
    assert [word for word in train if word in ("--seed", "--test-fraction")] == [option] * bool(
        option
    )
    assert ("split as its teacher's" in answer.out) == bool(option)
    assert ("none is left to judge by" in answer.out) == (option == "--test-fraction")
    # Features are gone on with at the size they were learnt at.
    assert train[train.index("--image-size") + 1] == "64"
    assert told(cli(*train, "--epochs", "1", "--batch-size", "8"))


def test_after_a_pretraining_whose_teacher_learnt_from_all(
    cli: Cli, painted: DataFolder, home: Path
) -> None:
    everything = ("--test-fraction", "0", "--validation-fraction", "0")
    data = ("--data", painted.root)
    assert cli("train", *data, *everything, *SHORT_TRAINING, "--out", "teacher").code == 0
    paint("other")
    asked = ("--teacher", "teacher", "--model", "hierattn_xs", "--out", "features")
    answer = cli("pretrain", *data, "--data", "other", *asked, *SHORT_TRAINING)
    (train,) = told(answer)
    joined = cli(*train, *SHORT_TRAINING)
    assert told(joined) and "judged by the photos of one folder, here of" in joined.out


def test_after_pooling(cli: Cli, painted: DataFolder, home: Path) -> None:
    asked = ("train", "--data", painted.root, *SHORT_TRAINING, "--fold")
    second, pool = told(cli(*asked, "1/2", "--out", "my fold 1"))
    assert second[-4:] == ["--fold", "2/2", "--out", "my fold 2"]
    assert told(cli(*second)) == [[*pool[:-1], "my fold 2-pool"]]
    (train,) = told(cli(*pool, "--replicates", "20"))
    assert train[train.index("--data") + 1] == str(painted.root)
    # What learnt from all photos is not to be judged by them.
    assert [words[:2] for words in told(cli(*train))] == [["export", "my fold 1-pool-run"]]


def test_folds_beside_are_known_and_a_resumed_one_goes_on_by_what_its_folder_keeps(
    cli: Cli, painted: DataFolder, home: Path
) -> None:
    asked = ("train", "--data", painted.root, *SHORT_TRAINING, "--seed", "3", "--fold")
    second, third, _ = told(cli(*asked, "1/3", "--out", "run"))
    assert [words[-1] for words in (second, third)] == ["run-fold-2", "run-fold-3"]
    assert "--seed" in second
    (third_again, pool) = told(cli(*second))
    assert third_again == third and pool[:4] == ["pool", "run", "run-fold-2", "run-fold-3"]
    third_resumed, pool_again = told(cli("train", "--resume", "--out", "run"))
    assert third_resumed[-4:] == third[-4:] and pool_again[:-1] == pool[:-1]
    assert told(cli(*third_resumed)) == [[*pool[:-1], "run-fold-3-pool"]]
    assert len(told(cli(*pool, "--replicates", "20"))) == 1


def test_a_bundle_is_followed_by_a_command_that_there_is(
    cli: Cli, home: Path, finished: Path
) -> None:
    from tests.export.bundle_helpers import FP32, write_app, write_whole_export

    made, phone = write_whole_export(Path("my export")), write_app(Path("my app"))
    (verify,) = told(cli("bundle", made, "--app", phone, "--artefact", FP32))
    context = typer.main.get_group(app).commands["verify"].make_context("verify", verify[1:])
    assert context.params["folder"] == made and context.params["device"] == "adb"
