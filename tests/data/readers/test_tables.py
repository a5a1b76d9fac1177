from pathlib import Path

import pytest

from hierattn.data.folder import read_data_folder
from hierattn.data.readers.tables import fitzpatrick_type, parse_age, read_table
from hierattn.errors import DataError
from tests.data.helpers import write_class_folders, write_csv


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_detected_from_the_header(tmp_path: Path, separator: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text(
        separator.join(("file", "site (left, right; both)", "class"))
        + "\n"
        + separator.join(("a.jpg", '"arm, left; upper\tpart"', "nv"))
        + "\n"
    )
    quoted = '"site (left, right; both)"'
    table.write_text(table.read_text().replace("site (left, right; both)", quoted))
    (row,) = read_table(table, ("file", "class"))
    assert row == {
        "file": "a.jpg",
        "site (left, right; both)": "arm, left; upper\tpart",
        "class": "nv",
    }


def test_the_required_columns_decide_where_a_header_can_be_read_in_two_ways(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", "image;lesion,id;class", ["a;1;nv"])
    assert read_table(table, ("image", "class"))[0]["lesion,id"] == "1"


def test_the_separator_line_of_spreadsheet_programs_is_no_header(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", "sep=;", ["image;class", "a;nv", "b"])
    with pytest.raises(DataError, match="row 4 has 1 cell"):
        read_table(table)
    table = write_csv(tmp_path / "t.csv", "sep=;", ["image;class", "a;nv"])
    assert read_table(table, ("image",)) == [{"image": "a", "class": "nv"}]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "a/000.png,a,arm,left,P1",
            r"row 4 has 5 cells, the header 4; quote a cell that holds ','",
        ),
        ("a/000.png,a,arm,P1,", r"row 4 has 5 cells"),
        ("a/000.png,a,arm", r"row 4 has 3 cells, the header 4; fill in or leave empty"),
        ("a/000.png", r"row 4 has 1 cell, the header 4"),
    ],
)
def test_rows_with_too_many_or_too_few_cells_are_refused(
    tmp_path: Path, row: str, message: str
) -> None:
    write_class_folders(tmp_path, {"a": 2, "b": 1})
    rows = ["a/001.png,a,leg,P2", "", row]
    write_csv(tmp_path / "manifest.csv", "file,class,site,patient_id", rows)
    with pytest.raises(DataError, match=message) as caught:
        read_data_folder(tmp_path)
    assert "manifest.csv" in str(caught.value) and "\n" not in str(caught.value)


def test_row_numbers_count_blank_rows(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"a": 1, "b": 1})
    write_csv(tmp_path / "manifest.csv", "file,class,age", ["", ",,", "a/000.png,a,old"])
    with pytest.raises(DataError, match="row 4: age 'old'"):
        read_data_folder(tmp_path)


@pytest.mark.parametrize("given", ["3", "3.0", "III", "iii", " III "])
def test_one_fitzpatrick_type_has_one_name(given: str) -> None:
    assert fitzpatrick_type(given) == "III"


@pytest.mark.parametrize("given", ["-1", "-1.0", "", "unknown", None])
def test_minus_one_is_an_unknown_fitzpatrick_type(given: str | None) -> None:
    assert fitzpatrick_type(given) is None


@pytest.mark.parametrize("given", ["0", "7", "3.5", "IIII", "dark"])
def test_what_is_no_fitzpatrick_type_is_kept_as_given(given: str) -> None:
    assert fitzpatrick_type(given) == given


def test_a_manifest_names_one_skin_type_in_one_way(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"a": 5, "b": 1})
    rows = [f"a/00{i}.png,a,{tone}" for i, tone in enumerate(("3", "3.0", "III", "-1", ""))]
    for column in ("fitzpatrick", "fitspatrick", "skin_tone", "fitzpatrick_scale"):
        write_csv(tmp_path / "manifest.csv", f"file,class,{column}", rows)
        tones = [record.skin_tone for record in read_data_folder(tmp_path).records]
        assert tones == ["III", "III", "III", None, None, None], column


def test_another_scale_of_skin_tone_stays_as_it_is(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"a": 4, "b": 1})
    rows = [f"a/00{i}.png,a,{tone}" for i, tone in enumerate(("0", "3", "3.0", "-1"))]
    write_csv(tmp_path / "manifest.csv", "file,class,skin_tone", rows)
    tones = [record.skin_tone for record in read_data_folder(tmp_path).records]
    assert tones == ["0", "3", "3", None, None]


def test_a_decimal_comma_is_read_in_ages() -> None:
    assert parse_age("55,5", "row 2") == 55.5
    with pytest.raises(DataError, match=r"row 2: age '1,000,0'"):
        parse_age("1,000,0", "row 2")


def test_accents_in_either_form_are_one_text(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", "cafe\u0301", ["e\u0301te\u0301"])
    assert read_table(table, ("caf\u00e9",)) == [{"caf\u00e9": "\u00e9t\u00e9"}]
