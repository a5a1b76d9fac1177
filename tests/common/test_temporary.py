from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hierattn.common.temporary import (
    memory_file,
    save_temporary,
    shared_array,
    temporary_folder,
)
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
    assert str(caught.value).startswith(
        f"{tmp_path}: no room for temporary files (4.2 MB do not fit)"
    )
    assert "TMPDIR" in str(caught.value)


@pytest.mark.parametrize("in_memory", [True, False])
def test_arrays_reach_other_processes_without_a_file_on_disk_where_the_system_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_memory: bool
) -> None:
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create")
    elif not hasattr(os, "memfd_create"):
        pytest.skip("files in memory are Linux's")
    parts = np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.zeros((0, 3, 4), np.uint8)
    with shared_array(tmp_path, *parts, parts[0][:1]) as path:
        assert list(tmp_path.iterdir()) == ([] if in_memory else [path])
        code = f"import numpy; a = numpy.load({str(path)!r}, mmap_mode='r'); print(a.tolist())"
        read = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert json.loads(read.stdout) == [*parts[0].tolist(), parts[0][0].tolist()]
    assert not path.exists() and not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [5000, 4 << 20])
def test_an_array_that_fits_nowhere_names_the_folder_and_an_error_of_the_body_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with (
            pytest.raises(HierAttnError, match=f"{tmp_path}: no room .*TMPDIR"),
            shared_array(tmp_path, np.zeros(size, np.uint8)),
        ):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with pytest.raises(OSError, match="of the body"), shared_array(tmp_path, np.zeros(1)):
        raise OSError("of the body")


def test_a_file_in_memory_is_written_and_read() -> None:
    with memory_file() as file:
        file.write(b"words")
        file.seek(0)
        assert file.read() == b"words"


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
