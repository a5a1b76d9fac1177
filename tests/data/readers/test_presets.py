import pytest

from hierattn.data.readers.presets import (
    no_classes_among,
    parts_among,
    split_of_folder,
    split_word,
)


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (("train", "Training", "train_dir", "train set", "TrainSet", "train-data",
          "training_images", "images_train", "train_split", "train set v2", "train2017",
          "ISIC_2019_Training_Input",
          "ISIC2018_Task3_Training_Input", "ISIC-2017_Training_Data"), "train"),
        (("val", "valid", "validation", "val_dir", "Validation Set", "dev", "valid_folder",
          "ISIC2018_Task3_Validation_Input"),
         "validation"),
        (("test", "TEST", "test_dir", "test set", "testing", "Test_Data", "imgs-test",
          "ISIC-2017_Test_v2_Data"), "test"),
        (("trainer", "trained", "valgus", "tested_positive", "testis", "no test", "development",
          "MEL", "melanoma", "data", "set", "images", "1", "", "test_mel", "mel_train",
          "contest", "intest", "latest", "valley"), None),
    ],
)  # fmt: skip
def test_the_split_a_folder_stands_for(names: tuple[str, ...], split: str | None) -> None:
    assert {name: split_of_folder(name) for name in names} == dict.fromkeys(names, split)


def test_the_split_a_word_stands_for() -> None:
    assert [split_word(word) for word in (" Train", "val", "TEST", "fold1", "")] == [
        "train", "validation", "test", None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "names",
    [
        ["imgs_part_1", "imgs_part_2", "imgs_part_3"],
        ["HAM10000_images_part_1", "HAM10000_images_part_2"],
        ["part1", "part2"],
        ["Batch 01", "Batch 02"],
        ["fold_1", "fold_2"],
        ["set1", "set2"],
        ["train_1", "train_2"],
    ],
)
def test_parts_of_one_download(names: list[str]) -> None:
    assert sorted(parts_among([*names, "masks"])) == sorted(names)


@pytest.mark.parametrize(
    "names",
    [
        [], ["0", "1"], ["class_0", "class_1"], ["grade 1", "grade 2"], ["stage1", "stage2"],
        ["imgs_part_1", "MEL"], ["ham_part_1", "pad_part_1"], ["part_a", "part_b"], ["mel", "nv"],
    ],
)  # fmt: skip
def test_numbered_classes_are_no_parts(names: list[str]) -> None:
    assert parts_among(names) == []


def test_folders_beside_photos_are_no_classes() -> None:
    assert no_classes_among(["images", "masks"]) == ["images", "masks"]
    assert no_classes_among(["MEL", "Ground-Truth"]) == ["Ground-Truth"]
    assert no_classes_among(["labeled", "unlabeled"]) == ["labeled", "unlabeled"]
    assert no_classes_among(["images", "mel", "masked"]) == []
