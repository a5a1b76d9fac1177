"""Listing of a folder: its photos, and every file that was passed over, with the reason.

The one walk through folders that hold photos. Nothing is opened.
"""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from hierattn.data.readers.tables import name_some
from hierattn.data.records import PassedOver
from hierattn.errors import DataError, one_line
from hierattn.preprocessing import PHOTO_FORMATS, missing_reader

_LITTER = frozenset({"__macosx", "@eadir", "thumbs.db", "ehthumbs.db", "desktop.ini"})


class Listing:
    """The content of a folder, hidden files and the litter of file managers left out.

    Attributes:
        root: the folder.
        photos: the path of each photo by its name relative to ``root``, sorted; accents in names
            have one form (Unicode NFC), whatever form the file system has.
        folders: names of all folders below ``root``, sorted, empty ones as well.
        passed_over: what else lies there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.photos: dict[str, Path] = {}
        self.folders: list[str] = []
        self.passed_over: list[PassedOver] = []
        self._real = os.path.realpath(root)
        self._linked: set[str] = set()
        waiting = deque([("", root)])
        while waiting:
            waiting += self._read(*waiting.popleft())
        self.photos = dict(sorted(self.photos.items()))
        self.folders.sort()
        self.passed_over.sort(key=lambda entry: entry.file)

    def _read(self, name: str, folder: Path) -> list[tuple[str, Path]]:
        """Take in one folder; returns the folders in it that are to be read next."""
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise DataError(f"{folder}: cannot be listed ({error.strerror or error})") from error
        below = []
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() in _LITTER:
                continue
            path = folder / entry.name
            check_utf8(path)
            relative = one_form(f"{name}/{entry.name}" if name else entry.name)
            if _is_folder(entry):
                reason = self._link_reason(path) if entry.is_symlink() else None
                if reason is None:
                    self.folders.append(relative)
                    below.append((relative, path))
                else:
                    self.passed_over.append(PassedOver(file=f"{relative}/", reason=reason))
                continue
            reason = _file_reason(entry)
            if reason is not None:
                self.passed_over.append(PassedOver(file=relative, reason=reason))
            elif relative in self.photos:
                raise DataError(
                    f"{path}: another file has the same name but for how its accents are stored; "
                    "rename one of them"
                )
            else:
                self.photos[relative] = path
        return below

    def _link_reason(self, link: Path) -> str | None:
        """Why a link to a folder is not followed: nothing is to be read twice, or for ever."""
        target = os.path.realpath(link)
        if Path(self._real).is_relative_to(target):
            return "a link to a folder that it lies in"
        if Path(target).is_relative_to(self._real):
            return "a link to a folder that is read in its own place"
        for other in self._linked:
            if Path(target).is_relative_to(other) or Path(other).is_relative_to(target):
                return "a link to a folder that is read through another link"
        self._linked.add(target)
        return None


def summarise(passed_over: Iterable[PassedOver]) -> list[str]:
    """A line for each reason, with how many were passed over for it, and the first by name."""
    of: dict[str, list[str]] = defaultdict(list)
    for entry in passed_over:
        of[entry.reason].append(one_line(entry.file))
    return [f"{name_some(files, 'file')}: {reason}" for reason, files in of.items()]


def outside(files: Sequence[str], reason: str) -> list[PassedOver]:
    """Photos that were found but have no place."""
    return [PassedOver(file=file, reason=reason) for file in files]


def one_form(name: str) -> str:
    """A name with its accents in one form (Unicode NFC): file systems store either."""
    return unicodedata.normalize("NFC", name)


def check_utf8(path: Path) -> None:
    """Tables and reports are UTF-8, so a name of other bytes could not be written there.

    Raises:
        DataError: the path is not valid UTF-8.
    """
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise DataError(f"{shown}: the name is not valid UTF-8; rename it") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # Such as a link to itself.
        return False


def _file_reason(entry: os.DirEntry[str]) -> str | None:
    """Why a file is not taken as a photo; None if it is one by its name and kind.

    A photo's link that leads nowhere passes: decoding names it.
    """
    suffix = PurePosixPath(entry.name).suffix.lower()
    if suffix in PHOTO_FORMATS:
        # Reading from a pipe or a device might never end.
        special = not _is_file(entry) and not _leads_nowhere(entry)
        return "not a regular file" if special else missing_reader(suffix)
    if entry.is_symlink() and _leads_nowhere(entry):
        return "a link that leads nowhere"
    return f"{suffix or 'a name without a suffix'} is not read as a photo"


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _leads_nowhere(entry: os.DirEntry[str]) -> bool:
    try:
        entry.stat()
    except OSError:
        return True
    return False
