"""Exports whose records were edited by hand, hashes mended: none goes into an app."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from export.checks.comparison import judge_torch, quality_change
from export.errors import ManifestError
from export.schema.manifest import PARITY, Gate, JudgedData, read_manifest
from export.schema.parity import PhotoAnswer, read_parity_record
from export.targets.apps.bundle import bundle
from export.targets.apps.choice import BundleRequest
from hierattn.errors import HierAttnError
from hierattn.metrics.operating_point import OperatingPoint
from tests.export.bundle_helpers import (
    FP32,
    INT8,
    TFLITE,
    relist,
    tree,
    write_whole_export,
)

PASSED, FAILED = Gate(status="passed"), Gate(status="failed", reasons=["loses melanomas"])
NOT_RUN = Gate(status="not run", reasons=["decisions need photos"])


@pytest.mark.parametrize("name", [FP32, TFLITE])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("classes", ["other", "nv", "mel"]),
        ("operating_point", OperatingPoint(melanoma_class="mel", melanoma_threshold=0.99)),
        ("operating_point", OperatingPoint(melanoma_class="nv", melanoma_threshold=0.3)),
        ("intended_use", "Approved for diagnosis"),
    ],
)
def test_the_words_of_a_manifest_are_held_against_the_file(
    tmp_path: Path, app: Path, name: str, field: str, value: object
) -> None:
    export = write_whole_export(tmp_path / "export", gates={name: PASSED})
    manifest = relist(export, **{field: value})
    path = export / "selftest/selftest.json"
    selftest = json.loads(path.read_text())
    if field in selftest:
        selftest[field] = manifest.model_dump(mode="json")[field]
        path.write_text(json.dumps(selftest))
        relist(export)
    with pytest.raises(ManifestError, match=f"{name}: its own metadata differ .*: {field}"):
        bundle(BundleRequest(export, app, name, allow_unverified=True))
    assert not (app / "app" / "src").exists() or not tree(app / "app" / "src")


@pytest.mark.parametrize("classes", [["mel", "mel", "x"], ["mel", "nv"], ["mel", "nv", "x", "y"]])
def test_repeated_missing_and_further_classes_are_refused(
    export: Path, app: Path, classes: list[str]
) -> None:
    relist(export, classes=classes)
    with pytest.raises(ManifestError, match="classes"):
        bundle(BundleRequest(export, app, allow_unverified=True))
    assert not (app / "app" / "src").exists()


def reversed_logits(fields: dict[str, Any]) -> None:
    for image in fields["images"]:
        image["logits"].reverse()


def larger_scales(fields: dict[str, Any]) -> None:
    for image in fields["images"]:
        image["scale"] *= 1e9


def loose_tolerances(fields: dict[str, Any]) -> None:
    for tolerance in fields["tolerances"].values():
        tolerance["max_relative"] = 1e9


def tolerance_of_int8(fields: dict[str, Any]) -> None:
    fields["tolerances"]["int8"] = {"max_relative": 1e-6}


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        (reversed_logits, "its logits of .* are not those of parity.json"),
        (larger_scales, "the scale of "),
        (loose_tolerances, r"its tolerance of fp32 is 1e\+09, but 1e-05 is allowed"),
        (tolerance_of_int8, "its tolerance of int8 is 1e-06, but there is none"),
    ],
)
def test_a_selftest_that_would_let_any_answer_pass_is_refused(
    export: Path, app: Path, lie: Callable[[dict[str, Any]], None], reason: str
) -> None:
    path = export / "selftest/selftest.json"
    fields = json.loads(path.read_text())
    lie(fields)
    path.write_text(json.dumps(fields))
    relist(export)
    with pytest.raises(ManifestError, match=reason):
        bundle(BundleRequest(export, app, FP32))


def test_a_gate_is_not_passed_because_the_manifest_says_so(export: Path, app: Path) -> None:
    artefacts = read_manifest(export).artefacts
    assert artefacts[0].parity is not None
    parity = artefacts[0].parity.model_copy(update={"max_relative": 0.5})
    relist(export, artefacts=[artefacts[0].model_copy(update={"parity": parity}), *artefacts[1:]])
    with pytest.raises(ManifestError, match=r"said to have passed.*0\.5 is above 1e-05"):
        bundle(BundleRequest(export, app, FP32))


def judged_data(judged: int) -> JudgedData:
    counts = {"images": 9, "calibration": 0, "judged": judged, "seen_in_training": 0}
    return JudgedData(name="photos", path="p", sha256="0" * 64, **counts)


def test_photos_that_nobody_judged_are_refused(export: Path, app: Path) -> None:
    relist(export, data=judged_data(7))
    with pytest.raises(ManifestError, match="says that 7 photos were judged, not 0"):
        bundle(BundleRequest(export, app, FP32))


def test_an_int8_gate_without_photos_is_not_passed_because_the_manifest_says_so(
    tmp_path: Path, app: Path
) -> None:
    export = write_whole_export(tmp_path / "x", gates={INT8: PASSED})
    with pytest.raises(ManifestError, match=r"said to have passed, but .* need photos"):
        bundle(BundleRequest(export, app))


def relabel(export: Path, answers: list[PhotoAnswer], **changes: float) -> None:
    """Write answers to photos, the figures that follow from them, and changes to torch's."""
    path = export / PARITY
    record = read_parity_record(path).model_copy(update={"photos": answers})
    path.write_text(record.model_dump_json())
    manifest = read_manifest(export)
    quality = judge_torch(answers, manifest.classes, manifest.operating_point)
    assert quality is not None
    own = quality.model_copy(update={"delta_vs_torch": quality_change(quality, quality)})
    artefacts = [one.model_copy(update={"quality": own}) for one in manifest.artefacts]
    changed = quality.model_copy(update=changes)
    relist(export, torch_quality=changed, artefacts=artefacts, data=judged_data(len(answers)))


def test_figures_of_torch_that_are_made_up_are_refused(export: Path, app: Path) -> None:
    answers = [
        PhotoAnswer(file=f"{index}.jpg", label="mel", logits=[float(index % 2), 0.5, 0.1])
        for index in range(9)
    ]
    relabel(export, answers)
    bundle(BundleRequest(export, app, FP32))
    relabel(export, answers, balanced_accuracy=0.99)
    with pytest.raises(ManifestError, match=r"says torch's balanced accuracy 0\.99"):
        bundle(BundleRequest(export, app, FP32))


@pytest.mark.parametrize("distinct", [1, 8])
def test_an_int8_gate_on_copies_of_one_photo_is_not_passed_because_the_manifest_says_so(
    tmp_path: Path, app: Path, distinct: int
) -> None:
    export = write_whole_export(tmp_path / "x", gates={INT8: PASSED})
    answers = [
        PhotoAnswer(file=f"{n}.jpg", label="mel", logits=[1.0 + n % distinct, 0.5, 0.1])
        for n in range(8)
    ]
    relabel(export, answers)
    if distinct == 8:
        assert bundle(BundleRequest(export, app)).record.verified
        return
    with pytest.raises(ManifestError, match=r"said to have passed, but .* and these are 1"):
        bundle(BundleRequest(export, app))


def test_changes_against_torch_without_a_class_are_refused(export: Path, app: Path) -> None:
    answers = [
        PhotoAnswer(file=f"{index}.jpg", label="mel", logits=[float(index % 2), 0.5, 0.1])
        for index in range(9)
    ]
    relabel(export, answers)
    first, *others = read_manifest(export).artefacts
    assert first.quality is not None and first.quality.delta_vs_torch is not None
    change = first.quality.delta_vs_torch.model_copy(update={"sensitivity": {}})
    quality = first.quality.model_copy(update={"delta_vs_torch": change})
    relist(export, artefacts=[first.model_copy(update={"quality": quality}), *others])
    with pytest.raises(ManifestError, match="changes against torch are not those of its figures"):
        bundle(BundleRequest(export, app, first.path))


def test_a_constant_answer_is_told_whether_the_manifest_does_or_not(
    export: Path, app: Path
) -> None:
    answers = [
        PhotoAnswer(file=f"{index}.jpg", label="mel", logits=[0.0, 0.5 + index, 0.1])
        for index in range(9)
    ]
    relabel(export, answers)
    remark, doubt = bundle(BundleRequest(export, app, FP32)).remarks
    assert doubt.endswith("the threshold does not fit these weights")
    assert remark.startswith("this network answers nv for every one of the 9 photos")


def test_a_class_name_of_two_lines_is_no_label(export: Path, app: Path) -> None:
    manifest = relist(export, classes=["mel", "nv\nother", "x"])
    selftest = json.loads((export / "selftest/selftest.json").read_text())
    selftest["classes"] = manifest.classes
    (export / "selftest/selftest.json").write_text(json.dumps(selftest))
    relist(export)
    with pytest.raises(HierAttnError, match="must be one line"):
        bundle(BundleRequest(export, app))
