import os
from pathlib import Path

import pytest

from hierattn.data.folder import read_data_folder
from hierattn.errors import DataError
from tests.data.helpers import write_class_folders, write_csv, write_photo


def test_lists_photos_of_every_suffix_in_order_and_ignores_the_rest(tmp_path: Path) -> None:
    names = (
        "b.JPG", "a.jpeg", "d.png", "c.bmp", "f.WebP", "e.tif", "g.TIFF", "h.gif", "i.AVIF",
        "j.jfif", "k.JPE",
    )  # fmt: skip
    for seed, name in enumerate(names):
        write_photo(tmp_path / "nv" / name, seed)
    write_photo(tmp_path / "mel" / "deep" / "x.png", 99)
    (tmp_path / "nv" / "notes.txt").write_text("no photo")
    (tmp_path / "nv" / ".hidden.jpg").write_bytes(b"")
    (tmp_path / ".cache").mkdir()
    folder = read_data_folder(tmp_path)
    assert folder.classes == ("mel", "nv")
    files = [record.file for record in folder.records]
    assert files == ["mel/deep/x.png", *sorted(f"nv/{name}" for name in names)]
    assert all(record.path.is_file() for record in folder.records)
    assert folder.label_indices() == [0] + [1] * 11


def test_reads_the_manifest_and_keeps_unlisted_photos(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"mel": 2, "nv": 1})
    write_csv(
        tmp_path / "manifest.csv",
        "file,class,lesion_id,patient_id,age,sex,site,fitzpatrick,licence,dx_original",
        [r'mel\000.png,mel,L1,P1,60.0,FEMALE,"Upper arm",IV,CC0,x', "nv/000.png,nv,,,unknown,,,,,"],
    )
    first, unlisted, bare = read_data_folder(tmp_path).records
    assert (first.age, first.sex, first.site, first.skin_tone) == (
        60.0,
        "female",
        "upper arm",
        "IV",
    )
    assert (first.lesion_id, first.group, first.licence) == ("L1", "patient:P1", "CC0")
    assert unlisted.file == "mel/001.png"
    assert unlisted.group == "image:mel/001.png"
    assert (bare.age, bare.sex, bare.patient_id) == (None, None, None)


def test_manifest_with_byte_order_mark_and_without_optional_columns(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"a": 1, "b": 1})
    (tmp_path / "manifest.csv").write_bytes(b"\xef\xbb\xbffile,class\r\na/000.png,a\r\n")
    assert len(read_data_folder(tmp_path).records) == 2


def test_missing_folder_suggests_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "ham10000").mkdir()
    with pytest.raises(DataError, match=r"no such data folder; did you mean .*ham10000"):
        read_data_folder(tmp_path / "ham1000")
    with pytest.raises(DataError, match="no such data folder"):
        read_data_folder(tmp_path / "nowhere" / "at" / "all")


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a folder"):
        read_data_folder(write_photo(tmp_path / "x.png"))


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({}, "no class folder"),
        ({"mel": 2}, "only one class .mel."),
        ({"mel": 1, "nv": 0, "df": 0}, r"no photo in 2 classes \(df, nv\)"),
        ({"Mel": 1, "mel": 1}, "'Mel' and 'mel' differ only"),
        ({"basal cell": 1, "basalcell ": 1}, "differ only"),
        ({"train": 1, "test": 1}, "splits, not classes"),
    ],
)
def test_unusable_classes(tmp_path: Path, counts: dict[str, int], message: str) -> None:
    write_class_folders(tmp_path, counts)
    for name in counts:
        (tmp_path / name).mkdir(exist_ok=True)
    with pytest.raises(DataError, match=message) as caught:
        read_data_folder(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("file,class", [f"a/gone{i}.png,a" for i in range(7)], r"7 rows \(a/gone0.png, .*\.\.\.\)"),
        ("file,class", ["a/000.png,b"], r"contradicts .* 1 row \(a/000.png is 'b'\)"),
        ("file,class", ["a/000.png,a", "a/000.png,a"], "listed more than once"),
        ("file,class", ["a/000.png,a", "a/./000.png,a"], "listed more than once"),
        ("file,label", ["a/000.png,a"], r"missing column class \(found: file, label\)"),
        ("file,class,file", ["a/000.png,a,"], "stands twice in the header"),
        ("file,class", ["../a/000.png,a"], "leads out of the data folder"),
        ("file,class", ["/etc/x.png,a"], "leads out of the data folder"),
        ("file,class", [r"C:\x.png,a"], "leads out of the data folder"),
        ("file,class", [",a"], "row 2: file is empty"),
        ("file,class,age", ["a/000.png,a,old"], "row 2: age 'old'"),
        ("file,class,age", ["a/000.png,a,-3"], "age '-3'"),
        ("file,class,age", ["a/000.png,a,inf"], "age 'inf'"),
        ("file,class,age", ["a/000.png,a,1_0"], "age '1_0'"),
        ("file,class", ['a/000.png,"a'], "mend the quoting"),
        ("", [], "missing column file, class"),
    ],
)
def test_unusable_manifests(tmp_path: Path, header: str, rows: list[str], message: str) -> None:
    write_class_folders(tmp_path, {"a": 1, "b": 1})
    write_csv(tmp_path / "manifest.csv", header, rows)
    with pytest.raises(DataError, match=message) as caught:
        read_data_folder(tmp_path)
    assert "manifest.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"file,class\nm\xe9l/0.png,a\n", b"file,class\n\0\n"])
def test_manifest_that_is_not_utf8_text(tmp_path: Path, content: bytes) -> None:
    write_class_folders(tmp_path, {"a": 1, "b": 1})
    (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(DataError, match="UTF-8"):
        read_data_folder(tmp_path)


def test_a_manifest_link_that_leads_nowhere_is_not_ignored(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"a": 1, "b": 1})
    (tmp_path / "manifest.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(DataError, match=r"manifest\.csv: a link that leads nowhere"):
        read_data_folder(tmp_path)


@pytest.mark.parametrize("name", [b"b/ph\xf6to.png", b"b/\xe9t\xe9/0.png", b"n\xe6vus/0.png"])
def test_names_that_are_not_utf8_are_named(tmp_path: Path, name: bytes) -> None:
    write_class_folders(tmp_path, {"a": 1, "b": 1})
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"\\x.*not valid UTF-8; rename") as caught:
        read_data_folder(tmp_path)
    str(caught.value).encode()


def test_only_regular_files_are_photos(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"a": 1, "b": 1})
    os.mkfifo(tmp_path / "a" / "f.jpg")
    (tmp_path / "a" / "folder.jpg").mkdir()
    (tmp_path / "a" / "link.png").symlink_to(tmp_path / "b" / "000.png")
    files = [record.file for record in read_data_folder(tmp_path).records]
    assert files == ["a/000.png", "a/link.png", "b/000.png"]


@pytest.mark.parametrize("target", ["c", ".", ".."])
def test_a_class_that_links_to_itself_or_to_its_folder_is_named(
    tmp_path: Path, target: str
) -> None:
    write_class_folders(tmp_path / "in", {"a": 1, "b": 1})
    (tmp_path / "in" / "c").symlink_to(target)
    with pytest.raises(DataError, match=r"in/c: .*link") as caught:
        read_data_folder(tmp_path / "in")
    assert "\n" not in str(caught.value)


def test_a_photo_link_that_leads_nowhere_is_kept_for_the_decoder_to_name(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"a": 1, "b": 1})
    (tmp_path / "a" / "gone.png").symlink_to(tmp_path / "gone.png")
    assert [r.file for r in read_data_folder(tmp_path).records][1] == "a/gone.png"


@pytest.mark.parametrize("path", ["x" * 5000, "y/" * 3000])
def test_a_path_longer_than_the_system_allows(path: str) -> None:
    with pytest.raises(DataError, match="name too long") as caught:
        read_data_folder(path)
    assert len(str(caught.value)) < 500


def test_real_photos(photos_root: Path) -> None:
    folder = read_data_folder(photos_root / "pad_ufes_20")
    assert folder.classes == ("ACK", "BCC", "MEL", "NEV", "SCC", "SEK")
    assert all(record.patient_id and record.licence for record in folder.records)
