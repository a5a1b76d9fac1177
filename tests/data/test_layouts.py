import errno
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hierattn.data.folder import read_data_folder
from hierattn.data.layouts.registry import LAYOUTS, find_layout
from hierattn.data.tools.prepare import prepare
from hierattn.errors import ConfigError, DataError, UnknownNameError
from tests.conftest import REPOSITORY
from tests.data.helpers import write_class_folders, write_csv, write_photo

ISIC_HEADER = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK"


def make_isic_2019(root: Path) -> Path:
    write_csv(
        root / "ISIC_2019_Training_GroundTruth.csv",
        ISIC_HEADER,
        [
            "ISIC_0000000,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0",
            "ISIC_0000002_downsampled,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0",
        ],
    )
    write_csv(
        root / "ISIC_2019_Training_Metadata.csv",
        "image,age_approx,anatom_site_general,lesion_id,sex",
        [
            "ISIC_0000000,55.0,anterior torso,,female",
            "ISIC_0000002_downsampled,,upper extremity,BCN_0000001,",
        ],
    )
    pictures = root / "ISIC_2019_Training_Input" / "ISIC_2019_Training_Input"
    write_photo(pictures / "ISIC_0000000.jpg", 1)
    write_photo(pictures / "ISIC_0000002_downsampled.jpg", 2)
    return root


def make_ham10000(root: Path, table: str = "HAM10000_metadata.csv", tab: bool = False) -> Path:
    lines = [
        "HAM_0000118,ISIC_0027419,bkl,histo,80.0,male,scalp",
        "HAM_0000118,ISIC_0025030,bkl,histo,80.0,male,scalp",
        "HAM_0002730,ISIC_0026769,akiec,histo,,unknown,unknown",
    ]
    header = "lesion_id,image_id,dx,dx_type,age,sex,localization"
    if tab:
        lines, header = [x.replace(",", "\t") for x in lines], header.replace(",", "\t")
    write_csv(root / table, header, lines)
    write_photo(root / "HAM10000_images_part_1" / "ISIC_0027419.jpg", 1)
    write_photo(root / "HAM10000_images_part_1" / "ISIC_0025030.jpg", 2)
    write_photo(root / "HAM10000_images_part_2" / "ISIC_0026769.jpg", 3)
    return root


def make_pad_ufes_20(root: Path) -> Path:
    write_csv(
        root / "metadata.csv",
        "patient_id,lesion_id,smoke,age,fitspatrick,gender,region,diagnostic,img_id,biopsed",
        [
            "PAT_1516,1765,,8,,,ARM,NEV,PAT_1516_1765_530.png,False",
            "PAT_46,881,False,55,3.0,FEMALE,NECK,BCC,PAT_46_881_939.png,True",
            "PAT_46,882,False,55,3.0,FEMALE,FACE,ACK,PAT_46_882_940.png,True",
        ],
    )
    write_photo(root / "images" / "imgs_part_1" / "imgs_part_1" / "PAT_1516_1765_530.png", 1)
    write_photo(root / "images" / "imgs_part_2" / "PAT_46_881_939.png", 2)
    write_photo(root / "images" / "imgs_part_3" / "PAT_46_882_940.png", 3)
    return root


def make_isic_2018(root: Path) -> Path:
    header = "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC"
    rows = {"MEL": "1.0,0.0,0.0,0.0,0.0,0.0,0.0", "NV": "0.0,1.0,0.0,0.0,0.0,0.0,0.0"}
    number = 0
    for part in ("Training", "Validation", "Test"):
        name, lines, groups = f"ISIC2018_Task3_{part}", [], []
        for label in ("MEL", "NV"):
            image = f"ISIC_003{number:04d}"
            lines.append(f"{image},{rows[label]}")
            groups.append(f"{image},HAM_{number // 2:07d},histopathology")
            write_photo(root / f"{name}_Input" / f"{image}.jpg", number)
            number += 1
        write_csv(root / f"{name}_GroundTruth" / f"{name}_GroundTruth.csv", header, lines)
        (root / f"{name}_Input" / "LICENSE.txt").write_text("CC BY-NC")
        if part == "Training":
            columns = "image,lesion_id,diagnosis_confirm_type"
            write_csv(root / f"{name}_LesionGroupings.csv", columns, groups)
    return root


def make_isic_2017(root: Path) -> Path:
    number = 0
    for part in ("Training", "Validation", "Test_v2"):
        lines, about = [], []
        for row in ("1.0,0.0", "0.0,1.0", "0.0,0.0"):
            image = f"ISIC_{number:07d}"
            lines.append(f"{image},{row}")
            about.append(f"{image},{'unknown' if number else 55},female")
            write_photo(root / f"ISIC-2017_{part}_Data" / f"{image}.jpg", number)
            number += 1
        table = root / f"ISIC-2017_{part}_Part3_GroundTruth.csv"
        write_csv(table, "image_id,melanoma,seborrheic_keratosis", lines)
        metadata = root / f"ISIC-2017_{part}_Data" / f"ISIC-2017_{part}_Data_metadata.csv"
        write_csv(metadata, "image_id,age_approximate,sex", about)
    return root


def make_folders(root: Path) -> Path:
    write_class_folders(root, {"mel": 2, "nv": 1})
    write_csv(root / "manifest.csv", "file,class,patient_id", ["mel/000.png,mel,P7"])
    return root


MAKERS: dict[str, Callable[[Path], Path]] = {
    "isic_2019": make_isic_2019,
    "ham10000": make_ham10000,
    "pad_ufes_20": make_pad_ufes_20,
    "isic_2018": make_isic_2018,
    "isic_2017": make_isic_2017,
    "folders": make_folders,
}


@pytest.mark.parametrize("name", MAKERS)
def test_each_layout_is_recognised_and_becomes_a_data_folder(tmp_path: Path, name: str) -> None:
    source = MAKERS[name](tmp_path / "download")
    assert find_layout(source).name == name
    report = prepare(source, tmp_path / "out")
    folder = read_data_folder(tmp_path / "out")
    assert report.layout == name
    assert sum(report.images.values()) == len(folder.records)
    assert tuple(report.images) == folder.classes
    assert report.groups == len({record.group for record in folder.records})
    assert report.unlisted == 0
    given = {record.file: record.path.read_bytes() for record in find_layout(source).read(source)}
    assert {record.file: record.path.read_bytes() for record in folder.records} == given
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_isic_2019_fields(tmp_path: Path) -> None:
    prepare(make_isic_2019(tmp_path / "download"), tmp_path / "out")
    melanoma, nevus = read_data_folder(tmp_path / "out").records
    assert (melanoma.file, melanoma.lesion_id) == (
        "MEL/ISIC_0000002_downsampled.jpg",
        "BCN_0000001",
    )
    assert (melanoma.age, melanoma.sex) == (None, None)
    assert (nevus.age, nevus.sex, nevus.site) == (55.0, "female", "anterior torso")
    assert nevus.group == "image:ISIC_0000000"
    assert str(nevus.licence).startswith("CC BY-NC 4.0")


@pytest.mark.parametrize(
    ("table", "tab"),
    [
        ("HAM10000_metadata.csv", False),
        ("HAM10000_metadata.tab", True),
        ("HAM10000_metadata", False),
    ],
)
def test_ham10000_fields(tmp_path: Path, table: str, tab: bool) -> None:
    report = prepare(make_ham10000(tmp_path / "download", table, tab), tmp_path / "out")
    assert report.images == {"AKIEC": 1, "BKL": 2}
    assert report.groups == 2
    first = read_data_folder(tmp_path / "out").records[0]
    assert (first.age, first.sex, first.site, first.lesion_id) == (None, None, None, "HAM_0002730")


def test_pad_ufes_20_fields(tmp_path: Path) -> None:
    report = prepare(make_pad_ufes_20(tmp_path / "download"), tmp_path / "out")
    assert report.groups == 2
    keratosis, carcinoma, nevus = read_data_folder(tmp_path / "out").records
    assert (carcinoma.skin_tone, carcinoma.sex, carcinoma.site) == ("III", "female", "neck")
    assert (keratosis.lesion_id, keratosis.patient_id) == ("PAT_46_882", "PAT_46")
    assert (nevus.skin_tone, nevus.sex, nevus.age) == (None, None, 8.0)
    assert str(nevus.licence).startswith("CC BY 4.0")


@pytest.mark.parametrize("name", ["isic_2019", "ham10000", "pad_ufes_20", "isic_2018", "isic_2017"])
def test_rows_without_photos_are_counted_and_named(tmp_path: Path, name: str) -> None:
    source = MAKERS[name](tmp_path / "download")
    photos = [record.path for record in find_layout(source).read(source)]
    for path in photos[:2]:
        path.unlink()
    with pytest.raises(DataError, match=rf"no photo for 2 rows \({photos[0].stem}"):
        prepare(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_source_of_one_class_is_refused_by_the_name_that_was_asked_for(tmp_path: Path) -> None:
    source = make_ham10000(tmp_path / "download")
    table = source / "HAM10000_metadata.csv"
    table.write_text(table.read_text().replace(",akiec,", ",bkl,"))
    with pytest.raises(DataError, match=r"/out: only one class \(BKL\)"):
        prepare(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_photos_without_a_row_are_counted_and_everything_left_out_is_named(tmp_path: Path) -> None:
    source = make_ham10000(tmp_path / "download")
    write_photo(source / "HAM10000_images_part_2" / "ISIC_9999999.jpg")
    (source / "HAM10000_images_part_1" / "ISIC_0000001.cr2").write_bytes(b"raw")
    report = prepare(source, tmp_path / "out")
    assert report.unlisted == 1
    assert {entry.file: entry.reason for entry in report.passed_over} == {
        "HAM10000_images_part_2/ISIC_9999999.jpg": "no row of the data set's table names it",
        "HAM10000_images_part_1/ISIC_0000001.cr2": ".cr2 is not read as a photo",
    }


def test_isic_2018_keeps_its_parts_as_the_split(tmp_path: Path) -> None:
    report = prepare(make_isic_2018(tmp_path / "download"), tmp_path / "out")
    assert report.splits == {"train": 2, "validation": 2, "test": 2}
    assert report.images == {"MEL": 3, "NV": 3}
    records = read_data_folder(tmp_path / "out").records
    assert [record.split for record in records] == ["train", "validation", "test"] * 2
    assert [record.lesion_id for record in records[:2]] == ["HAM_0000000", None]


def test_isic_2018_without_the_later_parts_or_the_groupings(tmp_path: Path) -> None:
    source = make_isic_2018(tmp_path / "download")
    for part in ("Validation", "Test"):
        shutil.rmtree(source / f"ISIC2018_Task3_{part}_GroundTruth")
    report = prepare(source, tmp_path / "out")
    assert (report.splits, report.unlisted) == ({"train": 2}, 4)
    (source / "ISIC2018_Task3_Training_LesionGroupings.csv").unlink()
    with pytest.raises(DataError, match=r"no ISIC2018_Task3_Training_LesionGroupings\.csv"):
        prepare(source, tmp_path / "other")


def test_isic_2017_keeps_its_parts_as_the_split(tmp_path: Path) -> None:
    report = prepare(make_isic_2017(tmp_path / "download"), tmp_path / "out")
    assert report.splits == {"train": 3, "validation": 3, "test": 3}
    assert report.images == {"MEL": 3, "NV": 3, "SEK": 3}
    melanoma = read_data_folder(tmp_path / "out").records[0]
    assert (melanoma.file, melanoma.split) == ("MEL/ISIC_0000000.jpg", "train")
    assert (melanoma.age, melanoma.sex) == (55.0, "female")
    assert str(melanoma.licence).startswith("CC0")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("ISIC_0000000,1.0,1.0", "row 2: both melanoma and"),
        ("ISIC_0000000,yes,0", "must be 0 or 1"),
    ],
)
def test_isic_2017_rows_that_are_no_class(tmp_path: Path, row: str, message: str) -> None:
    source = make_isic_2017(tmp_path / "download")
    table = source / "ISIC-2017_Training_Part3_GroundTruth.csv"
    table.write_text(table.read_text().replace("ISIC_0000000,1.0,0.0", row))
    with pytest.raises(DataError, match=message):
        prepare(source, tmp_path / "out")


@pytest.mark.parametrize("separator", [";", "\t"])
def test_tables_of_other_separators_are_recognised(tmp_path: Path, separator: str) -> None:
    for name, maker in MAKERS.items():
        source = maker(tmp_path / name)
        for table in source.rglob("*.csv"):
            table.write_text(table.read_text().replace(",", separator))
        assert find_layout(source).name == name
        assert prepare(source, tmp_path / f"{name}-out").unlisted == 0


def test_ham10000_ids_may_end_in_jpg(tmp_path: Path) -> None:
    source = make_ham10000(tmp_path / "download")
    table = source / "HAM10000_metadata.csv"
    plain = [r.image_id for r in find_layout(source).read(source)]
    table.write_text(table.read_text().replace("7419,", "7419.jpg,").replace("5030,", "5030.JPG,"))
    assert [r.image_id for r in find_layout(source).read(source)] == plain
    assert sum(prepare(source, tmp_path / "out").images.values()) == 3


@pytest.mark.parametrize(
    ("given", "read"), [("-1", None), ("3", "III"), ("III", "III"), ("iii", "III")]
)
def test_pad_ufes_20_skin_types_have_one_name(tmp_path: Path, given: str, read: str | None) -> None:
    source = make_pad_ufes_20(tmp_path / "download")
    table = source / "metadata.csv"
    table.write_text(table.read_text().replace(",3.0,", f",{given},"))
    carcinoma = next(r for r in find_layout(source).read(source) if r.label == "BCC")
    assert carcinoma.skin_tone == read


@pytest.mark.parametrize("name", ["isic_2019", "ham10000", "pad_ufes_20", "isic_2018", "isic_2017"])
def test_an_unprepared_download_is_no_data_folder_and_its_layout_is_named(
    tmp_path: Path, name: str
) -> None:
    source = MAKERS[name](tmp_path / "download")
    with pytest.raises(DataError, match=f"laid out as {name}: hierattn data prepare") as caught:
        read_data_folder(source)
    assert "\n" not in str(caught.value)


def test_a_folder_inside_a_download_names_the_download(tmp_path: Path) -> None:
    source = make_pad_ufes_20(tmp_path / "download")
    with pytest.raises(DataError, match=r"pad_ufes_20: hierattn data prepare .*/download --out"):
        read_data_folder(source / "images")


def test_a_preset_split_is_prepared_with_its_split(tmp_path: Path) -> None:
    source = tmp_path / "download"
    write_class_folders(source / "train_dir", {"mel": 2, "nv": 2})
    write_class_folders(source / "val_dir", {"mel": 1, "nv": 1})
    report = prepare(source, tmp_path / "out")
    assert report.splits == {"train": 4, "validation": 2}
    assert read_data_folder(tmp_path / "out").classes == ("mel", "nv")


def test_links_instead_of_copies(tmp_path: Path) -> None:
    source = make_folders(tmp_path / "download")
    assert prepare(source, tmp_path / "out", link=True).linked
    photo = tmp_path / "out" / "mel" / "000.png"
    assert photo.is_symlink()
    assert photo.resolve() == (source / "mel" / "000.png").resolve()
    assert len(read_data_folder(tmp_path / "out").records) == 3


def test_photos_that_lie_twice_do_no_harm_unless_they_differ(tmp_path: Path) -> None:
    source = make_ham10000(tmp_path / "download")
    twin = source / "ham10000_images_part_1_again" / "ISIC_0027419.jpg"
    write_photo(twin, 1)
    assert sum(prepare(source, tmp_path / "out").images.values()) == 3
    write_photo(twin, 77)
    with pytest.raises(DataError, match="the same name, but different content"):
        prepare(source, tmp_path / "other")


def test_refusals(tmp_path: Path) -> None:
    source = make_folders(tmp_path / "download")
    full = write_class_folders(tmp_path / "full", {"x": 1})
    with pytest.raises(DataError, match="not an empty folder"):
        prepare(source, full)
    with pytest.raises(ConfigError, match="lies inside"):
        prepare(source, source / "out")
    with pytest.raises(UnknownNameError, match="did you mean 'ham10000'"):
        prepare(source, tmp_path / "out", layout="ham1000")
    with pytest.raises(DataError, match=r"no HAM10000_metadata\.csv"):
        prepare(source, tmp_path / "out", layout="ham10000")
    with pytest.raises(DataError, match="no such data folder"):
        prepare(tmp_path / "missing", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="not laid out as any of"):
        prepare(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_isic_2019_needs_its_metadata_and_one_class_a_row(tmp_path: Path) -> None:
    source = make_isic_2019(tmp_path / "download")
    truth = source / "ISIC_2019_Training_GroundTruth.csv"
    truth.write_text(truth.read_text().replace("0.0,1.0", "1.0,1.0"))
    with pytest.raises(DataError, match=r"row 2: 2 classes are 1\.0"):
        prepare(source, tmp_path / "out")
    (source / "ISIC_2019_Training_Metadata.csv").unlink()
    with pytest.raises(DataError, match=r"no ISIC_2019_Training_Metadata\.csv"):
        prepare(source, tmp_path / "out")


def test_unknown_diagnoses_and_skin_types(tmp_path: Path) -> None:
    source = make_ham10000(tmp_path / "ham")
    table = source / "HAM10000_metadata.csv"
    table.write_text(table.read_text().replace(",akiec,", ",zzz,"))
    with pytest.raises(DataError, match="row 4: dx 'zzz'"):
        prepare(source, tmp_path / "out")
    source = make_pad_ufes_20(tmp_path / "pad")
    table = source / "metadata.csv"
    table.write_text(table.read_text().replace(",3.0,", ",9,"))
    with pytest.raises(DataError, match="row 3: fitspatrick '9'"):
        prepare(source, tmp_path / "out")


def test_full_disk_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_folders(tmp_path / "download")

    def refuse(_: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copyfile", refuse)
    with pytest.raises(DataError, match=r"out: not made: .*No space left on device"):
        prepare(source, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["download"]


def test_every_layout_is_documented_and_has_a_name_of_its_own() -> None:
    names = [layout.name for layout in LAYOUTS]
    page = (REPOSITORY / "docs/data.md").read_text(encoding="utf-8")
    _, _, table = page.partition("## Official layouts")
    documented = re.findall(r"^\| `(\w+)` \|", table.partition("\n## ")[0], re.MULTILINE)
    assert sorted(documented) == sorted(set(names)) == sorted(names)
