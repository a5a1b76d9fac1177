from pathlib import Path

import pytest

from benchmarks.accuracy.eval_photos import choose_eval_photos
from benchmarks.exports import Export, read_exports
from benchmarks.results import BenchmarkError
from export.checks.integrity import path_sha256
from export.schema.manifest import PARITY, JudgedData
from export.schema.parity import ParityRecord, PhotoAnswer
from hierattn.data.folder import read_data_folder
from hierattn.data.groups import group_keys
from hierattn.data.joined.class_table import ClassTable
from hierattn.data.provenance import describe_data
from hierattn.data.split_file import write_splits
from hierattn.data.splits import Split
from hierattn.errors import DataError, UnreadableImagesError
from hierattn.runs import Run
from tests.benchmarks.helpers import CLASSES, write_export, write_manifest
from tests.data.helpers import write_class_folders


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_class_folders(tmp_path / "photos", dict.fromkeys(CLASSES, 4))


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return read_exports([write_export(tmp_path / "export")], [], tmp_path)[0]


def test_without_the_run_all_are_taken_and_the_note_says_so(data: Path, export: Export) -> None:
    photos = choose_eval_photos(data, [export])
    assert photos.record.images == 12 == len(photos.groups)
    assert "not known" in (photos.record.note or "")
    spec = export.manifest.preprocessing
    assert photos.pixels(spec).shape == (12, 32, 32, 3)
    assert photos.pixels(spec) is photos.pixels(spec)


def test_photos_that_the_run_learnt_from_are_left_out(
    data: Path, export: Export, tmp_path: Path
) -> None:
    folder = read_data_folder(data)
    parts = [Split.TRAIN if i % 2 else Split.TEST for i in range(12)]
    write_splits(tmp_path / "run" / "splits.csv", folder, parts)
    run = Run(tmp_path / "run", None)  # type: ignore[arg-type]
    known = Export(export.folder, export.label, export.manifest, run, "")
    photos = choose_eval_photos(data, [known])
    assert [record.file for record in photos.folder.records] == [
        record.file for record in folder.records[::2]
    ]
    left_out = "for 'export' left out: 6 in the run's train part (the same content)"
    assert photos.record.note == left_out


def _judged(tmp_path: Path, name: str, data: Path, places: slice, seen: int = 0) -> Export:
    folder = read_data_folder(data)
    sha256 = describe_data(folder, group_keys(folder)).sha256
    answers = [
        PhotoAnswer(file=record.file, label=record.label, logits=[0.0, 1.0, 2.0])
        for record in folder.records[places]
    ]
    record = JudgedData(
        name="photos",
        path="../photos",
        sha256=sha256,
        images=12,
        calibration=0,
        judged=len(answers),
        seen_in_training=seen,
    )
    place = write_export(tmp_path / name)
    manifest = read_exports([place], [], tmp_path)[0].manifest
    parity = ParityRecord(torch="2", golden={}, photos=answers, artefacts={})
    (place / PARITY).write_text(parity.model_dump_json(), encoding="utf-8")
    files = {PARITY: path_sha256(place / PARITY)}
    write_manifest(place, manifest.artefacts, data=record, files=files)
    return read_exports([place], [], tmp_path)[0]


def test_the_photos_of_the_export_are_taken_again(data: Path, tmp_path: Path) -> None:
    export = _judged(tmp_path, "judged", data, slice(2, 7), seen=3)
    photos = choose_eval_photos(data, [export])
    assert photos.record.images == 5
    assert photos.record.note == (
        "for 'judged' its weights learnt from 3 of these 5 photos; "
        "left out: 7 that the export was not judged on, as learnt from or set apart"
    )


def test_a_reference_that_was_changed_is_not_taken(data: Path, tmp_path: Path) -> None:
    export = _judged(tmp_path, "judged", data, slice(2, 7))
    path = export.folder / PARITY
    path.write_text(path.read_text() + " ")
    with pytest.raises(BenchmarkError, match="changed since the export"):
        read_exports([export.folder], [], tmp_path)


def test_several_exports_are_judged_on_what_they_share(data: Path, tmp_path: Path) -> None:
    left = _judged(tmp_path, "left", data, slice(0, 8))
    right = _judged(tmp_path, "right", data, slice(6, 12))
    assert choose_eval_photos(data, [left, right]).record.images == 2
    apart = _judged(tmp_path, "apart", data, slice(9, 12))
    everything = choose_eval_photos(data, [left, apart])
    assert everything.record.images == 12 and "flatter" in (everything.record.note or "")


def test_classes_are_mapped_only_through_a_table(data: Path, export: Export) -> None:
    (data / "nv").rename(data / "birthmark")
    with pytest.raises(DataError, match=r"birthmark.*--map-class"):
        choose_eval_photos(data, [export])
    photos = choose_eval_photos(data, [export], ClassTable({"birthmark": "nv"}))
    assert {record.label for record in photos.folder.records} == set(CLASSES)
    with pytest.raises(DataError, match=r"no such class .*birthmark"):
        choose_eval_photos(data, [export], ClassTable({"birthmrk": "nv"}))


def test_a_synonym_is_taken_and_told(data: Path, export: Export) -> None:
    (data / "nv").rename(data / "naevus")
    photos = choose_eval_photos(data, [export])
    assert {record.label for record in photos.folder.records} == set(CLASSES)
    assert "naevus -> nv (built-in synonym" in (photos.record.note or "")
    with pytest.raises(DataError, match=r"naevus.*--map-class"):
        choose_eval_photos(data, [export], ClassTable(synonyms=False))


def test_an_empty_folder_is_one_line(tmp_path: Path, export: Export) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no class folder"):
        choose_eval_photos(tmp_path / "empty", [export])


def test_unreadable_photos_stop_or_are_left_out(data: Path, export: Export) -> None:
    (data / "nv" / "bad.png").write_bytes(b"no picture")
    with pytest.raises(UnreadableImagesError, match=r"bad\.png"):
        choose_eval_photos(data, [export]).pixels(export.manifest.preprocessing)
    photos = choose_eval_photos(data, [export], skip_unreadable=True)
    assert photos.record.images == 12
