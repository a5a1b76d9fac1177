import errno
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from export.checks.gates import OTHER_RUNTIMES
from export.checks.golden.selftest import read_selftest
from export.checks.parity import logit_scales
from export.errors import ExportError, ManifestError
from export.schema.bundle import read_bundle
from export.schema.manifest import PARITY, Gate, read_manifest
from export.targets.apps.bundle import bundle
from export.targets.apps.choice import BundleRequest
from hierattn.errors import UnknownNameError
from tests.export.bundle_helpers import (
    FP32,
    INT8,
    TFLITE,
    TFLITE_HALF,
    relist,
    tree,
    write_app,
    write_whole_export,
)

PASSED, FAILED = Gate(status="passed"), Gate(status="failed", reasons=["loses melanomas"])
NOT_RUN = Gate(status="not run", reasons=["decisions need photos"])


def test_a_changed_file_is_refused_whatever_its_folder_is_called(tmp_path: Path, app: Path) -> None:
    export = write_whole_export(tmp_path / "it failed its gate", gates={FP32: FAILED})
    (export / FP32).write_bytes(b"another")
    with pytest.raises(ManifestError, match="sha256 differs"):
        bundle(BundleRequest(export, app, FP32, allow_unverified=True))


def test_everything_an_app_needs_and_every_hash(export: Path, app: Path) -> None:
    done = bundle(BundleRequest(export, app))
    assert done.folder == app / "app" / "src" / "main" / "assets" / "hierattn"
    there = tree(done.folder)
    record = read_bundle(done.folder)
    assert record == done.record
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in there.items()}
    assert record.files == {name: value for name, value in hashes.items() if name != "bundle.json"}
    assert there[FP32] == (export / FP32).read_bytes()
    assert record.sha256 == hashes[FP32] and record.bytes == len(there[FP32])
    assert there["labels.txt"] == b"mel\nnv\nother\n"
    assert record.verified and record.gate == PASSED
    assert (record.input.name, record.input.layout, record.output.name) == (
        "input",
        "NCHW",
        "logits",
    )
    selftest = read_selftest(export / "selftest")
    assert record.selftest.reference == "torch"
    assert record.selftest.max_relative == selftest.tolerances["fp32"].max_relative
    for mine, theirs in zip(record.selftest.images, selftest.images, strict=True):
        assert (mine.file, mine.logits, mine.scale) == (theirs.file, theirs.logits, theirs.scale)
        assert hashes[f"selftest/{mine.file}"] == mine.sha256
        assert hashes[f"selftest/{mine.tensor}"] == mine.tensor_sha256
    assert record.selftest.photos is not None
    for photo in record.selftest.photos.images:
        assert hashes[f"selftest/{photo.file}"] == photo.sha256
        assert hashes[f"selftest/{photo.tensor}"] == photo.tensor_sha256
    raw = json.loads(there["bundle.json"])
    assert raw["schema"] == 1 and raw["operating_point"]["temperature"] == 1.0
    assert not [path for path in done.folder.parent.parent.iterdir() if path.name != "assets"]


def test_a_bundle_of_before_golden_photos_is_read(export: Path, app: Path) -> None:
    folder = bundle(BundleRequest(export, app)).folder
    raw = json.loads((folder / "bundle.json").read_text())
    del raw["selftest"]["photos"]
    (folder / "bundle.json").write_text(json.dumps(raw))
    assert read_bundle(folder).selftest.photos is None


def test_two_bundles_are_byte_identical_and_the_old_one_goes_wholly(
    export: Path, app: Path, tmp_path: Path
) -> None:
    first = bundle(BundleRequest(export, app))
    content = tree(first.folder)
    (first.folder / "older.onnx").write_bytes(b"of another model")
    assert tree(bundle(BundleRequest(export, app)).folder) == content
    other = write_app(tmp_path / "other")
    assert tree(bundle(BundleRequest(export, other)).folder) == content


def test_int8_is_held_against_its_own_answers(tmp_path: Path, app: Path) -> None:
    export = write_whole_export(tmp_path / "x", gates={INT8: NOT_RUN})
    record = bundle(BundleRequest(export, app, allow_unverified=True)).record
    own = json.loads((export / PARITY).read_text())["artefacts"][INT8]
    assert record.selftest.reference == "export"
    assert record.selftest.max_relative == OTHER_RUNTIMES[record.precision]
    assert {image.file: image.logits for image in record.selftest.images} == own
    scales = logit_scales(np.array([image.logits for image in record.selftest.images]))[:, 0]
    assert [image.scale for image in record.selftest.images] == scales.tolist()


def test_which_file(tmp_path: Path, app: Path) -> None:
    export = write_whole_export(tmp_path / "x", gates={FP32: PASSED, TFLITE: PASSED, INT8: NOT_RUN})
    with pytest.raises(ExportError, match=f"--artefact: {FP32}, {TFLITE}$"):
        bundle(BundleRequest(export, app))
    assert bundle(BundleRequest(export, app, TFLITE)).record.format == "tflite"
    with pytest.raises(UnknownNameError, match=f"did you mean '{FP32}'"):
        bundle(BundleRequest(export, app, "tiny-32-fp33.onnx"))
    with pytest.raises(ExportError, match="was not run: decisions need photos"):
        bundle(BundleRequest(export, app, INT8))


@pytest.mark.parametrize("gate", [FAILED, NOT_RUN])
def test_a_gate_that_did_not_pass_needs_the_flag_and_the_bundle_says_so(
    gate: Gate, tmp_path: Path, app: Path
) -> None:
    export = write_whole_export(tmp_path / "x", gates={FP32: gate})
    with pytest.raises(ExportError, match="no file for Android passed"):
        bundle(BundleRequest(export, app))
    with pytest.raises(ExportError, match="--allow-unverified"):
        bundle(BundleRequest(export, app, FP32))
    record = bundle(BundleRequest(export, app, allow_unverified=True)).record
    assert not record.verified and record.gate == gate


def test_core_ml_is_not_for_android(export: Path, app: Path) -> None:
    (record,) = read_manifest(export).artefacts
    package = record.model_copy(update={"path": "a.mlpackage", "format": "coreml"})
    relist(export, artefacts=[package])
    with pytest.raises(ExportError, match="Core ML does not run on Android"):
        bundle(BundleRequest(export, app, "a.mlpackage"))
    with pytest.raises(ExportError, match="no file for Android; export with"):
        bundle(BundleRequest(export, app))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (FP32, "sha256 differs"),
        ("MODEL_CARD.md", "sha256 differs"),
        ("parity.json", "sha256 differs"),
        ("selftest/odd.png", "sha256 differs"),
        ("selftest/odd.rgb", "sha256 differs"),
    ],
)
def test_a_changed_export_is_refused_even_with_the_flag(
    name: str, words: str, export: Path, app: Path
) -> None:
    place = bundle(BundleRequest(export, app)).folder
    before = tree(place)
    content = bytearray((export / name).read_bytes())
    content[len(content) // 2] ^= 1
    (export / name).write_bytes(content)
    with pytest.raises(ManifestError, match=words):
        bundle(BundleRequest(export, app, FP32, allow_unverified=True))
    assert tree(place) == before


def test_a_file_that_changes_while_it_is_copied(
    export: Path, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copyfile

    def late(source: Path, target: Path) -> None:
        copy(source, target)
        if source.name == FP32:
            target.write_bytes(b"half of a newer one")

    monkeypatch.setattr(shutil, "copyfile", late)
    with pytest.raises(ManifestError, match="changed while it was copied"):
        bundle(BundleRequest(export, app))
    assert not (app / "app/src/main/assets/hierattn").exists()


def test_a_full_disk_leaves_the_old_bundle(
    export: Path, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = bundle(BundleRequest(export, app)).folder
    before = tree(place)

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(source))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(ExportError, match="make room there"):
        bundle(BundleRequest(export, app))
    assert tree(place) == before
    assert [path.name for path in place.parent.parent.iterdir()] == ["assets"]


def test_half_precision_brings_a_file_to_fall_back_on(tmp_path: Path, app: Path) -> None:
    gates = {FP32: PASSED, TFLITE: PASSED, TFLITE_HALF: PASSED}
    export = write_whole_export(tmp_path / "two", gates=gates)
    done = bundle(BundleRequest(export, app, TFLITE_HALF))
    record, there = read_bundle(done.folder), tree(done.folder)
    assert record.artefact == TFLITE_HALF and record.selftest.max_relative == pytest.approx(1e-2)
    assert record.fallback is not None and record.fallback.artefact == TFLITE
    assert record.fallback.max_relative == pytest.approx(1e-5)
    assert there[TFLITE] == (export / TFLITE).read_bytes()
    assert record.files[TFLITE] == record.fallback.sha256
    assert record.fallback.bytes == done.sizes[TFLITE] and done.remarks == ()
    # What is computed in float32 everywhere needs none.
    for name in (TFLITE, FP32):
        assert bundle(BundleRequest(export, app, name)).record.fallback is None
    (export / TFLITE).write_bytes(b"another")
    with pytest.raises(ManifestError, match="sha256 differs"):
        bundle(BundleRequest(export, app, TFLITE_HALF))


@pytest.mark.parametrize("gates", [{}, {TFLITE: FAILED}])
def test_half_precision_alone_is_said(tmp_path: Path, app: Path, gates: dict[str, Gate]) -> None:
    export = write_whole_export(tmp_path / "one", gates={TFLITE_HALF: PASSED, **gates})
    done = bundle(BundleRequest(export, app, TFLITE_HALF))
    assert done.record.fallback is None and TFLITE not in done.sizes
    assert len(done.remarks) == 1 and "no fp32 file that passed its gate" in done.remarks[0]
