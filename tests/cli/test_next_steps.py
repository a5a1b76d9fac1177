"""What commands say to do next: commands that can be pasted, with real paths."""

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hierattn.cli.main import app as cli
from hierattn.cli.next_steps import after_a_stop, told_stop, training_again
from hierattn.evaluation.pooling import PooledFolds
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.run_files import CHECKPOINT
from tests.cli.screens.screen import terminal

COMMANDS = Path(__file__).parents[2] / "hierattn/cli/commands"
_PLACEHOLDER = re.compile(r"\b(?!NOTE|FAILED|MB|JSON|CSV|SDK|JDK)[A-Z]{3,}(_[A-Z]+)*\b")


def _told(text: str) -> list[str]:
    """Literals that say what to do next; what is filled in is a gap."""
    found = []
    for node in ast.walk(ast.parse(text)):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        words = [part.value if isinstance(part, ast.Constant) else "{}" for part in parts]
        said = "".join(word for word in words if isinstance(word, str))
        if said.startswith(("Next:", "      ")):
            found.append(said)
    return found


@pytest.mark.parametrize("source", sorted(COMMANDS.glob("*.py")), ids=lambda p: p.stem)
def test_no_placeholder_is_told_to_be_typed(source: Path) -> None:
    told = _told(source.read_text(encoding="utf-8"))
    assert [said for said in told if _PLACEHOLDER.search(said)] == []


def test_placeholders_would_be_found() -> None:
    code = 'print(f"Next: hierattn train --init {out} --data DATA")'
    assert any(_PLACEHOLDER.search(said) for said in _told(code))


def _check(line: str) -> list[str]:
    program, called, *words = shlex.split(line)
    assert program == "hierattn"
    typer.main.get_group(cli).commands[called].make_context(called, list(words))
    return words


@pytest.mark.parametrize("targets", [("MEL",), ("BCC", "MEL"), ()])
def test_after_pooling(monkeypatch: pytest.MonkeyPatch, targets: tuple[str, ...]) -> None:
    point = OperatingPoint(target_classes=targets)
    pooled = PooledFolds.model_construct(folds=2, of_folds=2, operating_point=point, report=None)
    monkeypatch.setattr("hierattn.evaluation.pooling.pool_runs", lambda *a, **k: pooled)
    monkeypatch.setattr("hierattn.cli.reports.print_report", lambda *a, **k: None)
    done = CliRunner().invoke(cli, ["pool", "a", "b", "--out", "my pool"])
    assert done.exit_code == 0, done.output
    words = _check(done.output.splitlines()[-1].strip())
    assert words[:4] == ["--config", "my pool/recipe.json", "--calibrate-from", "my pool"]
    watched = [word for name in targets or ("none",) for word in ("--target-class", name)]
    assert words[4:] == [*watched, "--out", "my pool-run"]


@pytest.mark.parametrize(
    ("processes", "machines", "launcher"),
    [
        ("2", "1", "torchrun --nproc-per-node 2 -m hierattn.cli"),
        ("4", "3", "on every machine, with the torchrun of this run: -m hierattn.cli"),
    ],
)
def test_a_training_by_torchrun_is_told_as_one(
    monkeypatch: pytest.MonkeyPatch, processes: str, machines: str, launcher: str
) -> None:
    for name in ("TORCHELASTIC_RUN_ID", "LOCAL_WORLD_SIZE", "GROUP_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert training_again("--out", "my run") == "hierattn train --out 'my run'"
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", processes)
    monkeypatch.setenv("GROUP_WORLD_SIZE", machines)
    assert training_again("--out", "my run") == f"{launcher} train --out 'my run'"


def test_a_stop_ends_with_one_line_that_can_be_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal(monkeypatch, 80)
    (tmp_path / CHECKPOINT).touch()
    told = f"hierattn {'x' * 30} {'y' * 60}"
    with pytest.raises(typer.Exit), told_stop(tmp_path, told):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == f"stopped; go on with: {told}\n"


def test_a_stop_tells_to_go_on_only_where_something_was_kept(tmp_path: Path) -> None:
    told = "hierattn train --resume --out run"
    assert told not in after_a_stop(tmp_path, told)
    (tmp_path / "last.ckpt").write_bytes(b"")
    assert after_a_stop(tmp_path, told).endswith(told)
