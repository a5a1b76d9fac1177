"""What is said where packages are missing; nothing is fetched here."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from export.targets.arm64 import packages
from export.targets.arm64.packages import PackagesUnavailableError, ensure_machine
from tests.common.stand_in_apt import put_apt
from tests.export.bundle_helpers import write_whole_export


@pytest.fixture(autouse=True)
def amd64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


def test_no_debian_no_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackagesUnavailableError, match=r"no 'apt-get' here; .* are needed$"):
        ensure_machine(tmp_path / "home")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(platform.machine() != packages.HOST, reason="the emulator needs amd64")
def test_a_package_that_is_not_to_be_had_is_a_loud_line_and_exit_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """case "$*" in
        *indextargets*) echo "m://x|trixie|main|$0:1";;
        *) echo "E: gone" >&2; exit 100;;
    esac"""
    put_apt(monkeypatch, tmp_path / "bin", script)
    export = write_whole_export(tmp_path / "export")
    words = ["-m", "export.targets.arm64", str(export), "--cache", str(tmp_path / "c")]
    done = subprocess.run(
        [sys.executable, *words],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(sys.path)},
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


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("ai_edge_litert-2.3.0-cp313-cp313-manylinux_2_27_aarch64.whl", "ai_edge_litert 2.3.0"),
        ("qemu-user_1%3a10.0.2+ds-2_amd64.deb", "qemu-user 1:10.0.2+ds-2"),
    ],
)
def test_a_package_is_named_as_its_file_says(file: str, said: str) -> None:
    assert packages._name_and_version(Path(file)) == said
