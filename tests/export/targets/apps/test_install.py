import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from export.errors import ExportError
from export.targets.apps import install
from export.targets.apps.install import replace_bundle
from hierattn.common.locks import FolderInUseError
from tests.common.holder import another_process


def target_in(main: Path) -> Path:
    return main / "assets" / "hierattn"


def write_bundle(main: Path, content: str) -> Path:
    with replace_bundle(main, target_in(main)) as staging:
        (staging / "bundle.json").write_text(content)
        (staging / f"{content}.onnx").write_text(content)
    return target_in(main)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("can_swap", [True, False])
def test_replaced_wholly_and_nothing_left(
    can_swap: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not can_swap:
        monkeypatch.setattr(install, "_exchange", lambda one, other: False)
    assert names(write_bundle(tmp_path, "old")) == ["bundle.json", "old.onnx"]
    assert names(write_bundle(tmp_path, "new")) == ["bundle.json", "new.onnx"]
    assert names(tmp_path) == ["assets"]
    with pytest.raises(KeyError), replace_bundle(tmp_path, target_in(tmp_path)) as staging:
        (staging / "half").touch()
        raise KeyError
    assert names(tmp_path / "assets" / "hierattn") == ["bundle.json", "new.onnx"]
    assert names(tmp_path) == ["assets"]


def test_the_only_copy_outlives_a_failed_restoring_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = write_bundle(tmp_path, "old")
    monkeypatch.setattr(install, "_exchange", lambda one, other: False)
    original = Path.rename

    def broken(self: Path, place: Path) -> Path:
        if place == target:
            raise OSError(errno.EIO, "broken disk", str(place))
        return original(self, place)

    with monkeypatch.context() as during:
        during.setattr(Path, "rename", broken)
        with pytest.raises(ExportError, match=r"broken disk.* the old bundle is kept in") as raised:
            write_bundle(tmp_path, "new")
    assert "\n" not in str(raised.value)
    (aside,) = tmp_path.glob(".hierattn-bundle-*")
    assert names(aside / "hierattn") == ["bundle.json", "old.onnx"]
    with pytest.raises(KeyError), replace_bundle(tmp_path, target):
        raise KeyError
    assert names(target) == ["bundle.json", "old.onnx"] and names(tmp_path) == ["assets"]


@pytest.mark.parametrize("moment", ["writing", "renaming"])
def test_killed_at_any_moment_there_is_one_whole_bundle_and_the_next_cleans_up(
    moment: str, tmp_path: Path
) -> None:
    write_bundle(tmp_path, "old")
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from export.targets.apps import install\n"
        "def die(*_): os.kill(os.getpid(), signal.SIGKILL)\n"
        f"if {moment!r} == 'renaming': install._swap_in = die\n"
        "main = Path(sys.argv[1])\n"
        "with install.replace_bundle(main, main / 'assets' / 'hierattn') as staging:\n"
        "    (staging / 'bundle.json').write_text('new')\n"
        f"    if {moment!r} == 'writing': die()\n"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert names(tmp_path / "assets" / "hierattn") == ["bundle.json", "old.onnx"]
    assert len(names(tmp_path)) == 2
    write_bundle(tmp_path, "new")
    assert names(tmp_path) == ["assets"]


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    main = tmp_path / "main"
    with another_process(main), pytest.raises(FolderInUseError, match="choose another --app"):
        write_bundle(main, "new")
    assert not main.exists()


def test_what_is_no_bundle_is_not_removed(tmp_path: Path) -> None:
    place = tmp_path / "assets" / "hierattn"
    place.mkdir(parents=True)
    (place / "notes.txt").touch()
    with pytest.raises(ExportError, match="something else than a bundle"):
        write_bundle(tmp_path, "new")
    assert names(place) == ["notes.txt"]
    (place / "notes.txt").unlink()
    place.rmdir()
    place.symlink_to(tmp_path)
    with pytest.raises(ExportError, match="not a folder of its own"):
        write_bundle(tmp_path, "new")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ExportError, match="not made"):
        write_bundle(tmp_path, "new")
