"""What is left on the screen when a step is over."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pytest

from export.progress import Progress
from hierattn.cli.console import beside, command, progress_console
from hierattn.cli.progress import (
    PartsProgress,
    RichObserver,
    counting,
    make_progress,
    spent,
    turns_progress,
)
from hierattn.training.run.checkpoint import HistoryRow
from tests.cli.screens.screen import terminal


def test_a_finished_step_leaves_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with counting("painting") as progress:
        for done in range(1, 4):
            progress(done, 3)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("painting: 3 of 3 in ")


def test_nothing_counted_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with counting("painting"):
        pass
    assert capsys.readouterr().err == ""


def test_training_says_how_far_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), RichObserver() as observer:
        observer.decoded(1, 2)
        observer.decoded(2, 2)
        observer.started(1, 3, 10)
        observer.stepped()
        raise KeyboardInterrupt
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("decoding: 2 of 2 in ")
    assert lines[-1].startswith("training: 1 of 3 epochs in ")
    assert not any("-:--:--" in line for line in lines)


def test_each_part_leaves_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with PartsProgress() as parts:
        parts.follow(Progress("", "decoding", 1, 2))
        parts.follow(Progress("", "asking torch", 2, 2))
        parts.follow(Progress("onnx", "converting"))
        parts.follow(Progress("onnx", "checking", 1, 2))
        parts.follow(Progress("tflite", "converting"))
    words = [line.rpartition(" in ")[0] for line in capsys.readouterr().err.splitlines()]
    assert words == ["decoding", "asking torch: 2 of 2", "onnx: done", "tflite: done"]


def test_a_step_of_the_whole_ends_where_its_parts_begin(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking torch for 3 s and converting for 500 s is not 503 s of torch."""
    now = [0.0]
    monkeypatch.setattr("hierattn.cli.progress.time.monotonic", lambda: now[0])
    with PartsProgress() as parts:
        for when, step in ((0, ("", "asking torch", 0, 9)), (3, ("onnx", "converting"))):
            now[0] = when
            parts.follow(Progress(*step))
        now[0] = 503
    assert capsys.readouterr().err == "asking torch in 3.0 s\nonnx: done in 8 min 20 s\n"


def test_a_part_that_is_over_does_not_wait_for_the_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("hierattn.cli.progress.time.monotonic", lambda: now[0])
    with PartsProgress() as parts:
        parts.follow(Progress("onnx", "converting"))
        parts.follow(Progress("tflite", "converting"))
        now[0] = 20
        parts.follow(Progress("onnx", "done", over=True))
        now[0] = 50
        parts.follow(Progress("tflite", "broken off", over=True))
    told = "onnx: done in 20.0 s\ntflite: broken off after 50.0 s\n"
    assert capsys.readouterr().err == told


def test_what_was_stopped_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), PartsProgress() as parts:
        parts.follow(Progress("onnx", "asking fp16", 3, 9))
        raise KeyboardInterrupt
    assert capsys.readouterr().err.startswith("stopped at onnx: asking fp16: 3 of 9 in ")


def test_measuring_leaves_a_line_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    with turns_progress() as show:
        show(Progress("", "judging x.onnx", 0, 2))
        show(Progress("", "judged", 2, 2, over=True))
        show(Progress("", "launch 1 of 3: torch", 4, 21))
        show(Progress("", "measured", 21, 21, over=True))
    words = [line.rpartition(" in ")[0] for line in capsys.readouterr().err.splitlines()]
    assert words == ["judged: 2 of 2", "measured: 21 of 21"]


def test_epochs_are_rows_within_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with RichObserver() as observer:
        observer.started(0, 300, 10)
        for epoch, balanced in ((9, 0.5), (300, None)):
            observer.finished_epoch(
                HistoryRow(
                    epoch=epoch,
                    image_size=256,
                    learning_rate=0.001,
                    train_loss=1.875,
                    validation_loss=balanced,
                    validation_accuracy=balanced,
                    validation_balanced_accuracy=balanced,
                    images_per_second=1234.5,
                    seconds=1.0,
                )
            )
    heading, *rows, _ = capsys.readouterr().err.splitlines()
    assert heading.split()[:4] == ["epoch", "px", "loss", "validation:"]
    assert [row.split() for row in rows] == [
        ["9/300", "256", "1.875", "0.500", "0.500", "0.500", "1234"],
        ["300/300", "256", "1.875", "–", "–", "–", "1234"],
    ]
    assert {len(row) for row in rows} == {len(heading)}


def test_a_status_is_broken_between_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal(monkeypatch, 80)
    said = "features saw 81 of 86 train photos and 20 of 21 validation photos of this run, without"
    with RichObserver() as observer:
        observer.status(f"{said} their labels")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines if line.strip()] == ["features", "without"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (125, "2 min 5 s")]
)
def test_times_as_people_say_them(seconds: float, words: str) -> None:
    assert spent(seconds) == words


def test_a_result_that_is_there_is_not_offered_again(tmp_path: Path) -> None:
    for name in ("ham-run", "ham-run-2", "ham-run-3"):
        assert beside(tmp_path / "ham", "run") == str(tmp_path / name)
        (tmp_path / name).mkdir()
    assert beside(tmp_path / "ham-run-2", "run") == str(tmp_path / "ham-run-4")


def test_a_result_is_not_offered_where_nothing_may_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    (tmp_path / "ham/inside").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert beside(tmp_path / "ham", "run") == "ham-run"
    (tmp_path / "here/ham-run").mkdir()
    assert beside(tmp_path / "ham", "run") == "ham-run-2"
    monkeypatch.chdir(tmp_path / "ham/inside")
    assert beside(tmp_path / "ham", "run") == str(Path.home() / "ham-run"), "not in what is read"
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    free = tempfile.gettempdir()
    assert beside(tmp_path / "ham", "run").startswith(str(Path(free) / "ham-run"))


def test_commands_can_be_pasted() -> None:
    assert command("verify", "my\nexport") == r"hierattn verify $'my\x0aexport'"
    assert command("verify", "my export") == "hierattn verify 'my export'"
    assert beside("my data", "run") == "'my data-run'" and beside("-x", "run") == "./-x-run"
    assert command("verify", Path("-x")) == "hierattn verify ./-x"
    assert beside(".", "run") == f"{Path.cwd()}-run" and beside("..", "run")[0] == "/"
    assert beside("ham-run", "report") == "ham-run-report"
    assert beside("report-again", "again") == "report-again-2"
    assert beside("report-again-9", "again") == "report-again-10"


def test_what_is_done_stands_in_one_line_at_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("TTY_COMPATIBLE", "1"), ("COLUMNS", "80"), ("LINES", "25")):
        monkeypatch.setenv(name, value)
    words = "coreml: asking other runtimes, fp32"
    with make_progress(progress_console()) as progress:
        progress.add_task(words, total=999, completed=998)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    assert words in shown and "998/999" in shown


def test_a_file_and_its_runtime_stand_in_one_line_at_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("TTY_COMPATIBLE", "1"), ("COLUMNS", "80"), ("LINES", "25")):
        monkeypatch.setenv(name, value)
    words = "judging hierattn_xs-256-int8.tflite, tflite-runtime"
    with turns_progress() as show:
        show(Progress("", words, 998, 999))
    assert words in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
