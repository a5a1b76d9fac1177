"""What commands print on screens of several widths is what it was, and can be pasted."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

from hierattn.cli.export_tables import export_table
from hierattn.cli.main import app as cli
from hierattn.cli.tables import print_table
from tests.cli.screens.screen import WIDTHS, screen, terminal, text_of
from tests.cli.screens.shown import (
    PRINTED,
    SHOWN,
    made_up_manifest,
)
from tests.conftest import Answer

SNAPSHOTS = Path(__file__).parent / "snapshots"
# Begin lines that are not broken, since they hold paths or commands to paste.
_UNBROKEN = (
    "Shipped",
    "Next:",
    "Written:",
    "      hierattn",
    "FAILED",
    "passed over",
    "contact sheet",
)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PRINTED)
def test_a_table_looks_as_it_did(name: str, width: int) -> None:
    console = screen(width)
    PRINTED[name](console)
    _compare(text_of(console), f"{name}-{width}", width)


@pytest.mark.parametrize("width", WIDTHS)
def test_an_export_looks_as_it_did(tmp_path: Path, width: int) -> None:
    console, manifest = screen(width), made_up_manifest(tmp_path)
    print_table(console, export_table(manifest, "out: hierattn_xs at 32 px", {}))
    _compare(text_of(console), f"export-{width}", width)


@pytest.mark.parametrize("width", WIDTHS)
def test_models_look_as_they_did(
    cli: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    terminal(monkeypatch, width)
    answer = cli("models")
    assert answer.code == 0
    shown = "\n".join(line.rstrip() for line in answer.out.splitlines()) + "\n"
    _compare(shown, f"models-{width}", width)


@pytest.mark.parametrize("width", [*WIDTHS, None])
@pytest.mark.parametrize("name", SHOWN)
def test_what_a_command_shows_looks_as_it_did(
    name: str,
    width: int | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On terminals, and in a pipe, where only tables keep to a width, of 120 columns."""
    if width is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        terminal(monkeypatch, width)
    SHOWN[name](tmp_path)
    lines = capsys.readouterr().out.splitlines()
    _compare("\n".join(line.rstrip() for line in lines) + "\n", f"{name}-{width or 'pipe'}", width)


COMMANDS = {"verify": 2, "inspect": 1, "bundle": 1, "benchmarked": 1}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_next_command_can_be_pasted(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is one line that a shell takes apart, and a command with options that there are."""
    SHOWN[name](tmp_path)
    _, _, told = capsys.readouterr().out.partition("Next: ")
    commands = [line.strip() for line in told.splitlines() if line.strip().startswith("hierattn ")]
    assert len(commands) == COMMANDS[name]
    for line in commands:
        _, called, *words = shlex.split(line)
        assert any(" " in word for word in words), "a name with a space stays one word"
        typer.main.get_command(cli).make_context("hierattn", [called, *words])
        if called != "data":
            typer.main.get_group(cli).commands[called].make_context(called, words)


def _compare(text: str, name: str, width: int | None) -> None:
    """Against the file; UPDATE_SNAPSHOTS=1 writes it anew, to be looked at before a commit."""
    assert "…" not in text
    assert width is None or all(len(line) <= width for line in _table_lines(text))
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def _table_lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if not line.startswith(_UNBROKEN))
