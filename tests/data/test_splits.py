from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hierattn.data.folder import read_data_folder
from hierattn.data.groups import group_keys
from hierattn.data.splits import Split, assign_splits
from hierattn.errors import ConfigError, DataError
from tests.data.helpers import make_folder, simple_folder


def parts_of(keys: tuple[str, ...], splits: tuple[Split, ...]) -> dict[str, set[Split]]:
    parts: dict[str, set[Split]] = defaultdict(set)
    for key, split in zip(keys, splits, strict=True):
        parts[key].add(split)
    return parts


def test_parts_are_grouped_stratified_and_of_the_asked_size() -> None:
    folder = simple_folder()
    splits = assign_splits(folder)
    assert all(len(parts) == 1 for parts in parts_of(group_keys(folder), splits).values())
    total = Counter(splits)
    assert 0.10 <= total[Split.TEST] / len(splits) <= 0.20
    assert 0.10 <= total[Split.VALIDATION] / len(splits) <= 0.20
    each = Counter(
        (record.label, split) for record, split in zip(folder.records, splits, strict=True)
    )
    for split in Split:
        counts = [each[name, split] for name in folder.classes]
        assert max(counts) - min(counts) <= 2


def test_seed_decides() -> None:
    folder = simple_folder()
    assert assign_splits(folder, seed=1) == assign_splits(folder, seed=1)
    assert assign_splits(folder, seed=1) != assign_splits(folder, seed=2)


def test_folds_judge_each_photo_once_and_keep_groups_whole() -> None:
    folder = simple_folder(lesions=7)
    judged: Counter[int] = Counter()
    for fold in range(3):
        splits = assign_splits(folder, folds=3, fold=fold)
        judged.update(i for i, split in enumerate(splits) if split is Split.TEST)
        assert all(len(parts) == 1 for parts in parts_of(group_keys(folder), splits).values())
        assert set(splits) == set(Split)
    assert judged == Counter(range(len(folder.records)))


def test_zero_fractions_leave_parts_out() -> None:
    folder = simple_folder(lesions=4)
    assert set(assign_splits(folder, validation_fraction=0, test_fraction=0)) == {Split.TRAIN}
    assert Split.VALIDATION not in assign_splits(folder, validation_fraction=0)
    assert Split.TEST not in assign_splits(folder, test_fraction=0)
    assert Split.VALIDATION not in assign_splits(folder, folds=2, fold=0, validation_fraction=0)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 25).map(str)), min_size=9, max_size=60
    ),
    st.integers(0, 3),
)
def test_any_folder_is_split_whole_or_refused(pairs: list[tuple[str, str]], seed: int) -> None:
    # Three own lesions a class make every part possible; the drawn ones mix classes.
    own = [(label, f"{label}{i}") for label in "abc" for i in range(3)]
    folder = make_folder(own + pairs)
    splits = assign_splits(folder, seed=seed)
    assert all(len(parts) == 1 for parts in parts_of(group_keys(folder), splits).values())
    present = {(record.label, split) for record, split in zip(folder.records, splits, strict=True)}
    assert present == {(label, split) for label in "abc" for split in Split}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9).map(str)), max_size=30))
def test_training_part_of_a_fold_has_every_class(pairs: list[tuple[str, str]]) -> None:
    own = [(label, f"{label}{i}") for label in "ab" for i in range(4)]
    folder = make_folder(own + pairs)
    for fold in range(3):
        splits = assign_splits(folder, folds=3, fold=fold)
        trained = {r.label for r, s in zip(folder.records, splits, strict=True) if s is Split.TRAIN}
        assert trained == {"a", "b"}


def test_class_with_too_few_groups_is_named() -> None:
    folder = make_folder([("common", str(i)) for i in range(20)] + [("rare", "x"), ("rare", "y")])
    with pytest.raises(DataError, match=r"3 parts in 1 class \(rare: 2\)"):
        assign_splits(folder)
    splits = assign_splits(folder, test_fraction=0)
    rare = {s for r, s in zip(folder.records, splits, strict=True) if r.label == "rare"}
    assert rare == {Split.TRAIN, Split.VALIDATION}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"validation_fraction": 0.6}, "validation_fraction 0.6"),
        ({"test_fraction": -0.1}, "test_fraction -0.1"),
        ({"test_fraction": float("nan")}, "test_fraction nan"),
        ({"folds": 5}, "go together"),
        ({"folds": 1, "fold": 0}, "less than 2"),
        ({"folds": 5, "fold": 5}, "not between 0 and 4"),
        ({"seed": -1}, "seed -1"),
        ({"seed": 2**32}, "seed 4294967296"),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        assign_splits(simple_folder(), **arguments)  # type: ignore[arg-type]


def test_more_folds_than_groups() -> None:
    with pytest.raises(DataError, match=r"9 folds asked for, .* more than 4 groups"):
        assign_splits(simple_folder(lesions=4, photos=5), folds=9, fold=0)


def test_real_patients_never_straddle(photos_root: Path) -> None:
    folder = read_data_folder(photos_root / "pad_ufes_20")
    splits = assign_splits(folder, folds=5, fold=2, seed=3)
    patients = parts_of(tuple(str(r.patient_id) for r in folder.records), splits)
    assert all(len(parts) == 1 for parts in patients.values())
    assert {r.label for r, s in zip(folder.records, splits, strict=True) if s is Split.TEST} == set(
        folder.classes
    )
