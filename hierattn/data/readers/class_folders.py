"""Finding the class folders of a data folder: directly in it, or in its splits or parts."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from hierattn.data.readers.listing import Listing
from hierattn.data.readers.presets import no_classes_among, parts_among, split_of_folder
from hierattn.data.readers.tables import name_some
from hierattn.errors import DataError, one_line
from hierattn.preprocessing import PHOTO_FORMATS


def class_depth(listing: Listing) -> int:
    """How many folders lie above the class folders: 0, or 1 where splits or parts do.

    Raises:
        DataError: there is no folder; splits stand beside classes or in them; only one split is
            there; photos of a split or part lie in no class folder; or folders of masks or of
            unlabelled photos stand where classes should.
    """
    root, names = listing.root, folders_at(listing, 0)
    if not names:
        mend = _mend(root, "put the photos into one folder a class")
        raise DataError(f"{root}: holds no class folder; {mend}")
    filled = {file.split("/")[0] for file in listing.photos if "/" in file}
    splits = [name for name in names if split_of_folder(name)]
    above = splits or parts_among([name for name in names if name in filled])
    if not above:
        _check_classes(listing, sorted(filled))
        return 0
    what = "splits" if splits else "parts of one download"
    others = [name for name in names if name not in above and name in filled]
    if others:
        mend = _mend(root, "move one of the two kinds elsewhere")
        raise DataError(
            f"{root}: {', '.join(above)} named as {what}, not as classes, but beside "
            f"{name_some(others, 'other folder')}; {mend}"
        )
    flat = [file for file in listing.photos if file.count("/") == 1]
    if flat:
        mend = _mend(root, "put them into one folder a class, or move them elsewhere")
        raise DataError(
            f"{root}: the folders {', '.join(above)} are {what}, not classes, but "
            f"{name_some(flat, 'photo')} in them lie in no class folder; {mend}"
        )
    if splits and len({split_of_folder(name) for name in splits}) == 1:
        mend = _mend(root, f"pass {root / splits[0]}")
        raise DataError(f"{root}: holds no class folder but {', '.join(splits)}; {mend}")
    return 1


def class_names(listing: Listing, depth: int) -> tuple[str, ...]:
    """The classes, sorted by name.

    Raises:
        DataError: only one class, an empty class, classes whose names differ only by case or
            blanks, or a name that holds a line break or another control character.
    """
    root = listing.root
    filled = {file.split("/")[depth] for file in listing.photos if file.count("/") > depth}
    # An empty class folder of one split is no mistake where another split has photos of it.
    names = sorted(set(folders_at(listing, depth)))
    seen: dict[str, str] = {}
    for name in names:
        _check_name(root, name)
        other = seen.setdefault(_plain(name), name)
        if other != name:
            raise DataError(
                f"{root}: classes '{other}' and '{name}' differ only by case or blanks; merge them"
            )
    empty = [name for name in names if name not in filled]
    if empty:
        raise DataError(
            f"{root}: no photo in {name_some(empty, 'class')}; add photos "
            f"({', '.join(sorted(PHOTO_FORMATS))}) or remove the folder{_unread(listing, empty)}"
        )
    if len(names) == 1:
        mend = "a classifier needs two or more"
        if len(folders_at(listing, depth + 1)) > 1:
            mend = f"{mend}; do you mean {root / names[0]}?"
        raise DataError(f"{root}: only one class ({names[0]}); {_mend(root, mend)}")
    return tuple(names)


def _check_classes(listing: Listing, filled: Sequence[str]) -> None:
    """Refuse folders named as something else than classes, and classes that hold splits."""
    root, strange = listing.root, no_classes_among(filled)
    if strange:
        mend = _mend(root, "put the photos into one folder a class, and move the rest elsewhere")
        raise DataError(
            f"{root}: {name_some(strange, 'folder')} named as what lies beside photos, not as "
            f"classes; {mend}"
        )
    within = {file.split("/")[1] for file in listing.photos if file.count("/") > 1}
    splits = sorted(name for name in within if split_of_folder(name))
    if len({split_of_folder(name) for name in splits}) > 1:
        of_one = filled[0]
        raise DataError(
            f"{root}: the folders of the classes hold the splits {', '.join(splits)}; a split that "
            f"is to be followed stands above the classes: {splits[-1]}/{of_one} instead of "
            f"{of_one}/{splits[-1]}"
        )


def check_links(root: Path) -> None:
    """Check that no link directly in a data folder is broken: it would be a class, or a table.

    Raises:
        DataError: one leads nowhere, or to a folder that the data folder lies in.
    """
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"{root}: cannot be listed ({error.strerror or error})") from error
    for entry in entries:
        if not entry.is_symlink() or entry.name.startswith("."):
            continue
        link = root / entry.name
        try:
            target = os.path.realpath(link, strict=True)
        except OSError as error:
            raise DataError(
                f"{link}: a link that leads nowhere ({error.strerror or error}); mend or remove it"
            ) from error
        if Path(os.path.realpath(root)).is_relative_to(target):
            raise DataError(f"{link}: a link to a folder that it lies in; remove it")


def folders_at(listing: Listing, depth: int) -> list[str]:
    """The own names of all folders of one depth, 0 being those directly in the root."""
    return [name.split("/")[depth] for name in listing.folders if name.count("/") == depth]


def _mend(root: Path, otherwise: str) -> str:
    """Which layout fits, if the table of a published data set lies there."""
    # Layouts read data folders, so the import waits.
    from hierattn.data.layouts.registry import published_layout

    above = Path(os.path.realpath(root)).parent
    # The table may lie beside the photos' folder; other places above are nobody's download.
    beside = [path for path in above.glob("*") if path.suffix.lower() in (".csv", ".tab")]
    for place in (root, above) if beside else (root,):
        layout = published_layout(place)
        if layout is not None:
            return f"it is laid out as {layout.name}: hierattn data prepare {place} --out DATA"
    return otherwise


def _check_name(root: Path, name: str) -> None:
    if one_line(name) != name:
        raise DataError(
            f"{root}: class folder '{name}' has a line break or control character in its name; "
            "rename it"
        )


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _unread(listing: Listing, classes: Sequence[str]) -> str:
    """What lies in empty classes instead of photos, if anything does."""
    reasons = {
        entry.reason
        for entry in listing.passed_over
        if set(entry.file.split("/")).intersection(classes)
    }
    return f" ({'; '.join(sorted(reasons))})" if reasons else ""
