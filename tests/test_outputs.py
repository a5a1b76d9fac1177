import errno
import os
from pathlib import Path

import pytest

from hierattn.data.records import DataFolder
from hierattn.errors import ConfigError
from hierattn.outputs import check_output, claimed_output, given_path
from tests.data.helpers import write_class_folders, write_photo


@pytest.mark.parametrize(
    "out", ["in", "in/new", "in/a/deep/new", "in/../in/new", "link", "link/new"]
)
def test_nothing_is_written_into_an_input(tmp_path: Path, out: str) -> None:
    write_class_folders(tmp_path / "in", {"a": 1, "b": 1})
    (tmp_path / "link").symlink_to("in")
    with pytest.raises(ConfigError, match=r"lies inside .*in, which is read; choose another --x"):
        check_output(tmp_path / out, None, tmp_path / "in", option="--x")


@pytest.mark.parametrize("out", ["out", "inside", "in.json", "in2/new", "out/in"])
def test_a_place_beside_the_inputs_is_free(tmp_path: Path, out: str) -> None:
    write_class_folders(tmp_path / "in", {"a": 1, "b": 1})
    check_output(tmp_path / out, tmp_path / "in", tmp_path / "no" / "such", None)


def test_a_name_that_is_no_path_stands_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_output(Path("hierattn_xs"), given_path("hierattn_xs"))
    Path("hierattn_xs").mkdir()
    assert given_path("hierattn_xs") == Path("hierattn_xs")


def test_nothing_is_written_into_a_data_folder_that_the_command_does_not_read(
    painted: DataFolder, tmp_path: Path
) -> None:
    for out in (painted.root, painted.root / "new", painted.root / painted.classes[0] / "new"):
        with pytest.raises(ConfigError, match="a data folder; choose another --out"):
            check_output(out)
    bare = write_class_folders(tmp_path / "bare", {"mel": 2, "nv": 1})
    with pytest.raises(ConfigError, match=r"lies inside .*bare, a data folder"):
        check_output(bare / "painted")


@pytest.mark.parametrize("stranger", ["config.json", "run/metrics.json", "empty/"])
def test_a_folder_that_holds_more_than_photos_is_free(tmp_path: Path, stranger: str) -> None:
    write_class_folders(tmp_path, {"2024": 2, "2025": 1})
    check_output(write_photo(tmp_path / "2024" / "x.png").parent.parent.parent / "elsewhere")
    place = tmp_path / stranger
    place.parent.mkdir(exist_ok=True)
    place.mkdir() if stranger.endswith("/") else place.write_text("{}")
    check_output(tmp_path / "new")


def test_nothing_is_written_into_a_run_folder_or_an_export(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a run folder"):
        check_output(finished / "figures")
    check_output(finished)
    (tmp_path / "manifest.json").write_text('{"artefacts": []}')
    with pytest.raises(ConfigError, match="is an export folder"):
        check_output(tmp_path)
    for content in ("{}", "[1]", "\xff", '{"name": "a web page"}'):
        (tmp_path / "manifest.json").write_bytes(content.encode("latin-1"))
        check_output(tmp_path / "new")


@pytest.mark.parametrize("target", ["loop", "nowhere"])
def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / target)
    with pytest.raises(ConfigError, match="a link that leads nowhere"):
        check_output(tmp_path / "loop")


@pytest.mark.parametrize("out", ["out", "out/deep/new", "out/file.json"])
def test_a_place_without_room_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    def full(*arguments: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(ConfigError, match=r"out.*cannot be written \(No space left.*another --x"):
        check_output(tmp_path / out, option="--x")


def test_a_place_below_a_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be written .*is a file"):
        check_output(tmp_path / "file" / "new")
    check_output(tmp_path / "file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_file_where_a_folder_is_to_be_and_the_reverse(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    words = r"file: is a file; give a folder as --saliency"
    with (
        pytest.raises(ConfigError, match=words),
        claimed_output(tmp_path / "file", option="--saliency"),
    ):
        pytest.fail("it was let in")
    with pytest.raises(ConfigError, match=r"is a folder; give the name of a file as --csv"):
        check_output(tmp_path, option="--csv", file=True)
    check_output(tmp_path / "file", option="--csv", file=True)
