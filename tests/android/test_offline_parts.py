"""The offline build's parts that need no tools."""

import json
import re
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest

from android_demo.offline import __main__ as command
from android_demo.offline import assets, build
from android_demo.offline.apk import LIBRARY_ALIGNMENT, Entry, content_offset, write_apk
from android_demo.offline.checks import CheckedApk, _segment_alignment, check_runtime
from android_demo.offline.errors import UNAVAILABLE_EXIT, BuildError, PackageUnavailableError
from android_demo.offline.packages import fetch, toolbox
from android_demo.offline.packages.pins import (
    DEBIAN_PACKAGES,
    ONNX_RUNTIME,
    ONNX_RUNTIME_LINUX,
    ONNX_RUNTIME_VERSION,
)
from android_demo.offline.packages.toolbox import Toolbox
from android_demo.offline.project import APP, java_sources, read_versions
from export.targets.arm64.packages import REQUIREMENTS
from hierattn.common import debian
from hierattn.common.debian import Mirror, PrivateApt
from hierattn.common.files import file_sha256
from tests.android.offline_helpers import bundle_by_hand
from tests.common.stand_in_apt import put_apt
from tests.conftest import REPOSITORY


class TestPins:
    def test_every_package_has_its_hash_once(self) -> None:
        hashes = [package.sha256 for package in DEBIAN_PACKAGES]
        hashes += [ONNX_RUNTIME.sha256, ONNX_RUNTIME.member_sha256]
        assert all(re.fullmatch("[0-9a-f]{64}", value) for value in hashes)
        assert len(set(hashes)) == len(hashes)
        names = [package.name for package in DEBIAN_PACKAGES]
        assert len(set(names)) == len(names)

    def test_lab_app_and_arm64_parity_take_one_runtime(self) -> None:
        of_lab = re.search(
            r"(?m)^onnxruntime==(\S+)$", (REPOSITORY / "constraints.txt").read_text()
        )
        on_arm64 = re.search(r"(?m)^onnxruntime==(\S+) ", REQUIREMENTS.read_text())
        assert of_lab is not None and on_arm64 is not None
        gradle = r"com\.microsoft\.onnxruntime:onnxruntime-android:([^']+)'"
        versions = {
            "constraints.txt (the lab)": of_lab[1],
            f"{REQUIREMENTS.relative_to(REPOSITORY)} (ARM64 parity)": on_arm64[1],
            f"{fetch.PINS}, ONNX_RUNTIME (make apk)": ONNX_RUNTIME_VERSION,
            f"{fetch.PINS}, ONNX_RUNTIME_LINUX (make apk-desktop)": ONNX_RUNTIME_LINUX.version,
        }
        for name in ("android_demo/app/build.gradle", "docs/android.md"):
            (versions[name],) = re.findall(gradle, (REPOSITORY / name).read_text("utf-8"))
        assert len(set(versions.values())) == 1, (
            f"versions of ONNX Runtime differ; raise or lower them together: {versions}"
        )

    def test_gradle_reads_the_same_figures(self) -> None:
        versions = read_versions()
        assert (versions.min_sdk, versions.target_sdk) == (24, 36)
        gradle = (APP / "app/build.gradle").read_text()
        for name in ("minSdk", "targetSdk", "versionCode", "versionName"):
            assert f"gradleProperty('hierattn.{name}')" in gradle


class TestFetch:
    def test_other_bytes_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def download(apt: PrivateApt, *packages: str) -> list[Path]:
            file = apt.folder / f"{packages[0].partition('=')[0]}_10_amd64.deb"
            file.write_bytes(b"not what was pinned")
            return [file]

        monkeypatch.setattr(PrivateApt, "download", download)
        with pytest.raises(BuildError, match=r"aapt 1:10.*pinned is a4790dd0") as caught:
            fetch.fetch_tools(tmp_path, print)
        assert not isinstance(caught.value, PackageUnavailableError)
        assert not list(tmp_path.glob("*.deb")) and not list(tmp_path.glob("tools-*"))

    def test_a_changed_runtime_in_the_cache_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / ONNX_RUNTIME.file_name).write_bytes(b"changed")
        with pytest.raises(BuildError, match="delete it"):
            fetch.fetch_runtime(tmp_path, print)

    def test_no_npm(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(PackageUnavailableError, match=r"'npm'.*@0\.4\.9 \(install npm\)"):
            fetch.fetch_runtime(tmp_path, print)

    def test_no_apt(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(PackageUnavailableError, match="apt-get"):
            fetch.fetch_tools(tmp_path, print)

    def test_apt_names_the_package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put_apt(
            monkeypatch, tmp_path / "bin", "echo \"E: '7' for 'aapt' was not found\" >&2; exit 9"
        )
        monkeypatch.setattr(debian, "find_mirror", lambda: Mirror("http://x", None))
        with pytest.raises(PackageUnavailableError, match=r"'7' for 'aapt' was not.*pins\.py"):
            fetch.fetch_tools(tmp_path / "cache", print)


class TestSources:
    def test_a_checkout_without_the_app_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "core/src/main/java").mkdir(parents=True)
        (tmp_path / "core/src/main/java/A.java").touch()
        with pytest.raises(BuildError, match=r"app/src/main/java: no Java files"):
            java_sources("ort", tmp_path)

    def test_git_takes_every_source(self) -> None:
        """A rule for a folder of results once hid the package of that name."""
        sources = [file for flavour in ("ort", "litert") for file in java_sources(flavour)]
        ignored = subprocess.run(
            ["git", "check-ignore", "--no-index", "--stdin"],
            input="\n".join(str(file) for file in sources),
            capture_output=True,
            text=True,
            cwd=APP,
        )
        if ignored.returncode == 128:
            pytest.skip("not a checkout of git")
        assert ignored.stdout == ""


def test_shrinking_keeps_what_native_code_looks_up() -> None:
    rule = "-keep class ai.onnxruntime.** { *; }"
    assert rule in (APP / "app/proguard-rules.pro").read_text(encoding="utf-8").splitlines()
    assert rule in (APP.parent / "docs/android.md").read_text(encoding="utf-8").splitlines()
    assert "proguardFiles 'proguard-rules.pro'" in (APP / "app/build.gradle").read_text("utf-8")


class TestApk:
    ENTRIES = (
        Entry("AndroidManifest.xml", b"manifest" * 50),
        Entry("resources.arsc", b"table" * 7),
        Entry("assets/m.onnx", b"weights" * 11),
        Entry("lib/arm64-v8a/liba.so", b"\x7fELF" * 9),
        Entry("lib/arm64-v8a/libb.so", b"\x7fELF" * 8),
    )

    def test_same_entries_same_bytes(self, tmp_path: Path) -> None:
        for name in ("one.apk", "two.apk"):
            write_apk(list(self.ENTRIES), tmp_path / name)
        assert (tmp_path / "one.apk").read_bytes() == (tmp_path / "two.apk").read_bytes()

    def test_what_is_read_in_place_is_stored_and_aligned(self, tmp_path: Path) -> None:
        file = tmp_path / "a.apk"
        write_apk(list(self.ENTRIES), file)
        with zipfile.ZipFile(file) as apk:
            assert apk.testzip() is None
            for entry in self.ENTRIES:
                info = apk.getinfo(entry.name)
                start = content_offset(file, info)
                assert apk.read(info) == entry.content
                if entry.is_stored:
                    assert info.compress_type == zipfile.ZIP_STORED
                    assert file.read_bytes()[start : start + 4] == entry.content[:4]
                    assert start % entry.alignment == 0
        assert self.ENTRIES[3].alignment == LIBRARY_ALIGNMENT == 16384

    def test_elf_alignment(self) -> None:
        header = bytearray(64 + 2 * 56)
        header[:6] = b"\x7fELF\x02\x01"
        struct.pack_into("<Q", header, 32, 64)
        struct.pack_into("<HH", header, 54, 56, 2)
        for place, alignment in ((64, 65536), (120, 4096)):
            struct.pack_into("<I", header, place, 1)
            struct.pack_into("<Q", header, place + 48, alignment)
        assert _segment_alignment(bytes(header)) == 4096

    def test_onnx_runtime_is_the_pinned_version(self, tmp_path: Path) -> None:
        def check(library: bytes, *abis: str) -> str:
            entries = [Entry("lib/arm64-v8a/libonnxruntime.so", library)]
            write_apk(entries, tmp_path / "a.apk")
            subject = CheckedApk(tmp_path / "a.apk", tmp_path, abis, read_versions(), tmp_path)
            return check_runtime(Toolbox(tmp_path), subject)

        pinned = f"\0VERS_{ONNX_RUNTIME_VERSION}\0".encode()
        told = check(pinned + b"git-commit-id=0a1b2c3, build", "arm64-v8a")
        assert told.endswith(f"{ONNX_RUNTIME_VERSION}, of its source's commit 0a1b2c3")
        with pytest.raises(BuildError, match=r"libonnxruntime\.so is not ONNX Runtime"):
            check(b"\0VERS_1.2.3\0", "arm64-v8a")
        with pytest.raises(BuildError, match="not there for every processor"):
            check(pinned, "arm64-v8a", "x86_64")


class TestBundle:
    def test_none(self, tmp_path: Path) -> None:
        with pytest.raises(BuildError, match="hierattn bundle EXPORT"):
            assets.check_bundled(tmp_path)

    def test_tflite_is_for_the_other_flavour(self, tmp_path: Path) -> None:
        bundle_by_hand(tmp_path)
        record = tmp_path / "hierattn/bundle.json"
        record.write_text(json.dumps({"format": "tflite"}))
        with pytest.raises(BuildError, match="litert flavour with Gradle"):
            assets.check_bundled(tmp_path)

    def test_the_shipped_network_is_exported_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = _record_commands(monkeypatch)
        export = tmp_path / "build/export"
        for _ in range(2):
            assets.bundle_shipped(export, print, tmp_path)
        assert asked == ["export", "bundle", "bundle"]
        monkeypatch.setattr(assets, "_source", lambda: {"other": "weights"})
        assets.bundle_shipped(export, print, tmp_path)
        assert asked[3:] == ["export", "bundle"]
        assert [file.name for file in export.iterdir()] == ["manifest.json"]
        assert sorted(file.name for file in export.parent.iterdir()) == [
            "export",
            "export.apk-source.json",
        ]

    def test_a_folder_that_is_not_ours_is_not_touched(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = _record_commands(monkeypatch)
        export = tmp_path / "export"
        export.mkdir()
        (export / "thesis.txt").write_text("years of work")
        (tmp_path / "export.apk-source.json").write_text("{}")
        with pytest.raises(BuildError, match=r"export: holds something else than .*--export$"):
            assets.bundle_shipped(export, print, tmp_path)
        assert (export / "thesis.txt").read_text() == "years of work"
        (export / "thesis.txt").unlink()
        assets.bundle_shipped(export, print, tmp_path)
        # Another export in the place of ours, whose stamp is still there.
        (export / "manifest.json").write_text("another")
        with pytest.raises(BuildError, match="holds something else"):
            assets.bundle_shipped(export, print, tmp_path)
        assert (export / "manifest.json").read_text() == "another"
        assert asked == ["export", "bundle"]

    def test_a_bundle_of_other_weights_is_not_replaced(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = _record_commands(monkeypatch)
        record = tmp_path / "app/src/main/assets/hierattn/bundle.json"
        record.parent.mkdir(parents=True)
        record.write_text(json.dumps({"weights_sha256": "0" * 64}))
        with pytest.raises(BuildError, match=r"python -m android_demo\.offline --bundled"):
            assets.bundle_shipped(tmp_path / "export", print, tmp_path)
        assert asked == []
        weights = APP.parent / "hierattn/checkpoints" / assets.SHIPPED / "model.safetensors"
        record.write_text(json.dumps({"weights_sha256": file_sha256(weights)}))
        assets.bundle_shipped(tmp_path / "export", print, tmp_path)
        assert asked == ["export", "bundle"]


def _record_commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []

    def run(*words: object) -> None:
        asked.append(str(words[0]))
        if words[0] == "export":
            out = Path(str(words[-1]))
            out.mkdir(parents=True, exist_ok=True)
            (out / "manifest.json").write_text("{}")

    monkeypatch.setattr(assets, "_hierattn", run)
    return asked


class TestCommand:
    def test_what_cannot_be_had_is_said_in_one_line_and_ends_with_3(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        def absent(*given: object) -> None:
            raise PackageUnavailableError("cannot have npm package x (check the network)")

        monkeypatch.setattr(command, "build", absent)
        assert (
            command.main(["--bundled", "--out", str(tmp_path / "a.apk")]) == UNAVAILABLE_EXIT == 3
        )
        assert capsys.readouterr().err == (
            "NO APK: cannot have npm package x (check the network); "
            "else build with Gradle, see android_demo/README.md\n"
        )

    def test_a_failure_ends_with_1(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        def fails(*given: object) -> None:
            raise BuildError("javac failed")

        monkeypatch.setattr(command, "build", fails)
        assert command.main(["--bundled", "--out", str(tmp_path / "a.apk")]) == 1
        assert capsys.readouterr().err == "error: javac failed\n"

    def test_no_java(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        given = bundle_by_hand(tmp_path / "assets")
        with pytest.raises(PackageUnavailableError, match=r"no 'java' here \(install a JDK"):
            build.build(tmp_path / "a.apk", ("arm64-v8a",), tmp_path, print, given)

    def test_a_missing_library_of_the_machine_is_named(self, tmp_path: Path) -> None:
        program = tmp_path / "aapt2"
        program.write_text(
            "#!/bin/sh\necho 'aapt2: error while loading shared libraries: libpng16.so.16' >&2\n"
            "exit 127\n"
        )
        program.chmod(0o755)
        with pytest.raises(PackageUnavailableError, match=r"libpng16\.so\.16.*install the Debian"):
            toolbox.run([program])

    def test_help_needs_no_torch(self) -> None:
        import sys

        code = (
            "import sys, android_demo.offline.__main__; "
            "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
        )
        assert subprocess.run([sys.executable, "-c", code], cwd=APP.parent).returncode == 0
