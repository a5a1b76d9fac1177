"""Photos are hashed once a process, and again when they change."""

import os
from pathlib import Path

import pytest

from hierattn.common.files import file_sha256
from hierattn.data.pixels import hashing
from hierattn.data.pixels.hashing import photo_sha256
from hierattn.errors import HierAttnError


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files hashed, in order."""
    files: list[Path] = []

    def counted(path: Path) -> str:
        files.append(path)
        return file_sha256(path)

    monkeypatch.setattr(hashing, "file_sha256", counted)
    return files


def test_a_settled_file_is_hashed_once(
    tmp_path: Path, read: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "_SETTLED_NS", 0)
    photo = tmp_path / "a.png"
    photo.write_bytes(b"one")
    assert {photo_sha256(photo) for _ in range(3)} == {file_sha256(photo)}
    assert len(read) == 1


def test_a_change_of_the_same_size_and_time_is_seen(tmp_path: Path, read: list[Path]) -> None:
    photo = tmp_path / "a.png"
    for content in (b"one", b"two"):
        photo.write_bytes(content)
        os.utime(photo, ns=(0, 0))
        assert photo_sha256(photo) == file_sha256(photo)
    assert len(read) == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(HierAttnError, match=r"gone\.png"):
        photo_sha256(tmp_path / "gone.png")
