"""Photos of an export whose classes are called otherwise than the model's."""

from __future__ import annotations

from pathlib import Path

import pytest

from export.checks.eval_data import read_evaluation_photos, reread_evaluation_photos
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
