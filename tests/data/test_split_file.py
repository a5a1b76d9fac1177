import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from hierattn.data.folder import read_data_folder
from hierattn.data.groups import group_keys
from hierattn.data.records import DataFolder
from hierattn.data.split_file import read_split_rows, read_splits, write_splits
from hierattn.data.splits import Split, assign_splits
from hierattn.errors import DataError
from tests.data.helpers import simple_folder, write_class_folders


def test_written_splits_read_back(tmp_path: Path) -> None:
    folder = simple_folder(lesions=5)
    splits = assign_splits(folder)
    path = tmp_path / "splits.csv"
    write_splits(path, folder, splits)
    assert read_splits(path, folder) == splits
    rows = read_split_rows(path)
    assert tuple(row.group for row in rows) == group_keys(folder)
    assert path.read_text().startswith("file,class,group,split,sha256,source\n")
    fewer = DataFolder(folder.root, folder.classes, folder.records[1:])
    with pytest.raises(DataError, match=r"1 photo .* no longer in the folder"):
        read_splits(path, fewer)
    write_splits(path, fewer, splits[1:])
    with pytest.raises(DataError, match=r"1 photo .* not listed"):
        read_splits(path, folder)


def test_written_splits_hold_what_tells_a_photo_again(tmp_path: Path) -> None:
    folder = read_data_folder(write_class_folders(tmp_path / "in", {"a": 1, "b": 1}))
    records = tuple(replace(record, source="clinic") for record in folder.records)
    folder = replace(folder, records=records)
    write_splits(tmp_path / "splits.csv", folder, [Split.TRAIN, Split.TEST])
    for row, record in zip(read_split_rows(tmp_path / "splits.csv"), records, strict=True):
        assert row.sha256 == hashlib.sha256(record.path.read_bytes()).hexdigest()
        assert row.source == "clinic"


def test_malformed_splits(tmp_path: Path) -> None:
    path = tmp_path / "splits.csv"
    with pytest.raises(DataError, match=r"splits\.csv"):
        read_split_rows(path)
    path.write_text("file,class,group,split\na/0.png,a,g,tain\n")
    with pytest.raises(DataError, match="row 2: split 'tain'"):
        read_split_rows(path)
    path.write_text("file,class,group,split\n" + "a/0.png,a,g,train\n" * 2)
    with pytest.raises(DataError, match="listed more than once"):
        read_split_rows(path)
    path.write_text("file,class,group,split,sha256\na/0.png,a,g,train,zz\n")
    with pytest.raises(DataError, match="row 2: sha256"):
        read_split_rows(path)
