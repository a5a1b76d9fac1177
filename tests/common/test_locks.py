"""The lock on output folders, held by real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hierattn.common.locks import FolderInUseError, locked_folder
from hierattn.data.records import DataFolder
from tests.benchmarks.helpers import results, row
from tests.common.holder import another_process
from tests.conftest import Answer

Cli = Callable[..., Answer]


def test_a_second_process_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    out, link = tmp_path / "deep" / "out", tmp_path / "link"
    link.symlink_to(out)
    with another_process(out) as process:
        for name in (out, link, tmp_path / "deep" / "." / "out"):
            with pytest.raises(FolderInUseError) as caught, locked_folder(name, "--o"):
                pass
            told = f"{name}: another process (pid {process.pid}) is writing there; wait until it "
            assert str(caught.value) == f"{told}has ended, or choose another --o"
        with locked_folder(tmp_path / "deep" / "other"):
            pass
        process.communicate("\n")
        assert process.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["link"]
    with locked_folder(out):
        out.mkdir()
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with another_process(out) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert (tmp_path / ".out.lock").is_file()
        with locked_folder(out):
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_command_may_call_another_on_its_folder(tmp_path: Path) -> None:
    with locked_folder(tmp_path / "out"):
        with locked_folder(tmp_path / "out"):
            pass
        assert (tmp_path / ".out.lock").is_file()


def test_an_error_within_lets_the_folder_go(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked_folder(tmp_path / "a" / "b" / "out"):
        raise KeyError("x")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_one_that_is_closed_is_locked_from_within(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a volume that a container mounts at its root. Tests may run as root, whom no
    mode stops, so that the refusal is made here."""
    out, really = tmp_path / "out", os.open
    out.mkdir()

    def closed(path: Path, flags: int, mode: int = 0o777) -> int:
        if Path(path).parent == tmp_path:
            raise PermissionError(13, "Permission denied", str(path))
        return really(path, flags, mode)

    monkeypatch.setattr("os.open", closed)
    with locked_folder(out):
        assert [path.name for path in out.iterdir()] == [".hierattn.lock"]
    assert list(out.iterdir()) == []


def test_three_processes_at_once_are_never_two_inside(tmp_path: Path) -> None:
    """Each enters as often as it can, and makes a folder that nobody else must have made."""
    program = (
        "import sys, pathlib\n"
        "from hierattn.common.locks import FolderInUseError, locked_folder\n"
        "out = pathlib.Path(sys.argv[1])\n"
        "times = 0\n"
        "while times < 30:\n"
        "    try:\n"
        "        with locked_folder(out):\n"
        "            out.mkdir()\n"
        "            out.rmdir()\n"
        "            times += 1\n"
        "    except FolderInUseError:\n"
        "        pass\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "above" / "out")]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(process.communicate(timeout=60)[1], process.returncode) for process in running] == [
        ("", 0)
    ] * 3
    assert list(tmp_path.glob("above/*")) == []


@pytest.mark.parametrize(
    "words",
    [
        "train --data DATA --model hierattn_xs --out OUT",
        "train --resume --out OUT",
        "train --data DATA --model hierattn_xs --out RUN2 --export OUT",
        "pretrain --data DATA --model hierattn_xs --teacher RUN --out OUT",
        "pool RUN --out OUT",
        "evaluate RUN --data DATA --out OUT",
        "export RUN --out OUT",
        "export hierattn_xs --untrained --out OUT",
        "benchmark EXPORT --out OUT",
        "report RESULTS --out OUT",
        "data prepare DATA --out OUT",
        "data balance DATA --target 5 --out OUT",
        "data synth --out OUT",
        "demo --out OUT",
        "predict RUN DATA --saliency OUT",
    ],
)
def test_every_command_refuses_a_folder_that_another_process_writes(
    cli: Cli, painted: DataFolder, tmp_path: Path, words: str
) -> None:
    out, earlier = tmp_path / "out", tmp_path / "results.json"
    earlier.write_text(results(row()).model_dump_json(by_alias=True))
    named = {
        "DATA": painted.root,
        "RUN": "hierattn_xs.pad_ufes_20",
        "OUT": out,
        "RUN2": tmp_path / "run",
        "RESULTS": earlier,
    }
    with another_process(out) as process:
        answer = cli(*(named.get(word, word) for word in words.split()))
    option = words.split()[-2] if words.split()[-1] == "OUT" else "--out"
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.splitlines()[-1] == (
        f"error: {out}: another process (pid {process.pid}) is writing there; wait until it has "
        f"ended, or choose another {option}"
    )
    assert {path.name for path in tmp_path.iterdir()} <= {".out.lock", "results.json"}
