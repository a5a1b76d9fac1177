from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from export.errors import ExportError
from export.runtime import environments
from export.runtime.environments import (
    Command,
    ensure_environment,
    ensure_folder,
    ensure_node_packages,
    python_in,
)


def test_a_home_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written"):
        ensure_environment(tmp_path / "file" / "home", ())


def test_a_whole_environment_is_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments.subprocess, "run", None)
    (tmp_path / "complete.txt").write_text("a==1\nb==2\n")
    assert ensure_environment(tmp_path, ("a==1", "b==2")) == python_in(tmp_path)


def touched(name: str, building: Path) -> list[Command]:
    return [["touch", building / name]]


def test_other_requirements_make_it_anew(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for version in ("a==1", "a==2", "a==2"):
        ensure_folder(home, (version,), partial(touched, version), ("touch",), 9)
    assert sorted(path.name for path in home.iterdir()) == ["a==2", "complete.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (
            ["sh", "-c", "echo ERROR: no luck >&2; echo so >&2; exit 3"],
            "home's environment: step failed: ERROR: no luck",
        ),
        (["sh", "-c", "exit 3"], "step failed: exit code 3"),
        (["sleep", "9"], "step took over 0.1 s"),
    ],
)
def test_what_fails_is_one_line_and_leaves_nothing(
    tmp_path: Path, command: list[str | Path], complaint: str
) -> None:
    limit = 0.1 if command[0] == "sleep" else 9
    with pytest.raises(ExportError, match=complaint):
        ensure_folder(tmp_path / "home", (), lambda _: [command], ("step",), limit)
    assert list(tmp_path.iterdir()) == []


def test_without_node_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExportError, match="no 'node' in PATH; install Node"):
        ensure_node_packages(tmp_path / "home", ())
