"""What is said where packages are missing; nothing is fetched here."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from export.targets.arm64 import packages
from export.targets.arm64.packages import PackagesUnavailableError, ensure_machine, find_mirror
from tests.export.bundle_helpers import write_whole_export


@pytest.fixture(autouse=True)
def amd64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


def stand_in_apt(folder: Path, script: str) -> Path:
    """Not apt: a shell script of that name."""
    folder.mkdir()
    for name in ("apt-get", "dpkg-deb"):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    return folder


def test_the_mirror_is_this_machines_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "other://tools|nodistro|main\nmirror://here/debian|bookworm|main"
    bin_ = stand_in_apt(tmp_path / "bin", f"echo '{lines}'")
    monkeypatch.setenv("PATH", f"{bin_}:/usr/bin:/bin")
    assert find_mirror() == "mirror://here/debian"
    stand_in_apt(tmp_path / "none", "true")
    monkeypatch.setenv("PATH", f"{tmp_path / 'none'}:/usr/bin:/bin")
    with pytest.raises(PackagesUnavailableError, match="no Debian archive"):
        find_mirror()


def test_no_debian_no_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackagesUnavailableError, match=r"not here: this step needs Debian$"):
        ensure_machine(tmp_path / "home")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(platform.machine() != packages.HOST, reason="the emulator needs amd64")
def test_a_package_that_is_not_to_be_had_is_a_loud_line_and_exit_3(tmp_path: Path) -> None:
    script = """case "$*" in
        indextargets*) echo "m://x|trixie|main";;
        *) echo "E: gone" >&2; exit 100;;
    esac"""
    bin_ = stand_in_apt(tmp_path / "bin", script)
    export = write_whole_export(tmp_path / "export")
    command = [
        sys.executable,
        "-m",
        "export.targets.arm64",
        str(export),
        "--cache",
        str(tmp_path / "c"),
    ]
    done = subprocess.run(
        command,
        env={"PATH": f"{bin_}:/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "NOT RUN: ARM64 parity was not checked" in done.stderr and "E: gone" in done.stderr
    assert not (tmp_path / "c").exists() or not list((tmp_path / "c").iterdir())
    assert not (export / "arm64_parity.json").exists()


def test_a_machine_that_is_whole_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "packages.txt").write_text("libc6 2.41\nnumpy 2\n")
    machine = ensure_machine(tmp_path / "home")
    assert machine.packages == ("libc6 2.41", "numpy 2")
    assert machine.command("max", "worker.py")[:3] == [
        str(tmp_path / "home" / "qemu-aarch64"),
        "-cpu",
        "max",
    ]


def test_a_machine_that_is_not_amd64_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    with pytest.raises(PackagesUnavailableError, match=r"this machine is arm64: .* needs amd64"):
        ensure_machine(tmp_path / "home")
    assert list(tmp_path.iterdir()) == []


def test_the_cache_is_another_for_other_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    before = packages.default_home()
    monkeypatch.setattr(packages, "SUITE", "forky")
    assert packages.default_home() != before
