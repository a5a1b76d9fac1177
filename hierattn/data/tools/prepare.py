"""Conversion of a downloaded data set to a data folder with a manifest."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from hierattn.common.staging import staged_folder
from hierattn.data.folder import HOMELESS, check_folder, read_data_folder
from hierattn.data.layouts import folders
from hierattn.data.layouts.registry import find_layout
from hierattn.data.readers.listing import Listing, outside
from hierattn.data.readers.manifest import MANIFEST_NAME, write_manifest
from hierattn.data.readers.tables import name_some
from hierattn.data.records import PassedOver, Record
from hierattn.errors import DataError
from hierattn.outputs import check_output

# Layouts read these, or the data set explains itself by them; no photo hides there.
_TABLES = (".csv", ".tab", "_metadata")


class PrepareReport(BaseModel):
    """What :func:`prepare` did.

    Attributes:
        images: photos written, by class.
        groups: patients, else lesions, else images.
        unlisted: photos below the source that no row of its table names; left out.
        splits: photos in each part of the official split; empty where there is none.
        passed_over: what was not taken, and why: these photos, and whatever is neither a photo
            that can be read here nor a table.
        licences: photos by licence; the empty string stands for unknown.
    """

    model_config = ConfigDict(frozen=True)

    layout: str
    out: Path
    images: dict[str, int]
    groups: int
    unlisted: int
    splits: dict[str, int]
    passed_over: tuple[PassedOver, ...]
    licences: dict[str, int]
    linked: bool


def prepare(
    source: str | Path,
    out: str | Path,
    layout: str | None = None,
    link: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> PrepareReport:
    """Copy a data set's photos into class folders with a manifest; all of it or nothing.

    Args:
        source: the download, unpacked; tables and photos may lie at any depth.
        out: the data folder to make; it must not exist, or be empty.
        layout: a layout's name; recognised if None.
        link: make symbolic links instead of copies.
        progress: called with the photos written so far and in all.

    Raises:
        UnknownNameError: no layout of that name.
        ConfigError: ``out`` lies where nothing may be written, see :func:`check_output`.
        DataError: a source that no layout recognises or that is incomplete, two photos for one
            place, or an ``out`` that is not empty or cannot be written.
    """
    source, out = Path(source), Path(out)
    check_folder(source)
    check_output(out, source)
    with staged_folder(out) as staging:
        chosen = find_layout(source, layout)
        records = sorted(chosen.read(source), key=lambda record: record.file)
        clashing = [
            name
            for name, count in Counter(record.file.casefold() for record in records).items()
            if count > 1
        ]
        if clashing:
            raise DataError(f"{source}: two photos for the place of {name_some(clashing, 'photo')}")
        for done, record in enumerate(records, start=1):
            target = staging / record.file
            target.parent.mkdir(parents=True, exist_ok=True)
            if link:
                target.symlink_to(os.path.realpath(record.path))
            else:
                shutil.copyfile(record.path, target)
            if progress is not None:
                progress(done, len(records))
        placed = [replace(record, path=staging / record.file) for record in records]
        write_manifest(staging / MANIFEST_NAME, placed)
        try:
            read_data_folder(staging)
        except DataError as error:
            # The user knows nothing of the folder it is made in.
            raise DataError(str(error).replace(str(staging), str(out))) from error
    unlisted, passed_over = _left_out(source, chosen.name, records)
    return PrepareReport(
        layout=chosen.name,
        out=out,
        images=dict(sorted(Counter(record.label for record in records).items())),
        groups=len({record.group for record in records}),
        unlisted=unlisted,
        splits=dict(Counter(record.split for record in records if record.split)),
        passed_over=passed_over,
        licences=dict(sorted(Counter(record.licence or "" for record in records).items())),
        linked=link,
    )


def _left_out(
    source: Path, layout: str, records: Sequence[Record]
) -> tuple[int, tuple[PassedOver, ...]]:
    """How many photos below ``source`` were not taken, and everything that was not."""
    if layout == folders.NAME:
        passed_over = read_data_folder(source).passed_over
        return sum(entry.reason == HOMELESS for entry in passed_over), passed_over
    listing = Listing(source)
    # A second copy of a photo that was taken, such as some downloads hold, is not lost.
    taken = {record.path.name for record in records}
    unlisted = [file for file, path in listing.photos.items() if path.name not in taken]
    others = [entry for entry in listing.passed_over if not entry.file.lower().endswith(_TABLES)]
    return len(unlisted), (*outside(unlisted, "no row of the data set's table names it"), *others)
