import shutil
from pathlib import Path

from hierattn.data.folder import read_data_folder
from hierattn.data.groups import duplicates, group_keys
from hierattn.data.records import DataFolder, Record
from tests.data.helpers import write_class_folders


def test_groups_join_patients_lesions_and_duplicate_files_transitively(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"a": 6, "b": 1})
    shutil.copy(tmp_path / "a" / "004.png", tmp_path / "b" / "copy.png")
    photos = {record.file: record for record in read_data_folder(tmp_path).records}

    def known(file: str, lesion: str | None, patient: str | None) -> Record:
        return Record(photos[file].path, file, file[0], lesion_id=lesion, patient_id=patient)

    folder = DataFolder(
        tmp_path,
        ("a", "b"),
        (
            known("a/000.png", "L1", "P1"),
            known("a/001.png", "L2", "P1"),
            known("a/002.png", "L2", None),
            known("a/003.png", None, None),
            known("a/004.png", "L3", None),
            known("a/005.png", None, None),
            known("b/000.png", None, None),
            known("b/copy.png", None, None),
        ),
    )
    keys = group_keys(folder)
    assert keys[0] == keys[1] == keys[2]
    assert keys[4] == keys[7]
    assert len(set(keys)) == 5
    assert duplicates(folder.records) == (("a/004.png", "b/copy.png"),)
    backwards = DataFolder(tmp_path, folder.classes, folder.records[::-1])
    assert group_keys(backwards) == keys[::-1]
