import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hierattn.data.folder import read_data_folder
from hierattn.data.groups import group_keys
from hierattn.data.records import DataFolder
from hierattn.data.split_file import read_splits
from hierattn.data.splits import Split, assign_splits
from hierattn.data.synth.dataset import write_synthetic
from hierattn.data.tools import balance as balance_module
from hierattn.data.tools.balance import balance, write_balanced
from hierattn.data.tools.copies import augmented_copy
from hierattn.errors import ConfigError, DataError, UnreadableImagesError
from tests.data.helpers import write_class_folders


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balance_module, "_TREES", 5)


@pytest.fixture
def uneven(tmp_path: Path) -> DataFolder:
    return read_data_folder(write_class_folders(tmp_path / "in", {"big": 20, "mid": 8, "small": 5}))


def test_every_class_gets_exactly_the_target(uneven: DataFolder) -> None:
    plan = balance(uneven.records, 8, seed=1)
    made = Counter(record.label for record in plan.kept + plan.copies)
    assert made == {"big": 8, "mid": 8, "small": 8}
    assert Counter(record.label for record in plan.removed) == {"big": 12}
    assert set(plan.kept) | set(plan.removed) == set(uneven.records)
    assert not set(plan.kept) & set(plan.removed)
    assert plan == balance(uneven.records, 8, seed=1)


def test_copies_are_spread_evenly_over_the_originals(uneven: DataFolder) -> None:
    plan = balance(uneven.records, 18)
    per_original = Counter(record.file for record in plan.copies if record.label == "small")
    assert sorted(per_original.values()) == [2, 2, 3, 3, 3]
    assert sum(per_original.values()) == 13


def test_undersampling_drops_the_photos_that_look_like_another_class(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for label, mean in (("dark", 60), ("light", 190)):
        (tmp_path / label).mkdir()
        for number in range(24 if label == "dark" else 12):
            odd = label == "dark" and number < 4
            tone = 190 if odd else mean
            pixels = np.clip(rng.normal(tone, 6, (16, 16, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / label / f"{number:02d}.png")
    plan = balance(read_data_folder(tmp_path).records, 12)
    removed = {record.file for record in plan.removed}
    assert {f"dark/{number:02d}.png" for number in range(4)} <= removed
    assert len(removed) == 12


def test_written_folder_touches_the_training_part_only(tmp_path: Path) -> None:
    folder = write_synthetic(tmp_path / "in", per_class=14, size=16, seed=2)
    splits = assign_splits(folder)
    result = write_balanced(folder, splits, tmp_path / "out", target=12, seed=3)
    counts = Counter(
        (record.label, split)
        for record, split in zip(result.folder.records, result.splits, strict=True)
    )
    assert all(counts[name, Split.TRAIN] == 12 for name in folder.classes)
    originals = {record.file: record for record in folder.records}
    for record, split in zip(folder.records, splits, strict=True):
        if split is not Split.TRAIN:
            copied = tmp_path / "out" / record.file
            assert copied.read_bytes() == record.path.read_bytes()
    assert read_splits(tmp_path / "out" / "splits.csv", result.folder) == result.splits
    with open(tmp_path / "out" / "manifest.csv", newline="") as lines:
        copy_of = {row["file"]: row["copy_of"] for row in csv.DictReader(lines)}
    copies = {file: original for file, original in copy_of.items() if original}
    assert len(copies) == result.copies > 0
    placed = {record.file: record for record in result.folder.records}
    for file, original in copies.items():
        assert placed[file].lesion_id == originals[original].lesion_id
        assert placed[file].patient_id == originals[original].patient_id
        assert placed[file].path.read_bytes() != originals[original].path.read_bytes()


def test_copies_of_photos_without_ids_stay_in_their_group_when_split_again(
    tmp_path: Path, uneven: DataFolder
) -> None:
    result = write_balanced(uneven, [Split.TRAIN] * 33, tmp_path / "out", target=12)
    groups = dict(
        zip((r.file for r in result.folder.records), group_keys(result.folder), strict=True)
    )
    with open(tmp_path / "out" / "manifest.csv", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["copy_of"]]
    assert rows
    assert all(groups[row["file"]] == groups[row["copy_of"]] for row in rows)
    assert len(set(groups.values())) == 12 + 8 + 5


def test_augmented_copy_keeps_size_and_stays_near_its_original() -> None:
    ramp = np.linspace(40, 200, 30 * 20 * 3).reshape(20, 30, 3).astype(np.uint8)
    photo = Image.fromarray(ramp)
    for seed in range(20):
        copy = augmented_copy(photo, np.random.default_rng(seed))
        assert (copy.size, copy.mode) == (photo.size, "RGB")
        assert copy.tobytes() != photo.tobytes()
        # Nothing black comes in from outside.
        assert np.asarray(copy).mean() > 40
    same = [augmented_copy(photo, np.random.default_rng(4)).tobytes() for _ in range(2)]
    assert same[0] == same[1]
    assert augmented_copy(Image.new("RGB", (1, 1)), np.random.default_rng(0)).size == (1, 1)


def test_refusals(tmp_path: Path, uneven: DataFolder) -> None:
    with pytest.raises(ConfigError, match="target 0"):
        balance(uneven.records, 0)
    with pytest.raises(DataError, match="no training photo"):
        balance((), 5)
    with pytest.raises(DataError, match="2 splits for 33 photos"):
        write_balanced(uneven, [Split.TRAIN] * 2, tmp_path / "out", 5)
    uneven.records[0].path.write_bytes(b"")
    with pytest.raises(UnreadableImagesError, match=r"1 unreadable image: .*000\.png"):
        write_balanced(uneven, [Split.TRAIN] * 33, tmp_path / "out", 5)
    assert not (tmp_path / "out").exists()


def test_the_source_folder_is_never_the_target(tmp_path: Path, uneven: DataFolder) -> None:
    before = sorted(uneven.root.rglob("*"))
    (tmp_path / "link").symlink_to(uneven.root)
    for out in (uneven.root, uneven.root / "new", tmp_path / "link" / "big" / "x"):
        with pytest.raises(ConfigError, match="which is read; choose another --out"):
            write_balanced(uneven, [Split.TRAIN] * 33, out, target=8)
    assert sorted(uneven.root.rglob("*")) == before
