import json
import logging
import re

import pytest

from hierattn.cli.console import (
    OneLineFormatter,
    print_json,
    progress_console,
    standard_console,
)
from hierattn.cli.progress import make_progress
from hierattn.cli.tables import make_table, print_table


def test_names_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    table = make_table("", [("name", "left")])
    table.add_row(":lock: [bold]")
    for console in (standard_console(), progress_console()):
        console.print("adb:locked: [red]x[/red]")
        console.print(table)
    told = capsys.readouterr()
    for text in (told.out, told.err):
        assert "adb:locked: [red]x[/red]" in text and ":lock: [bold]" in text


FORGED = "MEL\x1b[2J\x1b[H\r\nverified: all hold\x9b31m\u202e\udcff"
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def test_words_of_a_file_cannot_steer_the_terminal_or_forge_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    for console in (standard_console(), progress_console()):
        table = make_table(FORGED, [(FORGED, "left"), ("answer", "prose")])
        table.add_row(FORGED, FORGED)
        print_table(console, table)
        print_table(console, table, wide=True)
        console.print(f"problem: {FORGED}", FORGED, sep="\n", soft_wrap=True)
    print_json({"name": FORGED})
    told = capsys.readouterr()
    for text in (told.out, told.err):
        assert not CONTROLS.search(text)
        assert not re.search(r"^\s*verified", text, re.MULTILINE)
        assert r"MEL\x1b[2J\x1b[H\r\nverified" in text
    assert json.loads(told.out[told.out.index("{") :]) == {"name": FORGED}


def test_words_of_a_file_are_cleaned_in_the_log() -> None:
    record = logging.makeLogRecord({"name": "x", "msg": "read %s", "args": (FORGED,)})
    line = OneLineFormatter("%(name)s: %(message)s").format(record)
    assert line.startswith(r"x: read MEL\x1b[2J") and not CONTROLS.search(line + "\n")
    assert "\n" not in line


def test_progress_shows_brackets_and_escapes_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with make_progress(progress_console()) as progress:
        progress.add_task("[/]photo\x1b[2J.jpg", total=2)
    told = capsys.readouterr().err
    assert r"[/]photo\x1b[2J.jpg" in told and "\x1b[2J" not in told
