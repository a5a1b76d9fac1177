from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from hierattn.common.temporary import save_temporary, temporary_folder
from hierattn.errors import HierAttnError


def test_a_full_folder_for_temporary_files_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Past this size a write fails, as it does on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(HierAttnError) as caught:
            save_temporary(tmp_path / "pixels.npy", np.zeros(4 << 20, np.uint8))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value).startswith(f"{tmp_path}: no room for 4 MB")
    assert "TMPDIR" in str(caught.value)


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    save_temporary(tmp_path / "a.npy", np.arange(3))
    assert np.load(tmp_path / "a.npy").tolist() == [0, 1, 2]


def test_what_a_killed_process_left_is_removed_and_what_is_in_use_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left, others = tmp_path / "hierattn.export-abcdefgh", tmp_path / "hierattn-export-abcdefgh"
    for folder in (left, others):
        (folder / "deep").mkdir(parents=True)
    with temporary_folder("export") as first:
        assert not left.exists()
        with temporary_folder("verify") as second:
            assert first.is_dir() and second.is_dir()
        assert not second.exists() and first.is_dir()
    assert list(tmp_path.iterdir()) == [others]


def test_a_folder_for_temporary_files_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with (
        pytest.raises(HierAttnError, match=r"gone: cannot be written .*TMPDIR"),
        temporary_folder("export"),
    ):
        pass
