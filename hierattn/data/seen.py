"""Recognition of photos that a run has seen: by content, then by patient within one source.

Names prove nothing: other photos are called ``MEL/1.jpg``, too, and every hospital has a patient 1.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np

from hierattn.data.groups import group_keys
from hierattn.data.pixels.hashing import photo_sha256
from hierattn.data.records import DataFolder
from hierattn.data.split_file import SplitRow
from hierattn.data.splits import Split

NEW = "new"
SAME, RELATED, NAMED = "the same content", "of the same patient or lesion", "the same name"
_ORDER = (Split.TRAIN, Split.VALIDATION, Split.TEST)
ARCHIVE_NAME = re.compile(
    r"image:ISIC_\d{7}(?:_downsampled)?|lesion:(?:HAM|BCN|MSK\d*|IL)_\d+", re.ASCII
)
"""Names that the ISIC archive gives out once, whatever challenge or paper a photo comes in."""


@dataclass(frozen=True)
class SeenPhotos:
    """What a run knows of each photo of a folder, in record order.

    Attributes:
        parts: object [N]; the part that the photo, or another of its group, played in the run, or
            :data:`NEW`.
        reasons: by what it was recognised; empty for a new one.
        namesakes: patients or lesions whose photos were taken as new, though the run knows the
            name from another source; one a photo.
    """

    parts: np.ndarray
    reasons: tuple[str, ...]
    namesakes: tuple[str, ...]

    def describe(self, chosen: np.ndarray) -> tuple[str, ...]:
        """A line for each kind of photo among ``chosen`` (bool [N]) that is not new."""
        counts = Counter(
            (str(part), reason)
            for part, reason, take in zip(self.parts, self.reasons, chosen, strict=True)
            if take and part != NEW
        )
        return tuple(
            f"{count} in the run's {part} part ({reason})"
            for (part, reason), count in sorted(counts.items())
        )


def recognise(folder: DataFolder, rows: Sequence[SplitRow]) -> SeenPhotos:
    """Find the photos of a folder among those of a run.

    A photo was seen if its bytes were; then all of its group in this folder was, too. Any other
    group is recognised by the name of its patient, lesion or image, where names are one source's:
    the run's source stands in the photo's folder, the folder's photos of a source are partly the
    run's, or the name is the ISIC archive's. Where the rows hold no hashes, as in runs of older
    versions, file names and groups must do.

    Args:
        folder: the photos.
        rows: of the run's ``splits.csv``, and of the runs that it was initialised from.

    Raises:
        HierAttnError: a photo cannot be read.
    """
    groups = group_keys(folder)
    if any(row.sha256 for row in rows):
        of_content = {row.sha256: row for row in sorted(rows, key=_weakest_first) if row.sha256}
        found = [of_content.get(photo_sha256(record.path)) for record in folder.records]
        reason = SAME
    else:
        of_name = {(row.file, row.label): row for row in sorted(rows, key=_weakest_first)}
        found = [of_name.get((record.file, record.label)) for record in folder.records]
        reason = NAMED
    same_source: set[tuple[str | None, str | None]] = {
        (row.source, row.source) for row in rows if row.source
    }
    of_group: dict[str, Split] = {}
    for record, group, row in zip(folder.records, groups, found, strict=True):
        if row is not None:
            same_source.add((record.source, row.source))
            of_group[group] = min(row.split, of_group.get(group, row.split), key=_ORDER.index)
    files = [row.file for row in rows] + [record.file for record in folder.records]
    homes = {file.partition("/")[0] for file in files}
    known: dict[str, list[SplitRow]] = defaultdict(list)
    for row in rows:
        known[_unscoped(row.group, homes)].append(row)
    told: dict[str, set[str | None]] = defaultdict(set)
    for record in folder.records:
        told[_home(record.file, folder)].add(record.source)
    parts, reasons, namesakes = [], [], []
    for record, group, row in zip(folder.records, groups, found, strict=True):
        own = None if row is None else row.split
        related = [own] if own else [of_group[group]] if group in of_group else []
        if not related and not (reason == SAME and group == f"image:{record.file}"):
            alike = known.get(_unscoped(group, homes), [])
            related = [
                other.split
                for other in alike
                if reason == NAMED
                or (record.source, other.source) in same_source
                or (other.source is not None and other.source in told[_home(record.file, folder)])
                or ARCHIVE_NAME.fullmatch(group)
            ]
            if alike and not related:
                namesakes.append(group)
        parts.append(min(related, key=_ORDER.index) if related else NEW)
        reasons.append((reason if own else RELATED) if related else "")
    return SeenPhotos(np.array(parts, dtype=object), tuple(reasons), tuple(namesakes))


def _home(file: str, folder: DataFolder) -> str:
    """The folder that a photo comes from, within which a name means one; "" if it is one alone."""
    return file.partition("/")[0] if folder.parts else ""


def _unscoped(group: str, homes: Set[str]) -> str:
    """A group's name without the folder that joining puts before a name that means several."""
    kind, _, name = group.partition(":")
    home, slash, own = name.partition("/")
    return f"{kind}:{own}" if slash and home in homes and kind != "image" else group


def _weakest_first(row: SplitRow) -> int:
    """So that of several rows of one photo the strongest, which was learnt from, counts."""
    return -_ORDER.index(row.split)
