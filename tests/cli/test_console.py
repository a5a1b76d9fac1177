import pytest

from hierattn.cli.console import progress_console, standard_console
from hierattn.cli.tables import make_table


def test_names_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    table = make_table("", [("name", "left")])
    table.add_row(":lock: [bold]")
    for console in (standard_console(), progress_console()):
        console.print("adb:locked: [red]x[/red]")
        console.print(table)
    told = capsys.readouterr()
    for text in (told.out, told.err):
        assert "adb:locked: [red]x[/red]" in text and ":lock: [bold]" in text
