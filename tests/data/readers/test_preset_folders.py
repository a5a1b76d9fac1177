"""Folders that are splits or parts of a download, and not classes."""

from collections import Counter
from pathlib import Path

import pytest

from hierattn.data.folder import read_data_folder
from hierattn.data.official import official_splits
from hierattn.data.splits import Split
from hierattn.errors import ConfigError, DataError
from hierattn.training.data import prepare_folder
from hierattn.training.recipe.config import build_config
from tests.data.helpers import write_class_folders, write_csv, write_photo


def write_splits(root: Path, **classes_of: dict[str, int]) -> Path:
    """Class folders below split folders, every photo different."""
    seed = 0
    for split, counts in classes_of.items():
        for label, count in counts.items():
            for number in range(count):
                write_photo(root / split / label / f"{number:03d}.png", seed, (16, 16))
                seed += 1
    return root


@pytest.mark.parametrize(
    "names",
    [
        ("train", "val", "test"), ("train_dir", "val_dir", "test_dir"),
        ("train set", "validation set", "test set"), ("Training", "Validation", "Testing"),
        ("ISIC2018_Task3_Training_Input", "ISIC2018_Task3_Validation_Input",
         "ISIC2018_Task3_Test_Input"),
    ],
)  # fmt: skip
def test_preset_splits_are_the_split_and_not_classes(
    tmp_path: Path, names: tuple[str, str, str]
) -> None:
    counts = {"mel": 2, "nv": 3}
    write_splits(tmp_path, **dict.fromkeys(names, counts))
    (tmp_path / "annotations").mkdir()
    folder = read_data_folder(tmp_path)
    assert folder.classes == ("mel", "nv")
    assert len(folder.records) == 15
    data = prepare_folder(read_data_folder(tmp_path), build_config(image_size=64))
    of = {Split.TRAIN: names[0], Split.VALIDATION: names[1], Split.TEST: names[2]}
    for record, split in zip(data.folder.records, data.splits, strict=True):
        assert record.file.split("/")[:2] == [of[split], record.label]
        assert record.path.is_file()


def test_a_missing_validation_part_is_taken_from_training_alone(tmp_path: Path) -> None:
    write_splits(tmp_path, train={"mel": 10, "nv": 20}, test={"mel": 3, "nv": 3})
    folder = read_data_folder(tmp_path)
    splits = official_splits(folder, validation_fraction=0.25, seed=3)
    assert splits is not None
    for record, split in zip(folder.records, splits, strict=True):
        assert (split is Split.TEST) == (record.split == "test")
    assert 6 <= Counter(splits)[Split.VALIDATION] <= 12
    assert splits == official_splits(folder, validation_fraction=0.25, seed=3)
    without = official_splits(folder, validation_fraction=0)
    assert without is not None and Split.VALIDATION not in without


def test_a_test_part_is_never_made_up(tmp_path: Path) -> None:
    write_splits(tmp_path, train={"mel": 4, "nv": 4}, val={"mel": 2, "nv": 2})
    splits = official_splits(read_data_folder(tmp_path))
    assert splits is not None and Counter(splits) == {Split.TRAIN: 8, Split.VALIDATION: 4}


def test_the_split_column_of_a_manifest_is_the_split(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"a": 3, "b": 3})
    words = ("train", "Val", "test", "training", "validation", "TESTING")
    files = [f"{name}/{i:03d}.png" for name in "ab" for i in range(3)]
    rows = [f"{file},{file[0]},{word}" for file, word in zip(files, words, strict=True)]
    write_csv(tmp_path / "manifest.csv", "file,class,split", rows)
    splits = official_splits(read_data_folder(tmp_path))
    assert splits == (Split.TRAIN, Split.VALIDATION, Split.TEST) * 2
    with pytest.raises(ConfigError, match=r"gives its own .* train without --fold"):
        prepare_folder(read_data_folder(tmp_path), build_config(image_size=64, fold="1/3"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a/000.png,a,fold1", "b/000.png,b,train"], r"row 2: split 'fold1' is none of train, val"),
        (["a/000.png,a,train", "b/000.png,b,"], r"no split for 1 photo \(b/000.png\)"),
        (["a/000.png,a,train"], r"no split for 1 photo \(b/000.png\)"),
    ],
)
def test_a_split_column_that_cannot_be_followed(
    tmp_path: Path, rows: list[str], message: str
) -> None:
    write_class_folders(tmp_path, {"a": 1, "b": 1})
    write_csv(tmp_path / "manifest.csv", "file,class,split", rows)
    with pytest.raises(DataError, match=message):
        read_data_folder(tmp_path)


def test_a_manifest_that_contradicts_the_split_folders(tmp_path: Path) -> None:
    write_splits(tmp_path, train={"a": 1, "b": 1}, test={"a": 1, "b": 1})
    rows = ["train/a/000.png,a,test"]
    write_csv(tmp_path / "manifest.csv", "file,class,split", rows)
    with pytest.raises(DataError, match=r"split contradicts the folder in 1 row \(train/a/000"):
        read_data_folder(tmp_path)


def test_a_photo_on_both_sides_of_a_preset_split_is_refused(tmp_path: Path) -> None:
    write_splits(tmp_path, train={"a": 2, "b": 2}, val={"a": 1, "b": 1}, test={"a": 1, "b": 1})
    photo = (tmp_path / "train" / "a" / "000.png").read_bytes()
    (tmp_path / "test" / "a" / "copy.png").write_bytes(photo)
    with pytest.raises(DataError, match=r"train/a/000.png is in 'train' but other photos of its"):
        prepare_folder(read_data_folder(tmp_path), build_config(image_size=64))


def test_splits_beside_classes_are_refused(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"mel": 1, "nv": 1, "test": 1})
    with pytest.raises(DataError, match=r"test named as splits, .* 2 other folders \(mel, nv\)"):
        read_data_folder(tmp_path)


def test_one_split_alone_names_the_folder_to_pass(tmp_path: Path) -> None:
    write_class_folders(tmp_path / "train", {"mel": 1, "nv": 1})
    with pytest.raises(DataError, match=r"pass .*/train$"):
        read_data_folder(tmp_path)


def test_photos_of_a_split_without_a_class_are_refused(tmp_path: Path) -> None:
    write_splits(tmp_path, train={"mel": 1, "nv": 1})
    write_photo(tmp_path / "test" / "unlabelled.png", 9)
    with pytest.raises(DataError, match=r"1 photo \(test/unlabelled.png\) .* no class folder"):
        read_data_folder(tmp_path)


def test_classes_of_splits_that_differ_only_in_case_are_refused(tmp_path: Path) -> None:
    write_splits(tmp_path, train={"mel": 1, "nv": 1}, test={"MEL": 1, "nv": 1})
    with pytest.raises(DataError, match="'MEL' and 'mel' differ only"):
        read_data_folder(tmp_path)


@pytest.mark.parametrize(
    "names",
    [("imgs_part_1", "imgs_part_2", "imgs_part_3"), ("HAM_images_part_1", "ham_images_part_2")],
)
def test_parts_of_a_download_are_one_set(tmp_path: Path, names: tuple[str, ...]) -> None:
    write_splits(tmp_path, **{name: {"mel": 1, "nv": 2} for name in names})
    folder = read_data_folder(tmp_path)
    assert folder.classes == ("mel", "nv")
    assert len(folder.records) == 3 * len(names)
    assert official_splits(folder) is None


def test_parts_without_classes_are_refused(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_photo(tmp_path / f"imgs_part_{number}" / "0.png", number)
    with pytest.raises(DataError, match="parts of one download, not classes") as caught:
        read_data_folder(tmp_path)
    assert "\n" not in str(caught.value)


def test_parts_beside_other_folders_are_refused_and_empty_ones_do_no_harm(tmp_path: Path) -> None:
    write_splits(tmp_path, imgs_part_1={"mel": 1, "nv": 1}, imgs_part_2={"mel": 1, "nv": 1})
    (tmp_path / "docs").mkdir()
    assert read_data_folder(tmp_path).classes == ("mel", "nv")
    write_photo(tmp_path / "masks" / "0.png", 99)
    with pytest.raises(DataError, match=r"parts of one download, .* 1 other folder \(masks\)"):
        read_data_folder(tmp_path)


def test_numbered_classes_stay_classes(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"class_0": 1, "class_1": 1})
    assert read_data_folder(tmp_path).classes == ("class_0", "class_1")


@pytest.mark.parametrize("names", [("fold_1", "fold_2"), ("set1", "set2"), ("train_1", "train_2")])
def test_numbered_folds_and_sets_are_one_set(tmp_path: Path, names: tuple[str, str]) -> None:
    for number, name in enumerate(names):
        for label in ("a", "b"):
            write_photo(tmp_path / name / label / f"{number}.png", number + 10 * (label == "a"))
    folder = read_data_folder(tmp_path)
    assert folder.classes == ("a", "b") and len(folder.records) == 4


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("images/1.png", "masks/1.png"), "one folder a class"),
        (("labeled/1.png", "unlabeled/2.png"), "one folder a class"),
        (("a/train/1.png", "a/test/2.png", "b/train/3.png", "b/test/4.png"), "train/a instead of"),
    ],
)
def test_what_is_no_class_is_refused_with_the_layout_that_fits(
    tmp_path: Path, names: tuple[str, ...], words: str
) -> None:
    for seed, name in enumerate(names):
        write_photo(tmp_path / name, seed)
    with pytest.raises(DataError, match=words):
        read_data_folder(tmp_path)
