"""The offline build with its real tools, from the cache; skipped where they were never fetched."""

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from android_demo.offline import build, checks, project, resources, signing
from android_demo.offline.apk import Entry, write_apk
from android_demo.offline.errors import BuildError
from android_demo.offline.packages import fetch
from android_demo.offline.packages.toolbox import Toolbox
from android_demo.offline.project import read_versions
from tests.android.offline_helpers import bundle_by_hand, cached_runtime, cached_tools

ABIS = ("arm64-v8a",)
pytestmark = pytest.mark.slow


def silent(line: str) -> None:
    pass


@pytest.fixture(scope="module")
def tools() -> Toolbox:
    return cached_tools()


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_by_hand(tmp_path_factory.mktemp("assets"))


@pytest.fixture(scope="module")
def unsigned(
    tools: Toolbox, assets: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Two builds of the same sources, in folders of different names."""
    runtime = cached_runtime()
    works = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("another") / "deeper"
    works[1].mkdir()
    first, second = (
        build.build_unsigned(tools, runtime, assets, ABIS, work, build.StepTimes(), silent)
        for work in works
    )
    return first, second


def signed(tools: Toolbox, apk: Path, folder: Path) -> Path:
    target = folder / "signed.apk"
    signing.sign(tools, read_versions(), apk, target, signing.debug_key(fetch.cache_folder()))
    return target


def rewritten(apk: Path, target: Path, changed: dict[str, bytes], plain: str = "") -> Path:
    """The APK with other contents, or with one file compressed that should not be."""
    with zipfile.ZipFile(apk) as old:
        entries = [Entry(n, changed.get(n, old.read(n))) for n in old.namelist()]
    entries += [Entry(n, content) for n, content in changed.items() if n not in old.namelist()]
    if not plain:
        write_apk(entries, target)
        return target
    with zipfile.ZipFile(target, "w") as new:
        for entry in entries:
            kind = zipfile.ZIP_DEFLATED if entry.name == plain else zipfile.ZIP_STORED
            new.writestr(entry.name, entry.content, kind)
    return target


def _assets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "assets"]


def subject(apk: Path, assets: Path, work: Path) -> checks.CheckedApk:
    return checks.CheckedApk(apk, assets, ABIS, read_versions(), work)


@pytest.mark.slow
@pytest.mark.long
def test_two_builds_are_the_same_bytes_before_signing(unsigned: tuple[Path, Path]) -> None:
    first, second = unsigned
    assert first.read_bytes() == second.read_bytes()


def test_a_signed_build_passes_every_check(
    tools: Toolbox, unsigned: tuple[Path, Path], assets: Path, tmp_path: Path
) -> None:
    apk = signed(tools, unsigned[0], tmp_path)
    findings = checks.check_apk(tools, subject(apk, assets, tmp_path))
    assert len(findings) == 10
    assert "permissions: none" in findings


def test_checks_find_what_is_wrong(
    tools: Toolbox, unsigned: tuple[Path, Path], assets: Path, tmp_path: Path
) -> None:
    apk = unsigned[0]
    fine = subject(apk, assets, tmp_path)
    with pytest.raises(BuildError, match="DOES NOT VERIFY"):
        checks.check_signature(tools, fine)
    older = replace(fine, versions=replace(fine.versions, min_sdk=21))
    with pytest.raises(BuildError, match="sdkVersion:'21'"):
        checks.check_badging(tools, older)
    with pytest.raises(BuildError, match="armeabi"):
        checks.check_libraries(tools, replace(fine, abis=("arm64-v8a", "armeabi-v7a")))
    model = "assets/hierattn/made-up.onnx"
    squeezed = replace(fine, apk=rewritten(apk, tmp_path / "squeezed.apk", {}, plain=model))
    with pytest.raises(BuildError, match=r"made-up\.onnx is compressed"):
        checks.check_stored(tools, squeezed)
    with pytest.raises(BuildError, match="is not aligned to 16384"):
        checks.check_libraries(tools, squeezed)
    tampered = rewritten(apk, tmp_path / "tampered.apk", {model: b"another model"})
    with pytest.raises(BuildError, match="assets are not those"):
        checks.check_bundle(tools, replace(fine, apk=tampered))
    # An APK was once built of a checkout without the app's own classes, and passed.
    manifest = (project.APP / "app/src/main/AndroidManifest.xml").read_text()
    renamed = tmp_path / "renamed"
    shutil.copytree(project.APP / "app/src/main", renamed / "app/src/main", ignore=_assets)
    (renamed / "app/src/main/AndroidManifest.xml").write_text(
        manifest.replace(".AboutActivity", ".NowhereActivity")
    )
    linked = resources.link_resources(tools, read_versions(), tmp_path / "linked", renamed)
    with zipfile.ZipFile(linked) as archive:
        named = {"AndroidManifest.xml": archive.read("AndroidManifest.xml")}
    lacking = rewritten(apk, tmp_path / "lacking.apk", named)
    with pytest.raises(BuildError, match=r"demo\.NowhereActivity, which is not in the dex"):
        checks.check_components(tools, replace(fine, apk=lacking))
    two = rewritten(apk, tmp_path / "two.apk", {"classes2.dex": b"dex"})
    with pytest.raises(BuildError, match="classes2"):
        checks.check_dex(tools, replace(fine, apk=two))


def test_an_interrupted_build_leaves_the_old_apk_and_nothing_else(
    tools: Toolbox,
    unsigned: tuple[Path, Path],
    assets: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def again(*given: object) -> Path:
        return Path(shutil.copy(unsigned[0], tmp_path / "out/.copy"))

    def killed(*given: object) -> list[str]:
        raise KeyboardInterrupt

    target = tmp_path / "out/demo.apk"
    target.parent.mkdir()
    target.write_bytes(b"the old one")
    monkeypatch.setattr(build, "build_unsigned", again)
    monkeypatch.setattr(checks, "check_apk", killed)
    with pytest.raises(KeyboardInterrupt):
        build.build(target, ABIS, fetch.cache_folder(), silent, assets)
    (tmp_path / "out/.copy").unlink()
    assert [file.name for file in target.parent.iterdir()] == ["demo.apk"]
    assert target.read_bytes() == b"the old one"
