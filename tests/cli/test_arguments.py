"""Arguments that no command takes: numbers beyond sense, and empty values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from hierattn.cli.main import app
from tests.conftest import Answer

Cli = Callable[..., Answer]

ENOUGH = {
    "train": ["--data", ".", "--out", "y"],
    "pretrain": ["--data", ".", "--teacher", "hierattn_xs.pad_ufes_20", "--out", "y"],
}
"""What commands need beside a number that their recipe judges."""


def options(*kinds: type) -> Iterator[tuple[str, str]]:
    """All options of such values, as (command, option)."""

    def walk(command: Any, name: str) -> Iterator[tuple[str, str]]:
        for parameter in command.params:
            of_kind = parameter.type_descriptor.annotation in kinds
            if of_kind and parameter.opts[0].startswith("--"):
                yield name, parameter.opts[0]
        for word, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, f"{name} {word}".strip())

    return walk(typer.main.get_command(app), "")


NUMBERS = list(options(int, float))
BEYOND = [(*option, "9" * 20) for option in NUMBERS]
BEYOND += [("benchmark", "--threads", "9" * 5000)]
BEYOND += [(*option, word) for option in options(float) for word in ("inf", "-inf", "nan")]


def test_numbers_are_found() -> None:
    assert {("benchmark", "--sustained"), ("data balance", "--target")} <= set(NUMBERS)


@pytest.mark.parametrize(("command", "option", "value"), BEYOND)
def test_a_number_beyond_sense_is_refused_before_anything_is_done(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, option: str, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    needed = ENOUGH.get(command, [])
    if option == "--threads":
        needed = ["x", "--out", "y"]
    answer = cli(*command.split(), *needed, f"{option}={value}")
    assert answer.code in (1, 2) and answer.out == ""
    assert option in answer.err or option.strip("-").replace("-", "_") in answer.err
    assert "Traceback" not in answer.err and len(answer.err) < 1000
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["verify", ""], "FOLDER"),
        (["verify", "x", "--data", ""], "--data"),
        (["train", "--out", "y", "--data", "x", "--data="], "--data"),
        (["predict", "x", "photo.jpg", ""], "PHOTOS"),
        (["data", "inspect", ""], "FOLDER"),
        (["evaluate", "", "--data", "x"], "RUN"),
        (["demo", "--out", ""], "--out"),
        (["report", ""], "results"),
        (["export", "x", "--out", ""], "--out"),
    ],
)
def test_an_empty_value_is_refused(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = cli(*arguments)
    assert answer.code == 2 and "is empty" in answer.err and named.lower() in answer.err.lower()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "thing.txt"],
        ["bundle", "elsewhere", "--app", "thing.txt"],
        ["benchmark", "thing.txt", "--out", "report"],
        ["predict", "thing.txt", "thing.txt"],
        ["evaluate", "thing.txt", "--data", "."],
        ["runs", "thing.txt"],
        ["data", "inspect", "thing.txt"],
        ["data", "prepare", "thing.txt", "--out", "y"],
        ["train", "--data", "thing.txt", "--out", "y"],
    ],
)
def test_a_file_where_a_folder_is_meant_is_called_a_file(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "thing.txt").write_text("a file")
    answer = cli(*arguments)
    last = answer.err.strip().splitlines()[-1]
    assert answer.code == 1 and last.startswith("error: thing.txt: ")
    assert "file" in last or "not a folder" in last
    assert "no such" not in last


@pytest.mark.parametrize("files", [("config.json", "model.safetensors"), ("last.ckpt",)])
def test_a_run_given_as_photos_is_called_a_run(
    cli: Cli, tmp_path: Path, files: tuple[str, ...]
) -> None:
    (tmp_path / "ISIC_2019_Training_GroundTruth.csv").write_text(
        "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\n"
    )
    run = tmp_path / "run"
    run.mkdir()
    for name in files:
        (run / name).write_text("{}")
    answer = cli("train", "--data", run, "--out", tmp_path / "out")
    last = answer.err.strip().splitlines()[-1]
    assert last.startswith(f"error: {run}: is a run folder") and "folder of photos" in last


@pytest.mark.parametrize(
    "words",
    [
        ("export", "hierattn_xs.pad_ufes_20", "--data", ".", "--data", "..", "--out", "x"),
        ("train", "--data", ".", "--data", "..", "--out", "x", "--out", "y"),
    ],
)
def test_a_folder_given_twice_where_one_counts_is_refused(cli: Cli, words: tuple[str, ...]) -> None:
    answer = cli(*words)
    assert answer.code == 2 and "is given more than once; it takes one" in answer.err


def test_help_cuts_no_name_at_80_columns(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in sorted({command for command, _ in options(int, float, str, bool, Path)}):
        told = cli(*command.split(), "--help").out
        assert "--help" in told and "…" not in told, command
