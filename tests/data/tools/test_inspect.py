import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hierattn.data.tools.inspect import inspect_folder
from hierattn.errors import ConfigError, DataError
from tests.conftest import Answer
from tests.data.helpers import write_class_folders, write_csv, write_photo


def make_folder(root: Path) -> Path:
    write_class_folders(root, {"mel": 2, "nv": 3})
    write_photo(root / "nv" / "wide.png", 50, (40, 20))
    shutil.copy(root / "mel" / "000.png", root / "nv" / "same.png")
    (root / "nv" / "empty.jpg").write_bytes(b"")
    whole = write_photo(root / "nv" / "cut.jpg", 7, (60, 60)).read_bytes()
    (root / "nv" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    write_csv(
        root / "manifest.csv",
        "file,class,patient_id,age,sex,licence",
        ["mel/000.png,mel,P1,40,male,CC0", "mel/001.png,mel,P1,,female,CC0"],
    )
    return root


def test_report(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    report = inspect_folder(make_folder(tmp_path), progress=lambda *state: seen.append(state))
    assert report.images == 9
    assert [(c.name, c.images, c.groups) for c in report.classes] == [("mel", 2, 1), ("nv", 7, 7)]
    assert report.groups == 7
    assert report.duplicates == (("mel/000.png", "nv/same.png"),)
    assert [(m.group, m.images) for m in report.mixed_groups] == [
        ("patient:P1", {"mel": 2, "nv": 1})
    ]
    assert {file.file: file.reason for file in report.unreadable}.keys() == {
        "nv/cut.jpg",
        "nv/empty.jpg",
    }
    assert "truncated" in report.unreadable[0].reason
    assert report.unreadable[1].reason == "the file is empty"
    assert report.licences == {"": 7, "CC0": 2}
    assert report.strata == {"age": 1, "sex": 2, "site": 0, "skin_tone": 0}
    assert report.width is not None and report.height is not None
    assert (report.width.smallest, report.width.median, report.width.largest) == (12, 12, 40)
    assert report.height.largest == 20
    assert seen == [(done, 9) for done in range(1, 10)]
    assert report.contact_sheet is None
    assert report.model_validate_json(report.model_dump_json()) == report


def test_copies_contradict_each_other_by_class_wherever_they_lie(tmp_path: Path) -> None:
    classes = {f"{split}/{name}": 3 for split in ("train", "test") for name in ("mel", "nv")}
    root = write_class_folders(tmp_path / "data", classes)
    shutil.copy(root / "train" / "mel" / "000.png", root / "test" / "mel" / "copy.png")
    shutil.copy(root / "train" / "nv" / "000.png", root / "train" / "mel" / "other.png")
    report = inspect_folder(root)
    assert report.duplicates == (
        ("test/mel/copy.png", "train/mel/000.png"),
        ("train/mel/other.png", "train/nv/000.png"),
    )
    assert report.contradictions == ((), ("mel", "nv"))


def test_contact_sheet_shows_every_class(tmp_path: Path) -> None:
    for name, colour in (("blue", (0, 0, 250)), ("red", (250, 0, 0))):
        (tmp_path / "in" / name).mkdir(parents=True)
        for number in range(13):
            Image.new("RGB", (20 + number, 20), colour).save(
                tmp_path / "in" / name / f"{number}.png"
            )
    sheet = tmp_path / "new" / "sheet.png"
    assert inspect_folder(tmp_path / "in", sheet).contact_sheet == sheet
    pixels = np.asarray(Image.open(sheet)).astype(int)
    half = len(pixels) // 2
    blue, red = pixels[:half], pixels[half:]
    assert (blue[..., 2] - blue[..., 0] > 200).mean() > 0.3
    assert (red[..., 0] - red[..., 2] > 200).mean() > 0.3
    assert (blue[..., 0] - blue[..., 2] > 200).sum() == 0
    first = sheet.read_bytes()
    inspect_folder(tmp_path / "in", sheet)
    assert sheet.read_bytes() == first


def test_a_contact_sheet_names_classes_that_its_font_cannot_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Callable[..., Answer]
) -> None:
    titles: list[str] = []
    monkeypatch.setattr(
        "hierattn.data.tools.inspect.draw_contact_sheet",
        lambda rows, path: titles.extend(title for title, _ in rows),
    )
    for name in ("$x$", "黑色素瘤", "شامة"):
        (tmp_path / "in" / name).mkdir(parents=True)
        Image.new("RGB", (20, 20)).save(tmp_path / "in" / name / "a.png")
    told = cli("data", "inspect", tmp_path / "in", "--contact-sheet", tmp_path / "sheet.png").out
    assert [title.partition("  ")[0] for title in titles] == ["$x$", "class 2", "class 3"]
    assert "In the sheet class 2 is شامة; class 3 is 黑色素瘤." in told


def test_contact_sheet_marks_unreadable_photos(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "in", {"a": 1, "b": 1})
    (root / "b" / "000.png").write_bytes(b"junk")
    report = inspect_folder(root, tmp_path / "sheet.png")
    assert len(report.unreadable) == 1
    assert "not an image of a known kind" in report.unreadable[0].reason
    assert (tmp_path / "sheet.png").stat().st_size > 0


def test_nothing_readable_has_no_size(tmp_path: Path) -> None:
    write_class_folders(tmp_path, {"a": 1, "b": 1})
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(b"")
    report = inspect_folder(tmp_path)
    assert (report.width, report.height, len(report.unreadable)) == (None, None, 2)


def test_not_a_data_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no class folder"):
        inspect_folder(tmp_path)


@pytest.mark.parametrize("place", ["a/000.png", "sheet.png", "new/../a/sheet.png", "../link/s.png"])
def test_a_contact_sheet_inside_the_data_folder_is_refused(tmp_path: Path, place: str) -> None:
    root = write_class_folders(tmp_path / "in", {"a": 1, "b": 1})
    (tmp_path / "link").symlink_to(root)
    before = (root / "a" / "000.png").read_bytes()
    with pytest.raises(ConfigError, match="inside the data folder") as caught:
        inspect_folder(root, root / place)
    assert "\n" not in str(caught.value)
    assert (root / "a" / "000.png").read_bytes() == before
    assert not list(tmp_path.rglob("s*.png"))


def test_a_contact_sheet_replaces_nothing_but_a_png(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "in", {"a": 1, "b": 1})
    notes = tmp_path / "notes.csv"
    notes.write_text("precious")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match="not a PNG"):
        inspect_folder(root, notes)
    with pytest.raises(ConfigError, match="is a folder; give the name of a file"):
        inspect_folder(root, tmp_path / "folder")
    assert notes.read_text() == "precious"
