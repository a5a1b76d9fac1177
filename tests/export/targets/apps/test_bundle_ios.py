import hashlib
import json
import shutil
from pathlib import Path

import pytest

from export.checks.integrity import path_sha256
from export.errors import ExportError, ManifestError
from export.formats.abilities import Platform
from export.schema.bundle import read_bundle
from export.schema.manifest import Gate
from export.targets.apps.bundle import bundle
from export.targets.apps.choice import BundleRequest
from tests.export.bundle_helpers import (
    COREML,
    FP32,
    relist,
    tree,
    write_app,
    write_ios_app,
    write_whole_export,
)

pytest.importorskip("coremltools")

PASSED, FAILED = Gate(status="passed"), Gate(status="failed", reasons=["loses melanomas"])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export with a Core ML package and an ONNX file, made once."""
    gates = {COREML: PASSED, FP32: PASSED}
    return write_whole_export(tmp_path_factory.mktemp("ios") / "export", gates=gates)


@pytest.fixture
def export(whole: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(whole, tmp_path / "export")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write_ios_app(tmp_path / "app")


def test_everything_an_app_needs_and_every_hash(export: Path, app: Path) -> None:
    done = bundle(BundleRequest(export, app))
    assert (done.platform, done.folder) == (Platform.IOS, app / "HierAttn.bundle")
    there = tree(done.folder)
    record = read_bundle(done.folder)
    assert record == done.record and record.format == "coreml" and record.artefact == COREML
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in there.items()}
    assert record.files == {name: value for name, value in hashes.items() if name != "bundle.json"}
    package = {name: there[f"{COREML}/{name}"] for name in tree(export / COREML)}
    assert package == tree(export / COREML) and f"{COREML}/Manifest.json" in there
    assert record.sha256 == path_sha256(export / COREML)
    assert record.bytes == sum(map(len, package.values()))
    assert {"labels.txt", "MODEL_CARD.md", "selftest/odd.png", "selftest/odd.rgb"} <= set(there)
    assert record.selftest.photos is not None and record.input.layout == "NCHW"
    assert sorted(path.name for path in app.iterdir()) == ["HierAttn.bundle", "Package.swift"]


def test_two_bundles_are_byte_identical_and_the_old_one_goes_wholly(
    export: Path, app: Path, tmp_path: Path
) -> None:
    first = bundle(BundleRequest(export, app))
    content = tree(first.folder)
    (first.folder / "older.mlpackage").mkdir()
    (first.folder / "older.mlpackage" / "Manifest.json").touch()
    (export / COREML / ".DS_Store").write_bytes(b"of a Finder that looked in")
    assert tree(bundle(BundleRequest(export, app)).folder) == content
    assert tree(bundle(BundleRequest(export, write_ios_app(tmp_path / "b"))).folder) == content


def test_each_app_takes_its_own_formats(export: Path, app: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="the iOS app has no ONNX Runtime; name another file"):
        bundle(BundleRequest(export, app, FP32))
    android = write_app(tmp_path / "android")
    assert bundle(BundleRequest(export, android)).record.artefact == FP32
    with pytest.raises(ExportError, match="Core ML does not run on Android"):
        bundle(BundleRequest(export, android, COREML))


def test_without_a_package_there_is_nothing_for_ios(tmp_path: Path, app: Path) -> None:
    export = write_whole_export(tmp_path / "onnx alone")
    for name in (None, COREML):
        with pytest.raises(ExportError, match=r"no file for iOS; export with --format coreml$"):
            bundle(BundleRequest(export, app, name))


def test_a_gate_that_did_not_pass_needs_the_flag_and_the_bundle_says_so(
    tmp_path: Path, app: Path
) -> None:
    export = write_whole_export(tmp_path / "x", gates={COREML: FAILED})
    with pytest.raises(ExportError, match=r"no file for iOS passed its gate .*gate failed"):
        bundle(BundleRequest(export, app))
    with pytest.raises(ExportError, match="--allow-unverified"):
        bundle(BundleRequest(export, app, COREML))
    record = bundle(BundleRequest(export, app, allow_unverified=True)).record
    assert not record.verified and record.gate == FAILED


@pytest.mark.parametrize("name", ["Manifest.json", "Data/com.apple.CoreML/model.mlmodel"])
def test_a_changed_package_is_refused_and_the_old_bundle_stays(
    name: str, export: Path, app: Path
) -> None:
    place = bundle(BundleRequest(export, app)).folder
    before = tree(place)
    path = export / COREML / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ManifestError, match="sha256 differs"):
        bundle(BundleRequest(export, app, COREML, allow_unverified=True))
    assert tree(place) == before


def test_a_package_that_changes_while_it_is_copied(
    export: Path, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copyfile

    def late(source: str | Path, target: str | Path, **_: object) -> None:
        copy(source, target)
        if Path(source).name == "model.mlmodel":
            Path(target).write_bytes(b"half of a newer one")

    monkeypatch.setattr(shutil, "copyfile", late)
    with pytest.raises(ManifestError, match="changed while it was copied"):
        bundle(BundleRequest(export, app))
    assert not (app / "HierAttn.bundle").exists()


def test_the_words_of_a_manifest_are_held_against_the_package(export: Path, app: Path) -> None:
    manifest = relist(export, intended_use="Approved for diagnosis")
    path = export / "selftest/selftest.json"
    selftest = json.loads(path.read_text())
    if "intended_use" in selftest:
        selftest["intended_use"] = manifest.intended_use
        path.write_text(json.dumps(selftest))
        relist(export)
    with pytest.raises(ManifestError, match=f"{COREML}: its own metadata differ .*: intended_use"):
        bundle(BundleRequest(export, app, COREML, allow_unverified=True))
