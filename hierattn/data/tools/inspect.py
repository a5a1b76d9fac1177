"""Inspection of a data folder: counts, groups, sizes, damage, licences, contact sheet."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict

from hierattn.common.files import regular_file
from hierattn.data.folder import read_data_folder
from hierattn.data.groups import duplicates, group_keys
from hierattn.data.readers.manifest import MANIFEST_NAME
from hierattn.data.records import STRATA, DataFolder, PassedOver
from hierattn.data.tools.contact_sheet import draw_contact_sheet, thumbnail
from hierattn.errors import ConfigError, UnreadableImageError, one_line
from hierattn.outputs import check_output
from hierattn.preprocessing import open_rgb

_WORKERS = 4
_COLUMNS = 10
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class ClassCount(_Part):
    """Photos and groups of one class."""

    name: str
    images: int
    groups: int


class SizeRange(_Part):
    """Smallest, median and largest of a size, pixels."""

    smallest: int
    median: float
    largest: int


class UnreadableFile(_Part):
    """A photo that cannot be decoded, and why."""

    file: str
    reason: str


class MixedGroup(_Part):
    """A group (patient, lesion or set of duplicates) with photos of several classes."""

    group: str
    images: dict[str, int]


class InspectionReport(_Part):
    """What :func:`inspect_folder` found.

    Attributes:
        manifest: whether there is a ``manifest.csv``.
        width, height: of the readable photos, upright; None if there is none.
        duplicates: sets of files with the very same bytes.
        contradictions: for each of these sets its classes where they differ, else nothing.
        licences: photos by licence; the empty string stands for unknown.
        strata: photos for which age, sex, site and skin tone are known.
        passed_over: what else lies in the folder, and why it was not read.
        mixed_groups: harmless for the split, but a group of one lesion in two classes is a
            labelling mistake worth a look.
    """

    root: Path
    images: int
    groups: int
    manifest: bool
    classes: tuple[ClassCount, ...]
    width: SizeRange | None
    height: SizeRange | None
    duplicates: tuple[tuple[str, ...], ...]
    contradictions: tuple[tuple[str, ...], ...]
    unreadable: tuple[UnreadableFile, ...]
    passed_over: tuple[PassedOver, ...]
    licences: dict[str, int]
    strata: dict[str, int]
    mixed_groups: tuple[MixedGroup, ...]
    contact_sheet: Path | None


def inspect_folder(
    root: str | Path,
    contact_sheet: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> InspectionReport:
    """Read every photo of a data folder once and report.

    Args:
        root: the data folder.
        contact_sheet: where to draw a PNG with up to ten photos a class; None for no sheet.
        progress: called with the photos read so far and in all.

    Raises:
        DataError: not a data folder, see :func:`hierattn.data.folder.read_data_folder`.
            Photos that cannot be decoded are reported, not raised.
        ConfigError: the sheet would lie among the photos, or replace a file that is no PNG.
        HierAttnError: the sheet cannot be written.
    """
    folder = read_data_folder(root)
    if contact_sheet is not None:
        _check_sheet(Path(contact_sheet), folder)
    groups = group_keys(folder)
    shown = _shown(folder, groups) if contact_sheet is not None else {}
    sizes: list[tuple[int, int]] = []
    unreadable: list[UnreadableFile] = []
    thumbnails: dict[int, Image.Image] = {}

    def read(position: int) -> tuple[tuple[int, int], Image.Image | None] | str:
        try:
            photo = open_rgb(folder.records[position].path)
        except UnreadableImageError as error:
            return str(error)
        return photo.size, thumbnail(photo) if position in wanted else None

    wanted = {position for positions in shown.values() for position in positions}
    with ThreadPoolExecutor(_WORKERS) as pool:
        for position, found in enumerate(pool.map(read, range(len(folder.records)))):
            if isinstance(found, str):
                reason = found.removeprefix(f"{one_line(str(folder.records[position].path))}: ")
                unreadable.append(UnreadableFile(file=folder.records[position].file, reason=reason))
            else:
                sizes.append(found[0])
                if found[1] is not None:
                    thumbnails[position] = found[1]
            if progress is not None:
                progress(position + 1, len(folder.records))
    counts = _class_counts(folder, groups)
    if contact_sheet is not None:
        from hierattn.metrics.figure_text import picture_names

        names = picture_names([count.name for count in counts])
        rows = [
            (
                f"{name}  ({count.images} images, {count.groups} groups)",
                [thumbnails.get(position) for position in shown[count.name]],
            )
            for name, count in zip(names, counts, strict=True)
        ]
        draw_contact_sheet(rows, contact_sheet)
    copies = duplicates(folder.records)
    return InspectionReport(
        root=folder.root,
        images=len(folder.records),
        groups=len(set(groups)),
        manifest=(folder.root / MANIFEST_NAME).exists(),
        classes=counts,
        width=_range([width for width, _ in sizes]),
        height=_range([height for _, height in sizes]),
        duplicates=copies,
        contradictions=_contradictions(folder, copies),
        unreadable=tuple(unreadable),
        passed_over=folder.passed_over,
        licences=dict(Counter(record.licence or "" for record in folder.records).most_common()),
        strata={
            name: sum(getattr(record, name) is not None for record in folder.records)
            for name in STRATA
        },
        mixed_groups=_mixed_groups(folder, groups),
        contact_sheet=None if contact_sheet is None else Path(contact_sheet),
    )


def _check_sheet(sheet: Path, folder: DataFolder) -> None:
    # Both where the name lies and where it leads; classes and photos may be links as well.
    real = os.path.realpath(sheet)
    places = (Path(real), Path(os.path.realpath(sheet.parent)) / sheet.name)
    homes = [os.path.realpath(folder.root / name) for name in ("", *folder.classes)]
    inside = any(place.is_relative_to(home) for place in places for home in homes)
    there = _exists(sheet)
    if inside or (there and real in {os.path.realpath(record.path) for record in folder.records}):
        raise ConfigError(
            f"{sheet}: lies inside the data folder {folder.root}; draw the contact sheet elsewhere"
        )
    check_output(sheet, option="--contact-sheet", file=True)
    if there and not _is_png(sheet):
        raise ConfigError(
            f"{sheet}: already there and not a PNG; choose another name for the contact sheet"
        )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        # A name too long or a forbidden place: writing there says so.
        return False


def _is_png(path: Path) -> bool:
    try:
        with regular_file(path).open("rb") as file:
            return file.read(len(_PNG_SIGNATURE)) == _PNG_SIGNATURE
    except OSError:
        return False


def _class_counts(folder: DataFolder, groups: tuple[str, ...]) -> tuple[ClassCount, ...]:
    images = Counter(record.label for record in folder.records)
    keys: dict[str, set[str]] = defaultdict(set)
    for record, key in zip(folder.records, groups, strict=True):
        keys[record.label].add(key)
    return tuple(
        ClassCount(name=name, images=images[name], groups=len(keys[name]))
        for name in folder.classes
    )


def _contradictions(
    folder: DataFolder, copies: tuple[tuple[str, ...], ...]
) -> tuple[tuple[str, ...], ...]:
    """For each set of copies its classes if they differ: at most one can be right."""
    labels = {record.file: record.label for record in folder.records}
    classes = [sorted({labels[file] for file in files}) for files in copies]
    return tuple(tuple(names) if len(names) > 1 else () for names in classes)


def _mixed_groups(folder: DataFolder, groups: tuple[str, ...]) -> tuple[MixedGroup, ...]:
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for record, key in zip(folder.records, groups, strict=True):
        labels[key][record.label] += 1
    return tuple(
        MixedGroup(group=key, images=dict(sorted(labels[key].items())))
        for key in sorted(labels)
        if len(labels[key]) > 1
    )


def _shown(folder: DataFolder, groups: tuple[str, ...]) -> dict[str, list[int]]:
    """Positions to show of each class: spread evenly, one a group while there are enough."""
    shown = {}
    for name in folder.classes:
        members = [i for i, record in enumerate(folder.records) if record.label == name]
        first = list({groups[position]: position for position in reversed(members)}.values())
        pool = sorted(first) if len(first) >= _COLUMNS else members
        picks = np.linspace(0, len(pool) - 1, min(_COLUMNS, len(pool))).round().astype(int)
        shown[name] = [pool[pick] for pick in picks]
    return shown


def _range(values: list[int]) -> SizeRange | None:
    if not values:
        return None
    return SizeRange(smallest=min(values), median=float(np.median(values)), largest=max(values))
