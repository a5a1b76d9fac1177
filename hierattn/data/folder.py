"""A data folder: one subfolder a class, and an optional ``manifest.csv``. Listed, never decoded."""

from __future__ import annotations

import difflib
import os
import stat
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from hierattn.data.manifest import MANIFEST_NAME, ManifestRow, name_some, read_manifest
from hierattn.data.records import DataFolder, Record
from hierattn.errors import DataError
from hierattn.preprocessing import PHOTO_FORMATS

PHOTO_SUFFIXES = frozenset(PHOTO_FORMATS)
_SHOWN_PATH = 100
_SPLIT_WORDS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})


def read_data_folder(root: str | Path) -> DataFolder:
    """List a data folder: classes sorted by name, records sorted by file.

    Photos may lie deeper than one level under their class. Hidden files and folders are left
    out; photos that the manifest does not list are kept, without ids.

    Raises:
        DataError: the folder is missing or not a folder; it has no class, only one class, an
            empty class, classes whose names differ only by case or blanks, a link that leads
            nowhere or back to the folder, or a name that is not UTF-8; or its manifest cannot
            be read, lists a photo that is not there, or contradicts the folders.
    """
    root = Path(root)
    check_folder(root)
    _check_utf8(root)
    photos = {name: _photos(root, root / name) for name in _class_names(root)}
    classes = tuple(photos)
    empty = [name for name in classes if not photos[name]]
    if empty:
        raise DataError(
            f"{root}: no photo in {name_some(empty, 'class')}; "
            f"add photos ({', '.join(sorted(PHOTO_SUFFIXES))}) or remove the folder"
        )
    if len(classes) == 1:
        raise DataError(f"{root}: only one class ({classes[0]}); a classifier needs two or more")
    manifest = root / MANIFEST_NAME
    if manifest.exists() and not manifest.is_file():
        raise DataError(f"{manifest}: not a file; replace it by a table or remove it")
    rows = {row.file: row for row in read_manifest(manifest)} if manifest.exists() else {}
    label_of = {file: name for name, files in photos.items() for file in files}
    _check_rows(manifest, rows.values(), label_of)
    records = tuple(
        rows[file].record(root)
        if file in rows
        else Record(path=root / file, file=file, label=label_of[file])
        for file in sorted(label_of)
    )
    return DataFolder(root=root, classes=classes, records=records)


def is_photo(path: Path) -> bool:
    """Whether this may be a photo: a known suffix in any case, not hidden, and a regular file.

    A file that cannot be looked at, such as a link that leads nowhere, passes: decoding names it.
    """
    if path.suffix.lower() not in PHOTO_SUFFIXES or path.name.startswith("."):
        return False
    try:
        # Reading from a pipe or a device might never end.
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True


def check_folder(path: Path) -> None:
    """Check that ``path`` is a folder.

    Raises:
        DataError: it is missing (the nearest existing name is suggested), not a folder, or beyond
            reach: a name longer than the system allows, or a forbidden place.
    """
    try:
        if path.is_dir():
            return
        there_is_a_file = path.exists()
    except OSError as error:
        shown = str(path)
        shown = shown if len(shown) <= _SHOWN_PATH else f"{shown[:_SHOWN_PATH]}..."
        raise DataError(f"{shown}: {error.strerror or error}; pass another folder") from error
    if there_is_a_file:
        raise DataError(f"{path}: is a file, not a folder; pass the folder that holds the classes")
    base, wanted = path.absolute().parent, path.name
    while not base.is_dir() and base != base.parent:
        base, wanted = base.parent, base.name
    try:
        there = sorted(entry.name for entry in os.scandir(base) if entry.is_dir())
    except OSError:
        there = []
    near = difflib.get_close_matches(wanted, there, n=1, cutoff=0.5)
    hint = f"; did you mean {base / near[0]}?" if near else f"; {base} has no such folder"
    raise DataError(f"{path}: no such data folder{hint}")


def _class_names(root: Path) -> list[str]:
    try:
        entries = [entry for entry in os.scandir(root) if not entry.name.startswith(".")]
        for entry in entries:
            if entry.is_symlink():
                _check_link(root / entry.name, root)
        names = sorted(entry.name for entry in entries if entry.is_dir())
    except OSError as error:
        raise DataError(f"{root}: cannot be listed ({error.strerror or error})") from error
    if not names:
        raise DataError(f"{root}: holds no class folder; put the photos into one folder a class")
    if len(names) > 1 and all(name.lower() in _SPLIT_WORDS for name in names):
        raise DataError(
            f"{root}: the folders {', '.join(names)} are splits, not classes; "
            "pass one of them, or merge them into one folder a class"
        )
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(_plain(name), name)
        if other != name:
            raise DataError(
                f"{root}: classes '{other}' and '{name}' differ only by case or blanks; merge them"
            )
    return names


def _check_link(link: Path, root: Path) -> None:
    try:
        target = os.path.realpath(link, strict=True)
    except OSError as error:
        raise DataError(
            f"{link}: a link that leads nowhere ({error.strerror or error}); mend or remove it"
        ) from error
    if Path(os.path.realpath(root)).is_relative_to(target):
        raise DataError(f"{link}: a link to a folder that it lies in; remove it")


def _check_utf8(path: Path) -> None:
    """Tables and reports are UTF-8, so a name of other bytes could not be written there."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise DataError(f"{shown}: the name is not valid UTF-8; rename it") from error


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _photos(root: Path, folder: Path) -> list[str]:
    found: list[str] = []
    for where, folders, files in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        base = Path(where).relative_to(root).as_posix()
        for name in files:
            path = Path(where, name)
            if is_photo(path):
                _check_utf8(path)
                found.append(f"{base}/{name}")
    return found


def _check_rows(manifest: Path, rows: Iterable[ManifestRow], label_of: dict[str, str]) -> None:
    missing, contradicting = [], []
    for row in rows:
        if row.file not in label_of:
            missing.append(row.file)
        elif row.label != label_of[row.file]:
            contradicting.append(f"{row.file} is '{row.label}'")
    if missing:
        raise DataError(
            f"{manifest}: no photo for {name_some(missing, 'row')}; "
            "add the files or remove the rows"
        )
    if contradicting:
        raise DataError(
            f"{manifest}: class contradicts the folder in {name_some(contradicting, 'row')}; "
            "make the manifest and the folders agree"
        )
