"""The iOS package as far as Python can judge it; the Swift tests run in ``make test-ios``."""

from __future__ import annotations

import plistlib
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from android_demo.offline.errors import PackageUnavailableError
from android_demo.offline.packages import apt_source
from export.targets.apps.places import find_place
from ios_demo.linux import toolchain
from ios_demo.linux.toolchain import SwiftToolchain, ToolchainUnavailableError, ensure_toolchain
from tests.android.fake_bundle import write_fake_bundle
from tests.conftest import REPOSITORY
from tests.ios import swift_core
from tests.ios.swift_core import DEMO, CoreRun, main, read_property_lists, swift_files

SAME_WORDS = (
    *("disclaimer", "subtitle", "self_test_running", "looks_most_like_why", "scores", "not_sure"),
    *("scores_not_calibrated", "melanoma_marked", "melanoma_not_marked", "melanoma_unknown"),
    "about_health_text",
)
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
        raise PackageUnavailableError("cannot have the lists of Debian")

    monkeypatch.setattr(apt_source, "download_with_dependencies", no_network)
    assert main(["--cache", str(tmp_path / "swift")]) == swift_core.UNAVAILABLE
    said = capsys.readouterr().err
    assert said.startswith("NOT RUN: THE IOS CORE WAS NOT TESTED: ") and said.count("\n") == 1
    assert "cannot have the lists of Debian" in said
    assert not (tmp_path / "swift").exists()


def test_other_bytes_of_the_compiler_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_bytes(names: list[str], suite: str, folder: Path) -> list[Path]:
        assert "swiftlang=6.0.3-2" in names and suite == "trixie"
        files = [folder / f"{one.name}_6.0.3-2_amd64.deb" for one in toolchain.PINNED]
        for path in files:
            path.write_bytes(b"another compiler")
        return files

    monkeypatch.setattr(apt_source, "download_with_dependencies", other_bytes)
    with pytest.raises(ToolchainUnavailableError, match=r"swiftlang 6\.0\.3-2: not the pinned"):
        ensure_toolchain(tmp_path / "swift", print)
    assert not (tmp_path / "swift").exists()


def test_a_machine_without_namespaces_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "swift"
    home.mkdir()
    (home / "packages.txt").write_text("swiftlang 6.0.3-2\n")

    def refused(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        said = "unshare: unshare failed: Operation not permitted\n"
        return subprocess.CompletedProcess([], 1, said)

    monkeypatch.setattr(SwiftToolchain, "run", refused)
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


def test_both_apps_say_the_same_words() -> None:
    strings = REPOSITORY / "android_demo/app/src/main/res/values/strings.xml"
    told = {
        str(one.text).replace("\\'", "'")
        for one in ElementTree.parse(strings).iter("string")
        if one.get("name") in SAME_WORDS
    }
    assert len(told) == len(SAME_WORDS)
    source = (DEMO / "HierAttnDemo.swiftpm/Sources/Words.swift").read_text(encoding="utf-8")
    joined = re.sub(r'"\s*\+ "', "", source)
    assert [words for words in told if f'"{words}"' not in joined] == []


def test_swift_files_keep_to_the_size_of_one_idea() -> None:
    assert len(swift_files()) > 30
    for path in swift_files():
        lines = (DEMO / path).read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 300, path
        assert max(map(len, lines)) <= 100, path


def test_the_fake_bundle_of_a_package_is_one_that_python_reads(tmp_path: Path) -> None:
    record = write_fake_bundle(tmp_path / "bundle", "coreml")
    assert record.format == "coreml" and record.artefact == "fake.mlpackage"
    assert "fake.mlpackage/Manifest.json" in record.files
