from __future__ import annotations

from pathlib import Path

import pytest

from hierattn.data.folder import read_data_folder
from hierattn.data.joined.class_table import (
    OFFICIAL,
    ClassTable,
    parse_class_map,
    rename_classes,
)
from hierattn.data.joined.read import read_labelled
from hierattn.errors import ConfigError, DataError
from tests.data.helpers import write_class_folders


def test_a_table_renames_joins_and_leaves_out(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "own", {"a": 2, "b": 3, "c": 4, "d": 1})
    table = ClassTable(parse_class_map(["a=x", "b=x", "d="]))
    folder = read_labelled([root], table)
    assert folder.classes == ("c", "x")
    assert [record.label for record in folder.records].count("x") == 5
    assert len(folder.records) == 9
    assert "own: left out: 1 photos of class d (--map-class)" in folder.remarks


@pytest.mark.parametrize("wrong", ["", "a", "=b", "a=b\nc", "a=\x1b[2J"])
def test_a_pair_that_is_none_is_one_line(wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"^--map-class [^\n]*$"):
        parse_class_map([wrong])


def test_a_class_mapped_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="'a' is already 'b'"):
        parse_class_map(["a=b", "a=c"])
    assert parse_class_map(["a=b", "c=b", "a=b", "d="]) == {"a": "b", "c": "b", "d": ""}


def test_a_class_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "own", {"MEL": 2, "naevus": 2})
    with pytest.raises(DataError, match=r"no such class \(MEL, naevus\)"):
        read_labelled([root], ClassTable({"nevus": "NV"}))
    told = r"--map-class naevus=NW: the model has no class 'NW' \(the model's: MEL, NV\)"
    with pytest.raises(DataError, match=told):
        read_labelled([root], ClassTable({"naevus": "NW"}), ("MEL", "NV"))


def test_a_table_that_leaves_one_class_is_refused(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "own", {"MEL": 2, "NV": 2})
    with pytest.raises(DataError, match=r"only one class \(MEL\)"):
        read_labelled([root], ClassTable({"NV": ""}))
    with pytest.raises(DataError, match="leaves no class"):
        read_labelled([root], ClassTable({"NV": "", "MEL": ""}))


@pytest.mark.parametrize("labels", OFFICIAL)
def test_official_labels_become_the_model_s_and_are_told(
    tmp_path: Path, labels: tuple[str, ...]
) -> None:
    for own in labels[1:]:
        root = write_class_folders(tmp_path / own, {own: 1, "other": 1})
        folder = read_labelled([root], model_classes=(labels[0], "other"))
        assert folder.classes == tuple(sorted((labels[0], "other")))
        assert any(f"{own} -> {labels[0]} (built-in synonym" in line for line in folder.remarks)
        refused = read_labelled([root], ClassTable(synonyms=False), (labels[0], "other"))
        assert own in refused.classes and not refused.remarks


def test_no_label_is_a_synonym_of_two() -> None:
    every = [label.casefold() for labels in OFFICIAL for label in labels]
    assert len(set(every)) == len(every)


def test_the_user_s_table_comes_before_the_training_s_and_that_before_synonyms(
    tmp_path: Path,
) -> None:
    root = write_class_folders(tmp_path / "own", {"SEK": 1, "NEV": 1, "MEL": 1})
    folder = read_data_folder(root)
    targets = ("BKL", "MEL", "NV", "other")
    table = ClassTable({"SEK": "other"}, remembered={"SEK": "MEL", "NEV": "MEL"})
    assert rename_classes(folder, table, targets).classes == ("MEL", "other")
    assert rename_classes(folder, ClassTable(), targets).classes == ("BKL", "MEL", "NV")


def test_a_folder_alone_keeps_its_names(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "own", {"SEK": 1, "NEV": 1})
    assert read_labelled([root]).classes == ("NEV", "SEK")
