import errno
import os
from pathlib import Path

import pytest

from hierattn.common.files import write_bytes
from hierattn.common.staging import staged_folder
from hierattn.errors import DataError


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_a_full_disk_names_the_target_and_not_the_photo(tmp_path: Path, code: int) -> None:
    out = tmp_path / "out"
    with pytest.raises(DataError) as caught, staged_folder(out):
        raise OSError(code, os.strerror(code), "source.jpg", None, "copy.jpg")
    assert str(caught.value).startswith(f"{out}: not made: {os.strerror(code)}; make room")
    assert "source.jpg" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_within_a_folder_in_the_making_names_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, __: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    out = tmp_path / "out"
    with pytest.raises(DataError) as caught, staged_folder(out) as staging:  # noqa: SIM117
        with staged_folder(staging / "selftest") as inner:
            write_bytes(inner / "odd.rgb", b"1")
    assert str(caught.value).startswith(f"{out}: not made: No space left on device; make room")
    assert list(tmp_path.iterdir()) == []


def test_an_unreadable_source_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(DataError, match=r"source\.jpg: Permission denied"),
        staged_folder(tmp_path / "out"),
    ):
        raise PermissionError(errno.EACCES, "Permission denied", "source.jpg")


def test_what_a_killed_process_left_is_cleaned_by_the_next(tmp_path: Path) -> None:
    ours, others = tmp_path / ".out.hierattn-abcdefgh", tmp_path / ".out-2.hierattn-abcdefgh"
    for left in (ours, others, tmp_path / ".out-mine"):
        (left / "deep").mkdir(parents=True)
    with staged_folder(tmp_path / "out"):
        assert not ours.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [others.name, ".out-mine", "out"]


def test_a_folder_that_another_program_filled_meanwhile_is_named_not_our_own(
    tmp_path: Path,
) -> None:
    out = tmp_path / "two"
    with pytest.raises(DataError, match="two: another program wrote there"), staged_folder(out):
        out.mkdir()
        (out / "theirs").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["two", "theirs"]
