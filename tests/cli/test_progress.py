"""What is left on the screen when a step is over."""

from __future__ import annotations

import pytest

from export.progress import Progress
from hierattn.cli.console import beside, command
from hierattn.cli.progress import PartsProgress, RichObserver, counting, spent


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
    words = [line.rpartition(", ")[0] for line in capsys.readouterr().err.splitlines()]
    assert words == ["decoding", "asking torch", "onnx: done", "tflite: done"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (125, "2 min 5 s")]
)
def test_times_as_people_say_them(seconds: float, words: str) -> None:
    assert spent(seconds) == words


def test_commands_can_be_pasted() -> None:
    assert command("verify", "my export") == "hierattn verify 'my export'"
    assert beside("my data", "run") == "'my data-run'"
