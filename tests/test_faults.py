"""``docs/faults.md`` names tests that are there."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
FILE = re.compile(r"(\w+/)*test_\w+")


def test_every_row_names_tests_that_are_there() -> None:
    text = (REPOSITORY / "docs" / "faults.md").read_text(encoding="utf-8")
    cells = [line.split("|")[2] for line in text.splitlines() if re.match(r"\| (\*\*)?\d", line)]
    assert len(cells) >= 60
    for cell in cells:
        names = re.findall(r"`([^`]+)`", cell)
        assert FILE.fullmatch(names[0]), cell
        for name in names:
            if FILE.fullmatch(name):
                tests = (REPOSITORY / "tests" / f"{name}.py").read_text(encoding="utf-8")
            else:
                assert f"def test_{name}(" in tests, f"{name} is not in {cell}"
