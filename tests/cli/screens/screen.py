"""Screens of several widths, for what commands print."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

WIDTHS = (80, 100, 120)


def screen(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Let the commands' own consoles take what they write to for a terminal without colours."""
    for name, value in (("TTY_COMPATIBLE", 1), ("TERM", "dumb"), ("COLUMNS", width), ("LINES", 25)):
        monkeypatch.setenv(name, str(value))
