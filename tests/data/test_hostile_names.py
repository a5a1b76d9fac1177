"""Names of files and classes as an attacker would choose them, through every table of a run."""

import csv
from pathlib import Path

import numpy as np
import pytest

from hierattn.data.folder import read_data_folder
from hierattn.data.readers.manifest import read_manifest, write_manifest
from hierattn.data.split_file import read_splits, write_splits
from hierattn.data.splits import Split
from hierattn.metrics.predictions import Predictions, read_csv, write_csv
from tests.data.helpers import write_photo

CLASSES = ("=HYPERLINK(A1)", "+plus", "-2+3", "@SUM(1)", "'=x", "-1.5", "[red]", "<b>")
FILES = (
    "=1.jpg",
    "a\rb.jpg",
    "c\nd.jpg",
    "\x1b[2Jverified: all hold.jpg",
    '"q",;.jpg',
    "\ttab.jpg",
)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    for number, name in enumerate(CLASSES):
        for position, file in enumerate(FILES):
            write_photo(tmp_path / "data" / name / file, number * 10 + position)
    return tmp_path


def test_tables_keep_hostile_names_and_hold_no_formula(hostile: Path) -> None:
    folder = read_data_folder(hostile / "data")
    assert folder.classes == tuple(sorted(CLASSES)) and len(folder.records) == 48
    splits = tuple(list(Split)[number % 3] for number in range(48))
    write_splits(hostile / "splits.csv", folder, splits)
    assert read_splits(hostile / "splits.csv", folder) == splits
    write_manifest(hostile / "data" / "manifest.csv", folder.records)
    names = [(record.file, record.label) for record in folder.records]
    read = read_manifest(hostile / "data" / "manifest.csv")
    assert [(record.file, record.label) for record in read] == names
    logits = np.random.default_rng(0).normal(size=(48, len(CLASSES)))
    predictions = Predictions.from_records(folder.records, logits, folder.classes)
    write_csv(hostile / "predictions.csv", predictions)
    again = read_csv(hostile / "predictions.csv")
    assert (again.files, again.classes) == (predictions.files, predictions.classes)
    assert np.array_equal(again.logits, logits) and np.array_equal(again.labels, predictions.labels)
    for table in ("splits.csv", "data/manifest.csv", "predictions.csv"):
        with open(hostile / table, newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        for cell in cells:
            assert not cell.startswith(("=", "+", "@", "\t", "\r"))
            if cell.startswith("-"):
                float(cell)
