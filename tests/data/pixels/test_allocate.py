import errno
import os
from pathlib import Path

import numpy as np
import pytest

from hierattn.data.folder import read_data_folder
from hierattn.data.pixels.allocate import LIMIT_VARIABLE, allocate_pixels
from hierattn.data.pixels.decode import decode_folder
from hierattn.errors import ConfigError, DataError
from hierattn.preprocessing import PreprocessSpec
from tests.data.helpers import write_class_folders


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hierattn"


def test_beyond_the_limit_pixels_are_mapped_and_leave_no_file(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "0.003")
    assert not isinstance(allocate_pixels(10, 316), np.memmap)  # 2,995,680 bytes
    mapped = allocate_pixels(10, 317)
    assert isinstance(mapped, np.memmap)
    assert list(cache.iterdir()) == []
    mapped[9] = 7
    assert mapped.shape == (10, 317, 317, 3) and mapped[9].min() == 7 and mapped[0].max() == 0


@pytest.mark.parametrize("skip", [0, 2])
def test_mapped_photos_are_those_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, skip: int
) -> None:
    root = write_class_folders(tmp_path / "photos", {"a": 5, "b": 4})
    for index in range(skip):
        (root / "a" / f"00{index}.png").write_bytes(b"")
    folder, spec = read_data_folder(root), PreprocessSpec(image_size=16)
    monkeypatch.setenv(LIMIT_VARIABLE, "1")
    held = decode_folder(folder, spec, skip_unreadable=True)
    monkeypatch.setenv(LIMIT_VARIABLE, "0")
    mapped = decode_folder(folder, spec, skip_unreadable=True)
    assert isinstance(mapped.pixels, np.memmap)
    assert np.array_equal(held.pixels, mapped.pixels) and len(mapped.pixels) == 9 - skip


def test_a_full_disk_is_told_before_a_photo_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setenv(LIMIT_VARIABLE, "0")
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DataError, match=r"no room for the pixels of 3 photos at 64 px .*No space"):
        allocate_pixels(3, 64)


@pytest.mark.parametrize("given", ["-1", "much", "inf", "nan"])
def test_a_limit_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, given)
    with pytest.raises(ConfigError, match=f"{LIMIT_VARIABLE}={given}: give gigabytes"):
        allocate_pixels(1, 64)
