import errno
import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from hierattn.data.folder import read_data_folder
from hierattn.data.readers.listing import Listing, summarise
from hierattn.data.records import PassedOver
from hierattn.data.split_file import read_splits, write_splits
from hierattn.data.splits import Split
from hierattn.errors import DataError
from tests.data.helpers import write_class_folders, write_csv, write_photo

NFC, NFD = "M\u00e9lanome", unicodedata.normalize("NFD", "M\u00e9lanome")


def passed_over(root: Path) -> dict[str, str]:
    return {entry.file: entry.reason for entry in read_data_folder(root).passed_over}


def test_what_is_no_photo_is_named_with_its_reason(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"a": 1, "b": 1})
    for name in ("a/raw.CR2", "a/notes.txt", "b/deep/IMG_1", "README.md", "a/metadata.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    write_photo(tmp_path / "outside.png")
    os.mkfifo(tmp_path / "a" / "pipe.jpg")
    (tmp_path / "a" / "gone.txt").symlink_to(tmp_path / "nowhere")
    write_csv(tmp_path / "manifest.csv", "file,class", ["a/000.png,a"])
    assert passed_over(tmp_path) == {
        "a/raw.CR2": ".cr2 is not read as a photo",
        "a/notes.txt": ".txt is not read as a photo",
        "a/metadata.csv": ".csv is not read as a photo",
        "b/deep/IMG_1": "a name without a suffix is not read as a photo",
        "README.md": ".md is not read as a photo",
        "outside.png": "lies in no class folder",
        "a/pipe.jpg": "not a regular file",
        "a/gone.txt": "a link that leads nowhere",
    }


def test_hidden_files_and_the_litter_of_file_managers_are_not_worth_a_word(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"a": 1, "b": 1})
    for name in (
        ".DS_Store", "a/.hidden.jpg", "a/Thumbs.db", "b/desktop.ini", "__MACOSX/a/._000.png",
        "__MACOSX/a/000.png", "a/@eaDir/000.png/SYNOPHOTO_THUMB_M.jpg", ".cache/x.jpg",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    folder = read_data_folder(tmp_path)
    assert folder.classes == ("a", "b")
    assert (len(folder.records), folder.passed_over) == (2, ())


def test_linked_folders_are_read_once_and_never_for_ever(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "in", {"a": 1, "b": 1})
    write_class_folders(tmp_path / "elsewhere", {"more": 2})
    (root / "a" / "more").symlink_to(tmp_path / "elsewhere" / "more")
    (root / "b" / "again").symlink_to(tmp_path / "elsewhere")
    (root / "a" / "up").symlink_to("..")
    (root / "a" / "self").symlink_to("self")
    (root / "b" / "sister").symlink_to("../a")
    folder = read_data_folder(root)
    assert [record.file for record in folder.records] == [
        "a/000.png", "a/more/000.png", "a/more/001.png", "b/000.png",
    ]  # fmt: skip
    assert {entry.file: entry.reason for entry in folder.passed_over} == {
        "a/up/": "a link to a folder that it lies in",
        "a/self": "a link that leads nowhere",
        "b/sister/": "a link to a folder that is read in its own place",
        "b/again/": "a link to a folder that is read through another link",
    }


def test_a_split_made_of_linked_class_folders_is_read(tmp_path: Path) -> None:
    write_class_folders(tmp_path / "all" / "one", {"mel": 2, "nv": 2})
    write_class_folders(tmp_path / "all" / "two", {"mel": 1, "nv": 1})
    for split, part in (("train", "one"), ("test", "two")):
        (tmp_path / "set" / split).mkdir(parents=True)
        for name in ("mel", "nv"):
            (tmp_path / "set" / split / name).symlink_to(tmp_path / "all" / part / name)
    assert len(read_data_folder(tmp_path / "set").records) == 6


def test_a_folder_that_cannot_be_listed_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_class_folders(tmp_path, {"a": 1, "b": 1})
    (root / "a" / "locked").mkdir()
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"a/locked: cannot be listed \(Permission denied\)"):
        read_data_folder(root)


@pytest.mark.parametrize("name", ["one\ntwo", "bell\a", "clear\x1b[2J", "para\u2029graph"])
def test_a_class_name_with_a_line_break_is_refused(tmp_path: Path, name: str) -> None:
    write_class_folders(tmp_path, {"a": 1, name: 1})
    with pytest.raises(DataError, match=r"class folder '.*\\.*' has a line break or") as caught:
        read_data_folder(tmp_path)
    assert not set(str(caught.value)).intersection("\n\a\x1b\u2029")


def test_accents_stored_in_either_form_are_one_class_name(tmp_path: Path) -> None:
    write_class_folders(tmp_path / "linux", {NFC: 2, "n\u00e6vus": 1})
    write_class_folders(tmp_path / "mac", {NFD: 2, "n\u00e6vus": 1})
    linux, mac = read_data_folder(tmp_path / "linux"), read_data_folder(tmp_path / "mac")
    assert linux.classes == mac.classes == (NFC, "n\u00e6vus")
    assert [r.file for r in linux.records] == [r.file for r in mac.records]
    assert all(record.path.is_file() for record in mac.records)
    splits = (Split.TRAIN, Split.TEST, Split.TRAIN)
    write_splits(tmp_path / "splits.csv", linux, splits)
    assert read_splits(tmp_path / "splits.csv", mac) == splits


def test_a_manifest_finds_photos_whatever_form_its_accents_have(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {NFD: 1, "b": 1})
    write_photo(tmp_path / NFD / f"{NFC}.png", 5)
    rows = [f"{NFC}/{NFD}.png,{NFD},P1", f"{NFD}/000.png,{NFC},P2"]
    write_csv(tmp_path / "manifest.csv", "file,class,patient_id", rows)
    known = {r.file: r.patient_id for r in read_data_folder(tmp_path).records if r.patient_id}
    assert known == {f"{NFC}/{NFC}.png": "P1", f"{NFC}/000.png": "P2"}


def test_two_classes_whose_accents_differ_in_form_alone_are_refused(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {NFC: 1, NFD: 1, "b": 1})
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("this file system keeps one form")
    with pytest.raises(DataError, match="how its accents are stored; rename one"):
        read_data_folder(tmp_path)
    shutil.rmtree(tmp_path / NFD)
    write_photo(tmp_path / NFC / f"{NFC}.png", 1)
    write_photo(tmp_path / NFC / f"{NFD}.png", 2)
    with pytest.raises(DataError, match="how its accents are stored; rename one"):
        read_data_folder(tmp_path)


def test_an_empty_class_says_what_lies_there_instead(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"a": 1, "b": 1})
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "1.cr2").write_bytes(b"raw")
    with pytest.raises(DataError, match=r"no photo in 1 class \(c\).*\(\.cr2 is not read as a"):
        read_data_folder(tmp_path)


def test_lines_count_and_name_each_reason_once() -> None:
    entries = [PassedOver(file=f"a/{i}.cr2", reason="raw") for i in range(7)]
    entries.append(PassedOver(file="b\x1b[2J/", reason="a link"))
    assert summarise(entries) == [
        "7 files (a/0.cr2, a/1.cr2, a/2.cr2, a/3.cr2, a/4.cr2, ...): raw",
        "1 file (b\\x1b[2J/): a link",
    ]


def test_the_order_is_that_of_names(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"b": 2, "a": 2})
    assert list(Listing(tmp_path).photos) == ["a/000.png", "a/001.png", "b/000.png", "b/001.png"]
    assert Listing(tmp_path).folders == ["a", "b"]
