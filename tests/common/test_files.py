import errno
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from export.targets.apps.install import replace_bundle
from hierattn.common.files import atomic_path, write_bytes, write_json, write_text
from hierattn.common.locks import locked_folder
from hierattn.common.staging import staged_folder
from hierattn.errors import HierAttnError


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def test_the_target_changes_only_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "new" / "deep" / "file.txt"
    write_text(target, "old")
    with atomic_path(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
        # The same folder, so that the rename cannot cross file systems; the same suffix, by
        # which writers of images choose a format.
        assert temporary.parent == target.parent and temporary.suffix == ".txt"
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_an_error_in_the_body_leaves_everything_as_it_was(
    tmp_path: Path, error: BaseException
) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old")
    with pytest.raises(type(error)), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_our_error_and_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    with (
        pytest.raises(HierAttnError, match=r"cannot write .*file\.txt: No space left"),
        atomic_path(target),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(HierAttnError, match=r"cannot write .*child"):
        write_text(file / "child", "x")
    folder = tmp_path / "folder"
    (folder / "kept").mkdir(parents=True)
    with pytest.raises(HierAttnError, match=r"cannot write .*folder"):
        write_text(folder, "x")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}
    assert file.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_our_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(HierAttnError, match="Permission denied"):
        write_text(tmp_path / "file", "x")


def test_the_mode_follows_the_umask(tmp_path: Path, umask: None) -> None:
    write_bytes(tmp_path / "file", b"x")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
    # Asking for the umask must not change it.
    assert os.umask(0o027) == 0o027


def test_folders_follow_it_too(tmp_path: Path, umask: None) -> None:
    with staged_folder(tmp_path / "folder") as staging:
        assert stat.S_IMODE(staging.stat().st_mode) == 0o700
    target = tmp_path / "assets" / "hierattn"
    with replace_bundle(tmp_path, target) as bundle:
        (bundle / "bundle.json").touch()
    for folder in (tmp_path / "folder", target):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o750


def test_text_is_utf_8_with_line_ends_as_given(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "µ\r\nb\n")
    assert (tmp_path / "file").read_bytes() == b"\xc2\xb5\r\nb\n"


def test_json_reads_back_and_refuses_what_json_has_not(tmp_path: Path) -> None:
    target = tmp_path / "file.json"
    write_json(target, {"name": "µ", "value": 0.1})
    assert json.loads(target.read_text("utf-8")) == {"name": "µ", "value": 0.1}
    before = target.read_bytes()
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not JSON compliant"):
            write_json(target, {"value": value})
    assert target.read_bytes() == before


def test_what_a_killed_process_left_goes_where_the_folder_is_ours_alone(tmp_path: Path) -> None:
    left, others = tmp_path / ".table-abcdefgh.csv", tmp_path / ".table-2-abcdefgh.csv"
    for path in (left, others):
        path.touch()
    write_text(tmp_path / "table.csv", "a\n")
    # Without a lock it may be the file of a process that still writes.
    assert left.exists()
    with locked_folder(tmp_path):
        write_text(tmp_path / "table.csv", "b\n")
    assert {path.name for path in tmp_path.iterdir()} == {others.name, "table.csv"}
