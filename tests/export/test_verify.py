import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from export.checks.integrity import folder_problems, path_sha256
from export.errors import ManifestError
from export.pipeline import export_run
from export.schema.manifest import read_manifest
from export.schema.metadata import Precision
from export.schema.parity import read_parity_record
from export.verification import Verification
from export.verify import verify
from hierattn.data.records import DataFolder
from hierattn.runs import load_run


def problems(found: Verification) -> list[str]:
    return [*found.problems, *(line for file in found.files for line in file.problems)]


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x01
    path.write_bytes(bytes(content))


def change(folder: Path, edit: Any) -> None:
    path = folder / "manifest.json"
    fields = json.loads(path.read_text())
    edit(fields)
    path.write_text(json.dumps(fields))


def merge(whole: dict[str, Any], part: dict[str, Any]) -> None:
    """Replace what ``part`` names, however deep."""
    for name, value in part.items():
        if isinstance(value, dict):
            merge(whole[name], value)
        else:
            whole[name] = value


def test_an_untouched_folder_holds(folder: Path, painted: DataFolder) -> None:
    found = verify(folder, painted.root)
    recorded = {record.path: record for record in read_manifest(folder).artefacts}
    for file in found.files:
        assert file.parity is not None
        assert file.parity == recorded[file.record.path].parity
        assert file.quality == recorded[file.record.path].quality
    assert "of 'painted'" in found.photos
    failed = {p for p, r in recorded.items() if r.gate.status == "failed"}
    assert {f.record.path for f in found.files if f.status == "failed"} == failed


def test_the_photo_that_decides_a_gate_is_kept(folder: Path, painted: DataFolder) -> None:
    found, answers = verify(folder, painted.root), read_parity_record(folder / "parity.json")
    (of_int8,) = [file for file in found.files if file.record.precision is Precision.INT8]
    assert of_int8.worst is not None and of_int8.worst_photo is not None
    name, pixels = of_int8.worst_photo
    assert name == answers.photos[of_int8.worst.index - len(answers.golden)].file
    assert (pixels == found.manifest.preprocessing.load(painted.root / name)).all()


def test_what_the_weights_learnt_from_is_looked_up_in_the_run(
    folder: Path, painted: DataFolder, finished: Path
) -> None:
    change(folder, lambda fields: fields["data"].update(seen_in_training=None, images=1000))
    blind, seeing = (
        verify(folder, painted.root),
        verify(folder, painted.root, run=load_run(finished)),
    )
    for found in (blind, seeing):
        assert any("field 'data.images' is 1000, but it is" in line for line in found.problems)
    told = "field 'data.seen_in_training' is None, but it is 0"
    assert [any(told in line for line in found.problems) for found in (blind, seeing)] == [0, 1]
    note = "which photos it learnt from, were not looked up"
    assert [any(note in line for line in found.remarks) for found in (blind, seeing)] == [1, 0]


def test_the_photos_are_found_where_the_manifest_says_and_the_user_works(
    exported: Path, painted: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(painted.root.parent)
    assert "of 'painted'" in verify(exported).photos


@pytest.mark.parametrize("place", ["/", "/proc", "/etc", "..", "."])
def test_a_received_manifest_does_not_choose_what_is_read(
    folder: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise AssertionError("read")

    monkeypatch.setattr("export.judged_photos.reread_evaluation_photos", read)
    monkeypatch.setattr("export.verify.run_jobs", lambda *_: None)
    change(folder, lambda fields: fields["data"].update(path=place))
    assert verify(folder).photos.startswith("none: ")


def test_litter_of_a_desktop_is_no_part_of_an_export(folder: Path) -> None:
    manifest = read_manifest(folder)
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "Thumbs.db").write_bytes(b"")
    (folder / "selftest" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "selftest" / "._grey.png").write_bytes(b"\0\5\x16\7\0\2\0\0")
    (folder / "._MODEL_CARD.md").write_bytes(b"\0\5\x16\7\0\2\0\0")
    assert folder_problems(folder, manifest) == []
    (folder / "._model.onnx").write_bytes(b"no AppleDouble file")
    (folder / ".DS_Store").unlink()
    (folder / ".DS_Store").mkdir()
    text = "\n".join(folder_problems(folder, manifest))
    assert "._model.onnx: not in the manifest" in text
    assert ".DS_Store: not in the manifest" in text


def test_without_photos_numbers_are_checked_and_it_says_so(folder: Path) -> None:
    change(folder, lambda fields: fields["data"].update(path="gone"))
    found = verify(folder)
    assert found.photos.startswith("none")
    status = {file.record.precision: file.status for file in found.files}
    assert status["fp32"] == "passed"
    assert status["int8"] == "numbers only"
    assert found.passed and "all hold" not in found.conclusion
    assert "not judged: the decisions of" in found.conclusion
    unjudged = [file.record.path for file in found.files if file.status == "numbers only"]
    assert all(path in found.conclusion for path in unjudged)


def test_other_photos_in_the_recorded_place_do_not_pass(
    folder: Path, painted: DataFolder, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(painted.root, tmp_path / "other"))
    next(path for path in other.glob("*/*") if path.is_file()).unlink()
    (other / "manifest.csv").unlink(missing_ok=True)
    change(folder, lambda fields: fields["data"].update(path="../other"))
    found = verify(folder)
    assert not found.passed
    assert any("not the photos" in line for line in found.problems)
    assert {file.status for file in found.files if file.record.precision == "fp32"} == {"passed"}


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        ("quality", "balanced_accuracy", 0.99),
        ("quality", "agreement", 0.5),
        ("quality", "sensitivity", {"painted_melanoma": 0.77}),
        ("quality", "delta_vs_torch", {"balanced_accuracy": 0.2}),
        ("parity", "max_relative", 0.3),
    ],
)
def test_figures_that_the_manifest_makes_up_are_found(
    folder: Path, painted: DataFolder, place: str, name: str, value: Any
) -> None:
    def lie(fields: dict[str, Any]) -> None:
        whole = fields["artefacts"][0][place]
        assert whole[name] != value
        merge(whole, {name: value})

    change(folder, lie)
    found = verify(folder, data=painted.root)
    path = found.files[0].record.path
    assert f"{path}: the manifest" in "\n".join(problems(found))
    assert found.files[0].status == "failed"
    assert all(file.status == "passed" for file in found.files[1:2])


def test_figures_of_torch_that_the_manifest_makes_up_are_found(folder: Path) -> None:
    change(folder, lambda fields: fields["torch_quality"].update(balanced_accuracy=0.99))
    change(folder, lambda fields: fields["data"].update(path="gone"))
    assert "the manifest says torch's balanced accuracy 0.99" in "\n".join(verify(folder).problems)


@pytest.mark.parametrize("lie", ["tolerances", "logits", "scale"])
def test_a_selftest_with_a_mended_hash_is_not_believed(folder: Path, lie: str) -> None:
    path = folder / "selftest" / "selftest.json"
    fields = json.loads(path.read_text())
    for image in fields["images"]:
        image["logits"] = image["logits"][:: -1 if lie == "logits" else 1]
        image["scale"] *= 1e9 if lie == "scale" else 1
    for tolerance in fields["tolerances"].values():
        tolerance["max_relative"] *= 1e9 if lie == "tolerances" else 1
    path.write_text(json.dumps(fields))
    change(folder, lambda fields: fields["files"].update(selftest=path_sha256(folder / "selftest")))
    found = verify(folder)
    assert not found.passed
    assert ("its tolerance" if lie == "tolerances" else lie) in "\n".join(found.problems)


@pytest.mark.slow
@pytest.mark.long
def test_formats_in_one_folder_are_verified_together(
    finished: Path, painted: DataFolder, tmp_path: Path
) -> None:
    out = tmp_path / "both"
    export_run(finished, out, formats=["tflite", "coreml"], precisions=["fp32"], data=painted.root)
    assert verify(out).passed
    weights = next(out.glob("*.mlpackage")) / "Data/com.apple.CoreML/weights/weight.bin"
    flip(weights, weights.stat().st_size // 2)
    flip(next(out.glob("*.tflite")), 50_000)
    text = "\n".join(problems(verify(out)))
    assert ".mlpackage" in text
    assert ".tflite" in text


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_one_changed_weight_byte_is_found_and_named(folder: Path, precision: str) -> None:
    path = next(folder.glob(f"*-{precision}.onnx"))
    flip(path, path.stat().st_size // 2)
    found = verify(folder)
    assert not found.passed
    assert any(path.name in line and "sha256" in line for line in problems(found))
    assert [f.record.precision for f in found.files if f.parity is None] == [precision]


def test_a_truncated_file_and_a_missing_one_are_named(folder: Path) -> None:
    first, second, _ = sorted(folder.glob("*.onnx"))
    first.write_bytes(first.read_bytes()[:1000])
    second.unlink()
    text = "\n".join(problems(verify(folder)))
    assert first.name in text
    assert f"{second.name}: missing" in text


@pytest.mark.parametrize("name", ["parity.json", "MODEL_CARD.md", "selftest/selftest.json"])
def test_the_other_files_are_hashed_too(folder: Path, name: str) -> None:
    path = folder / name
    path.write_text(path.read_text() + " ")
    found = verify(folder)
    assert not found.passed
    assert any(name.split("/", maxsplit=1)[0] in line for line in found.problems)


def test_a_changed_golden_image_is_found(folder: Path) -> None:
    path = sorted((folder / "selftest").glob("*.png"))[0]
    flip(path, path.stat().st_size // 2)
    found = verify(folder)
    assert not found.passed
    assert path.name in "\n".join(found.problems)


def test_a_file_of_another_model_is_named(folder: Path, exported: Path) -> None:
    stranger = folder / "mobilenet_v2-64-fp32.onnx"
    shutil.copy(next(exported.glob("*-fp32.onnx")), stranger)
    found = verify(folder)
    assert not found.passed
    assert any(stranger.name in line for line in found.problems)


def test_a_swapped_file_with_a_mended_hash_is_found_by_its_metadata(folder: Path) -> None:
    fp16, fp32 = sorted(folder.glob("*-fp16.onnx"))[0], sorted(folder.glob("*-fp32.onnx"))[0]
    shutil.copy(fp32, fp16)

    def mend(fields: dict[str, Any]) -> None:
        for artefact in fields["artefacts"]:
            if artefact["path"] == fp16.name:
                artefact["sha256"] = path_sha256(fp16)
                artefact["bytes"] = fp16.stat().st_size

    change(folder, mend)
    found = verify(folder)
    assert any(fp16.name in line and "precision" in line for line in problems(found))


def test_an_artefact_that_failed_its_gate_never_verifies(folder: Path) -> None:
    def fail(fields: dict[str, Any]) -> None:
        fields["artefacts"][0]["gate"] = {"status": "failed", "reasons": ["melanomas missed"]}

    change(folder, fail)
    found = verify(folder)
    assert not found.passed
    assert "melanomas missed" in "\n".join(problems(found))
    # It is asked all the same: --explain needs its answers.
    assert all(file.whole and file.parity is not None for file in found.files)


def test_other_photos_are_refused(folder: Path, painted: DataFolder, tmp_path: Path) -> None:
    other = Path(shutil.copytree(painted.root, tmp_path / "other"))
    next(other.glob("*/*.png"), next(other.glob("*/*.jpg"), None)).unlink()
    (other / "manifest.csv").unlink(missing_ok=True)
    with pytest.raises(ManifestError, match="not the photos"):
        verify(folder, other)
