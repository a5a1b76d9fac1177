from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hierattn.data.folder import read_data_folder
from hierattn.data.pixels.decode import decode_folder
from hierattn.errors import DataError, UnreadableImagesError
from hierattn.preprocessing import PreprocessSpec
from tests.data.helpers import write_class_folders

SPEC = PreprocessSpec(image_size=16)


def test_pixels_are_in_record_order_and_progress_counts_every_photo(tmp_path: Path) -> None:
    folder = read_data_folder(write_class_folders(tmp_path, {"b": 7, "a": 6}))
    seen: list[tuple[int, int]] = []
    cache = decode_folder(folder, SPEC, workers=3, progress=lambda *state: seen.append(state))
    assert cache.folder is folder and cache.skipped == ()
    assert cache.pixels.shape == (13, 16, 16, 3) and cache.pixels.dtype == np.uint8
    for record, pixels in zip(folder.records, cache.pixels, strict=True):
        assert np.array_equal(pixels, SPEC.load(record.path)), record.file
    assert seen == [(done, 13) for done in range(1, 14)]


def test_all_unreadable_photos_are_named(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path, {"a": 3, "b": 3})
    for name in ("a/000.png", "b/002.png"):
        (root / name).write_bytes(b"junk")
    with pytest.raises(UnreadableImagesError) as caught:
        decode_folder(read_data_folder(root), SPEC)
    assert len(caught.value.reasons) == 2
    assert "a/000.png" in caught.value.reasons[0] and "b/002.png" in caught.value.reasons[1]


def test_skipping_keeps_the_pixels_beside_their_records(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path, {"a": 3, "b": 3})
    (root / "a" / "001.png").write_bytes(b"")
    cache = decode_folder(read_data_folder(root), SPEC, skip_unreadable=True)
    assert cache.pixels.flags.c_contiguous
    assert len(cache.skipped) == 1 and "a/001.png" in cache.skipped[0]
    assert len(cache.folder.records) == len(cache.pixels) == 5
    for record, pixels in zip(cache.folder.records, cache.pixels, strict=True):
        assert np.array_equal(pixels, SPEC.load(record.path)), record.file


def test_a_class_that_loses_all_its_photos_is_an_error(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path, {"a": 3, "b": 1})
    (root / "b" / "000.png").write_bytes(b"")
    with pytest.raises(DataError, match="class 'b' has no readable photo left"):
        decode_folder(read_data_folder(root), SPEC, skip_unreadable=True)


def test_a_class_without_photos_in_this_part_is_not_blamed_on_an_unreadable_one(
    tmp_path: Path,
) -> None:
    root = write_class_folders(tmp_path, {"a": 3, "b": 1})
    (root / "a" / "001.png").write_bytes(b"")
    folder = read_data_folder(root)
    part = replace(folder, records=tuple(r for r in folder.records if r.label == "a"))
    cache = decode_folder(part, SPEC, skip_unreadable=True)
    assert [record.file for record in cache.folder.records] == ["a/000.png", "a/002.png"]
