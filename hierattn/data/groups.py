"""Groups of photos that must not be parted: of one patient, one lesion, or with the same bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress

from hierattn.data.pixels.hashing import photo_sha256
from hierattn.data.records import DataFolder, Record
from hierattn.errors import HierAttnError


def group_keys(folder: DataFolder) -> tuple[str, ...]:
    """The group of each record, in record order.

    Records that share a patient, a lesion or the very bytes of the file are one group,
    transitively. Its key is the first of its members' own groups, patients before lesions
    before images, so it does not depend on their order.
    """
    parent = list(range(len(folder.records)))

    def find(position: int) -> int:
        while parent[position] != position:
            parent[position] = parent[parent[position]]
            position = parent[position]
        return position

    first_with: dict[str, int] = {}
    digests = _digests(folder.records)
    for position, record in enumerate(folder.records):
        shared = [record.group]
        if record.lesion_id:
            shared.append(f"lesion:{record.lesion_id}")
        if position in digests:
            shared.append(f"sha256:{digests[position]}")
        for key in shared:
            parent[find(position)] = find(first_with.setdefault(key, position))
    roots = [find(position) for position in range(len(parent))]
    name: dict[int, str] = {}
    for root, record in zip(roots, folder.records, strict=True):
        name[root] = min(name.get(root, record.group), record.group, key=_precedence)
    return tuple(name[root] for root in roots)


def duplicates(records: Sequence[Record]) -> tuple[tuple[str, ...], ...]:
    """Sets of files with the very same bytes, each sorted, in file order."""
    same: dict[str, list[str]] = defaultdict(list)
    for position, digest in _digests(records).items():
        same[digest].append(records[position].file)
    return tuple(sorted(tuple(sorted(files)) for files in same.values() if len(files) > 1))


def _precedence(key: str) -> tuple[int, str]:
    return ("patient", "lesion", "image").index(key.partition(":")[0]), key


def _digests(records: Sequence[Record]) -> dict[int, str]:
    """SHA-256 by position, only of files that share their size with another file.

    A file that cannot be read is left out: it is nobody's duplicate, and decoding names it.
    """
    by_size: dict[int, list[int]] = defaultdict(list)
    for position, record in enumerate(records):
        with suppress(OSError):
            by_size[record.path.stat().st_size].append(position)
    digests = {}
    for positions in by_size.values():
        for position in positions if len(positions) > 1 else ():
            with suppress(HierAttnError):
                digests[position] = photo_sha256(records[position].path)
    return digests
