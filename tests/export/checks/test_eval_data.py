"""Photos of an export: under other names of classes, and counted again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from export.checks.eval_data import (
    EvaluationPhotos,
    read_evaluation_photos,
    reread_evaluation_photos,
)
from export.checks.recorded import changed_photos
from export.errors import ManifestError
from export.schema.parity import PhotoAnswer
from hierattn.data.records import DataFolder
from hierattn.errors import DataError
from hierattn.preprocessing import PreprocessSpec

SPEC = PreprocessSpec(image_size=64)


def test_the_run_s_table_holds_for_export_and_verify(painted: DataFolder, tmp_path: Path) -> None:
    first, second, *others = painted.classes
    classes = sorted(["mapped", *others])
    where = {"splits": tmp_path / "splits.csv", "out": tmp_path / "out"}
    with pytest.raises(DataError, match="classes the model does not know"):
        read_evaluation_photos(painted.root, SPEC, classes, calibrate=False, **where)
    photos = read_evaluation_photos(
        painted.root,
        SPEC,
        classes,
        calibrate=False,
        class_map={first: "mapped", second: ""},
        **where,
    )
    assert {record.label for record in photos.folder.records} == set(classes)
    assert photos.record.images == len(painted.records) - 12
    assert len(photos.record.remarks) == 2
    answers = [
        PhotoAnswer(file=r.file, label=r.label, logits=[0.0] * len(classes))
        for r in photos.folder.records
    ]
    again = reread_evaluation_photos(painted.root, photos.record, SPEC, classes, answers)
    assert [r.label for r in again.folder.records] == [r.label for r in photos.folder.records]


def answers_of(photos: EvaluationPhotos) -> list[PhotoAnswer]:
    records = photos.folder.records
    return [PhotoAnswer(file=r.file, label=r.label, logits=[0.0]) for r in records]


@pytest.mark.parametrize("calibrate", [True, False])
def test_what_is_said_of_the_photos_is_counted_again(
    calibrate: bool, painted: DataFolder, finished: Path, tmp_path: Path
) -> None:
    splits = finished / "splits.csv"
    classes = painted.classes
    photos = read_evaluation_photos(
        painted.root, SPEC, classes, splits=splits, out=tmp_path, calibrate=calibrate
    )
    given, answers = photos.record, answers_of(photos)
    assert given.seen_in_training == 0 and bool(given.calibration) is calibrate
    assert given.judged < given.images
    wrong = given.model_copy(
        update={"images": 3, "judged": 1, "calibration": 7, "seen_in_training": 2}
    )
    for run in (splits, None):
        again = reread_evaluation_photos(
            painted.root, wrong, SPEC, classes, answers, calibrated=calibrate, splits=run
        ).record
        assert changed_photos(given, again) == (
            [] if run else ["field 'data.seen_in_training' is 0, but it is 2"]
        )
        told = " ".join(changed_photos(wrong, again))
        for name in ("images", "judged", "calibration"):
            assert f"field 'data.{name}' is {getattr(wrong, name)}, but it is" in told
        assert ("seen_in_training" in told) is bool(run)


def test_photos_that_the_run_has_not_seen_are_all_judged(
    painted: DataFolder, finished: Path, tmp_path: Path
) -> None:
    splits = finished / "splits.csv"
    photos = read_evaluation_photos(
        painted.root, SPEC, painted.classes, splits=splits, out=tmp_path, calibrate=False
    )
    with pytest.raises(ManifestError, match="is to be judged on"):
        reread_evaluation_photos(
            painted.root,
            photos.record,
            SPEC,
            painted.classes,
            answers_of(photos)[1:],
            splits=splits,
        )


def test_unreadable_photos_are_found_again(painted: DataFolder, tmp_path: Path) -> None:
    data = Path(shutil.copytree(painted.root, tmp_path / "data"))
    broken = data / painted.records[0].file
    broken.write_bytes(b"no photo")
    photos = read_evaluation_photos(
        data,
        SPEC,
        painted.classes,
        splits=tmp_path / "splits.csv",
        out=tmp_path / "out",
        calibrate=False,
        skip_unreadable=True,
    )
    given, answers = photos.record, answers_of(photos)
    again = reread_evaluation_photos(data, given, SPEC, painted.classes, answers).record
    assert len(given.skipped) == 1 and changed_photos(given, again) == []
    longer = given.model_copy(update={"skipped": [*given.skipped, "MEL/2.jpg: broken"]})
    again = reread_evaluation_photos(data, longer, SPEC, painted.classes, answers).record
    assert changed_photos(longer, again) == [
        "field 'data.skipped' lists other photos than those that cannot be read"
    ]


def test_a_remark_that_is_not_found_is_told(painted: DataFolder, tmp_path: Path) -> None:
    first, second, *others = painted.classes
    classes = sorted(["mapped", *others])
    photos = read_evaluation_photos(
        painted.root,
        SPEC,
        classes,
        splits=tmp_path / "splits.csv",
        out=tmp_path / "out",
        calibrate=False,
        class_map={first: "mapped", second: ""},
    )
    renamed = Path(shutil.copytree(painted.root, tmp_path / "other_name"))
    given = photos.record
    again = reread_evaluation_photos(renamed, given, SPEC, classes, answers_of(photos)).record
    assert changed_photos(given, again) == []
    praised = given.model_copy(update={"remarks": [*given.remarks, "Approved for diagnosis"]})
    assert changed_photos(praised, again) == [
        "field 'data.remarks': 'Approved for diagnosis' is not found again"
    ]
