from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hierattn.data.records import Record
from hierattn.errors import DataError, HierAttnError
from hierattn.metrics.predictions import (
    Predictions,
    age_band,
    concatenate,
    read_csv,
    write_csv,
)

Make = Callable[..., Predictions]


def record(file: str, label: str, **known: object) -> Record:
    return Record(path=Path("/data") / file, file=file, label=label, **known)  # type: ignore[arg-type]


def test_records_give_labels_in_the_models_order_and_strata() -> None:
    records = [
        record("a.jpg", "NEV", patient_id="7", age=39.5, sex="Male", site="FACE"),
        record("b.jpg", "MEL", lesion_id="L", age=60, sex="unknown", skin_tone="II"),
    ]
    found = Predictions.from_records(records, np.zeros((2, 3), np.float32), ("NEV", "BCC", "MEL"))
    assert found.labels.tolist() == [0, 2]
    assert found.groups == ("patient:7", "lesion:L")
    assert found.strata["age"] == ("under 40", "40 to 60")
    assert found.strata["sex"] == ("male", None)
    assert found.strata["site"] == ("face", None)
    assert found.strata["skin_tone"] == (None, "II")
    assert found.logits.dtype == np.float64


def test_a_class_the_model_does_not_know_is_named() -> None:
    with pytest.raises(DataError, match=r"does not know: SCC \(the model's: BCC, MEL\)"):
        Predictions.from_records([record("a.jpg", "SCC")], np.zeros((1, 2)), ("BCC", "MEL"))


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0, "under 40"),
        (39.9, "under 40"),
        (40, "40 to 60"),
        (60, "40 to 60"),
        (60.1, "over 60"),
        (None, None),
        (float("nan"), None),
    ],
)
def test_age_bands(age: float | None, band: str | None) -> None:
    assert age_band(age) == band


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_logits_that_are_not_finite_name_the_photo(make: Make, bad: float) -> None:
    good = make(6)
    logits = good.logits.copy()
    logits[4, 1] = bad
    with pytest.raises(HierAttnError, match=r"1 photos are not finite \(first: 0004.jpg\)"):
        dataclasses.replace(good, logits=logits)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logits": np.zeros((6, 2))}, r"\[6, 2\] do not fit 6 photos and 3 classes"),
        ({"labels": np.array([0, 1, 2, 3, 0, 1])}, r"labels must lie in 0..2"),
        ({"labels": np.array([0, 1, 2, -1, 0, 1])}, r"labels must lie in 0..2"),
        ({"groups": ("g",)}, r"groups: 1 entries for 6 photos"),
        ({"files": ("a",) * 6}, r"occurs twice"),
        ({"classes": ("BCC", "BCC", "MEL")}, r"different classes"),
        ({"strata": {"age": (None,) * 6}}, r"strata must be"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    make: Make, change: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        dataclasses.replace(make(6), **change)  # type: ignore[arg-type]


def test_predictions_cannot_be_changed_through_their_arrays(make: Make) -> None:
    with pytest.raises(ValueError, match="read-only"):
        make(6).logits[0, 0] = 1.0


def test_csv_reads_back_to_the_same_bits(make: Make, tmp_path: Path) -> None:
    sex = ("male", None, "female", None, "male", "female")
    before = make(6, sex=sex, site=('a, "b"', "ü", None, None, None, None))
    write_csv(tmp_path / "predictions.csv", before)
    after = read_csv(tmp_path / "predictions.csv")
    assert after.logits.tobytes() == before.logits.tobytes()
    for field in ("classes", "groups", "files", "splits"):
        assert getattr(after, field) == getattr(before, field)
    assert after.labels.tolist() == before.labels.tolist()
    assert dict(after.strata) == dict(before.strata)
    header = (tmp_path / "predictions.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == ("file,class,group,split,logit:BCC,logit:MEL,logit:NEV,age,sex,site,skin_tone")


def test_csv_of_no_photos_reads_back(make: Make, tmp_path: Path) -> None:
    write_csv(tmp_path / "p.csv", make(6).of_split("validation"))
    assert len(read_csv(tmp_path / "p.csv")) == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("file,class,group", "file,class", "columns group are missing"),
        ("0001.jpg,MEL", "0001.jpg,SCC", r"line 3: no logit column for the class 'SCC'"),
        ("0002.jpg,NEV,patient:1,test,", "0002.jpg,NEV,patient:1,test,x", "line 4: a logit"),
        ("0001.jpg,MEL,", "0001.jpg,", "line 3 has 10 fields, the head 11"),
        ("0001.jpg", "0000.jpg", "occurs twice"),
    ],
)
def test_a_damaged_csv_names_file_and_line(
    make: Make, tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "predictions.csv"
    write_csv(path, make(6))
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_csv(path)
    assert str(path) in str(caught.value)


def test_missing_and_empty_csv(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_csv(tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(DataError, match="are missing"):
        read_csv(tmp_path / "empty.csv")


def test_folds_join_in_order_and_refuse_overlap(make: Make) -> None:
    whole = make(10)
    joined = concatenate([whole.take(range(4)), whole.take(range(4, 10))])
    assert joined.files == whole.files
    assert np.array_equal(joined.logits, whole.logits)
    with pytest.raises(DataError, match="occurs twice"):
        concatenate([whole, whole.take([3])])
    with pytest.raises(DataError, match="other classes"):
        concatenate([whole, make(10, classes=("a", "b"))])
    with pytest.raises(DataError, match="no predictions"):
        concatenate([])
