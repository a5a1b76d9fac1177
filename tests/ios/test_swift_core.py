"""The iOS package as far as Python can judge it; the Swift tests run in ``make test-ios``."""

from __future__ import annotations

import plistlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from android_demo.offline.errors import BuildError
from export.targets.apps.places import find_place
from hierattn.common import debian
from hierattn.common.debian import DebianUnavailableError, Mirror, PrivateApt
from hierattn.common.files import file_sha256
from ios_demo.linux import toolchain
from ios_demo.linux.toolchain import SwiftToolchain, ToolchainUnavailableError, ensure_toolchain
from tests.android.fake_bundle import write_fake_bundle
from tests.common.stand_in_apt import put_apt
from tests.ios import swift_core
from tests.ios.swift_core import DEMO, CoreRun, main, read_property_lists, swift_files

OUTPUT = """\
preprocessing: 6 real photos, 203 generated pictures, 300 tensors, 9 bytes compared, 0 differ
Test Suite 'All tests' passed
\t Executed 61 tests, with 1 test skipped and 0 failures (0 unexpected) in 3.2 (3.2) seconds
"""


def test_counts_and_facts_are_read_from_what_the_tests_say() -> None:
    run = CoreRun(0, OUTPUT)
    assert run.counts == (61, 1, 0)
    assert [line.split(",")[0] for line in run.facts()] == ["preprocessing: 6 real photos"]
    assert CoreRun(1, "Executed 2 tests, with 1 failure (0 unexpected)").counts == (2, 0, 1)
    assert CoreRun(0, "no test was reached").counts == (0, 0, 0)


def test_without_swift_it_is_said_loudly_and_ends_with_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_network(*_: object) -> list[Path]:
        raise DebianUnavailableError("cannot fetch the lists of Debian")

    monkeypatch.setattr(PrivateApt, "download_with_dependencies", no_network)
    assert main(["--cache", str(tmp_path / "swift")]) == swift_core.UNAVAILABLE
    said = capsys.readouterr().err
    assert said.startswith("NOT RUN: THE IOS CORE WAS NOT TESTED: ") and said.count("\n") == 1
    assert "cannot fetch the lists of Debian" in said
    assert not (tmp_path / "swift").exists()


def test_a_fetch_without_end_counts_as_not_to_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_apt(monkeypatch, tmp_path / "bin", "exec sleep 600")
    monkeypatch.setattr(debian, "find_mirror", lambda: Mirror("http://x", None))
    asked = ["--cache", str(tmp_path / "swift"), "--fetch-seconds", "0.2"]
    assert main(asked) == swift_core.UNAVAILABLE
    assert "in the time allowed" in capsys.readouterr().err


def test_every_package_is_pinned_once() -> None:
    pins = toolchain.read_packages()
    names = [one.name for one in pins]
    assert names == sorted(set(names))
    assert {*toolchain.COMPILER, *toolchain.HEADERS} <= set(names)
    assert all(re.fullmatch("[0-9a-f]{64}", one.sha256) for one in pins)


def debs_by_hand(folder: Path, versions: dict[str, str]) -> list[Path]:
    """Small packages, each with one file named as itself."""
    debs = []
    for name, version in versions.items():
        root = folder / name
        (root / "usr/share").mkdir(parents=True)
        (root / "usr/share" / name).touch()
        (root / "DEBIAN").mkdir()
        told = f"Package: {name}\nVersion: {version}\nArchitecture: amd64\n"
        told += "Maintainer: nobody <a@b.c>\nDescription: none\n"
        (root / "DEBIAN/control").write_text(told)
        debs.append(folder / f"{name}_{version.replace(':', '%3a')}_amd64.deb")
        subprocess.run(["dpkg-deb", "--build", root, debs[-1]], check=True, capture_output=True)
    return debs


@pytest.fixture
def packages_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A compiler and a library, fetched and pinned; a test may change both."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("no dpkg-deb here")
    debs = debs_by_hand(
        tmp_path, {"libc6": "1:2.41-1", "libswiftlang": "6.0-1", "swiftlang": "6.0-1"}
    )
    pins = tmp_path / "pins.txt"
    parts = (deb.stem.replace("%3a", ":").split("_") for deb in debs)
    lines = [f"{p[0]} {p[1]} {file_sha256(d)}\n" for p, d in zip(parts, debs, strict=True)]
    pins.write_text("".join(lines))
    monkeypatch.setattr(toolchain, "PINS", pins)
    monkeypatch.setattr(PrivateApt, "download_with_dependencies", lambda *_: debs)
    works = subprocess.CompletedProcess([], 0, "Swift version 6.0\n")
    monkeypatch.setattr(SwiftToolchain, "run", lambda *_, **__: works)
    return debs


def test_pinned_packages_become_a_root_and_the_next_pins(
    packages_by_hand: list[Path], tmp_path: Path
) -> None:
    made = ensure_toolchain(tmp_path / "swift", print)
    assert made.unpinned == ()
    assert sorted(path.name for path in (made.root / "usr/share").iterdir()) == [
        *("libc6", "libswiftlang", "swiftlang")
    ]
    assert (tmp_path / "swift/packages.txt").read_text() == toolchain.PINS.read_text()


def test_a_newer_library_is_taken_and_told(packages_by_hand: list[Path], tmp_path: Path) -> None:
    toolchain.PINS.write_text(toolchain.PINS.read_text().replace("1:2.41-1 ", "1:2.40-9 "))
    made = ensure_toolchain(tmp_path / "swift", print)
    (newer,) = made.unpinned
    assert (newer.name, newer.version) == ("libc6", "1:2.41-1")
    assert newer.sha256 == file_sha256(packages_by_hand[0])


@pytest.mark.parametrize("name", ["libc6", "swiftlang"])
def test_other_bytes_than_the_pinned_are_refused(
    name: str,
    packages_by_hand: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (deb,) = [path for path in packages_by_hand if path.name.startswith(f"{name}_")]
    deb.write_bytes(b"another package")
    assert main(["--cache", str(tmp_path / "swift")]) == 1
    said = capsys.readouterr().err
    assert re.match(rf"error: Debian package {name} .*ios_demo/linux/packages\.txt\)\n\Z", said)
    assert not (tmp_path / "swift").exists()


def test_another_compiler_is_refused(packages_by_hand: list[Path], tmp_path: Path) -> None:
    older = toolchain.PINS.read_text().replace("swiftlang 6.0-1 ", "swiftlang 5.9-1 ")
    toolchain.PINS.write_text(re.sub("[0-9a-f]{64}", "0" * 64, older))
    packages_by_hand.pop(0)
    with pytest.raises(BuildError, match=r"swiftlang 6\.0-1: sha256 is .* pinned is 0000"):
        ensure_toolchain(tmp_path / "swift", print)


def test_a_machine_without_namespaces_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "swift"
    home.mkdir()
    (home / "packages.txt").write_text(f"swiftlang 6.0.3-2 {'0' * 64}\n")

    def refused(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        said = "unshare: unshare failed: Operation not permitted\n"
        return subprocess.CompletedProcess([], 1, said)

    monkeypatch.setattr(SwiftToolchain, "run", refused)
    # As of a Debian user who is not root: chroot lies in /usr/sbin.
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(ToolchainUnavailableError, match=r"does not run here: unshare: .*permitted"):
        ensure_toolchain(home, print)


def test_the_privacy_manifest_promises_that_nothing_is_collected() -> None:
    (path,) = read_property_lists()
    assert path.name == "PrivacyInfo.xcprivacy"
    promised = plistlib.loads(path.read_bytes())
    assert promised == {
        "NSPrivacyTracking": False,
        "NSPrivacyTrackingDomains": [],
        "NSPrivacyCollectedDataTypes": [],
        "NSPrivacyAccessedAPITypes": [],
    }


def test_the_demo_has_a_place_for_its_bundle() -> None:
    place = find_place(DEMO)
    assert place.target == DEMO / "HierAttnDemo.swiftpm" / "Resources" / "HierAttn.bundle"
    package = (place.main / "Package.swift").read_text(encoding="utf-8")
    assert '.copy("Resources/HierAttn.bundle")' in package


def test_swift_files_keep_to_the_size_of_one_idea() -> None:
    assert len(swift_files()) > 30
    for path in swift_files():
        lines = (DEMO / path).read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 300, path
        assert max(map(len, lines)) <= 100, path


def test_what_the_swift_tests_wrote_must_be_a_benchmark(tmp_path: Path) -> None:
    assert "benchmark_done.json: " in swift_core.read_benchmarks(tmp_path)
    (tmp_path / "benchmark_done.json").write_text('{"schema": 1}')
    assert "cannot be read: field" in swift_core.read_benchmarks(tmp_path)


def test_every_stand_in_is_used_and_says_what_it_is() -> None:
    files = sorted((DEMO / "linux/stand_ins").glob("*.swift"))
    assert sorted(swift_core.STAND_INS) == [path.stem for path in files]
    assert all("nothing here runs" in path.read_text(encoding="utf-8") for path in files)


def test_the_fake_bundle_of_a_package_is_one_that_python_reads(tmp_path: Path) -> None:
    record = write_fake_bundle(tmp_path / "bundle", "coreml")
    assert record.format == "coreml" and record.artefact == "fake.mlpackage"
    assert "fake.mlpackage/Manifest.json" in record.files
