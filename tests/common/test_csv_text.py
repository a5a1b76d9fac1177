import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hierattn.common.csv_text import csv_text, plain_cell, read_cell, report_csv

FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=cmd|' /C calc'!A0", "'=1")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_marked_as_text(text: str) -> None:
    assert plain_cell(text) == f"'{text}" and read_cell(plain_cell(text)) == text


@pytest.mark.parametrize("value", [-1.5, "-1.5", "+3", "-1e-05", 7, float("-inf"), "-", "'tis", ""])
def test_numbers_and_other_words_stay(value: object) -> None:
    assert plain_cell(value) == str(value)


@given(st.lists(st.lists(st.text("=+-@'\t\r\n\"ab,1.\0é"), min_size=2, max_size=3), max_size=4))
def test_what_is_written_reads_back(rows: list[list[str]]) -> None:
    rows = [[cell.replace("\0", "") for cell in row] for row in rows]
    found = csv.reader(io.StringIO(csv_text(rows), newline=""), strict=True)
    assert [[read_cell(cell) for cell in row] for row in found] == rows


def test_a_table_for_people_holds_nothing_that_steers_a_terminal() -> None:
    written = report_csv([["\x1b[2Jverified", "a\nb", "\t=1", "=1", None, -1.5]])
    assert written == "\\x1b[2Jverified,a\\nb,\\t=1,'=1,,-1.5\n"
