"""Decoding of all photos of a folder to uint8 pixels."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from hierattn.data.pixels.allocate import allocate_pixels
from hierattn.data.pixels.hashing import photo_sha256
from hierattn.data.pixels.store import PixelStore, default_store
from hierattn.data.records import DataFolder, Record
from hierattn.errors import DataError, HierAttnError, UnreadableImageError, UnreadableImagesError
from hierattn.preprocessing import PreprocessSpec


@dataclass(frozen=True)
class PixelCache:
    """A data folder with its pixels.

    Attributes:
        folder: the records that could be read.
        pixels: uint8 [N, S, S, 3] in record order; see :func:`allocate_pixels`.
        skipped: one line for each photo left out as unreadable.
    """

    folder: DataFolder
    pixels: np.ndarray
    skipped: tuple[str, ...] = ()


def decode_folder(
    folder: DataFolder,
    spec: PreprocessSpec,
    *,
    skip_unreadable: bool = False,
    workers: int = 4,
    progress: Callable[[int, int], None] | None = None,
) -> PixelCache:
    """Decode and resize every record, or take what an earlier command decoded.

    Args:
        folder: what to read.
        spec: the preprocessing.
        skip_unreadable: leave unreadable photos out instead of stopping.
        workers: threads; Pillow releases the interpreter lock while it decodes.
        progress: called with (done, all).

    Raises:
        UnreadableImagesError: some photos cannot be decoded; all of them are named.
        DataError: nothing is left of a class once the unreadable are skipped, or the pixels have no
            room on the disk.
    """
    side, store = spec.image_size, default_store()
    pixels = allocate_pixels(len(folder.records), side)

    def read(index: int) -> str | None:
        try:
            pixels[index] = _load(folder.records[index], spec, store)
        except UnreadableImageError as error:
            return str(error)
        return None

    reasons: list[str | None] = []
    with ThreadPoolExecutor(workers) as pool:
        for reason in pool.map(read, range(len(folder.records))):
            reasons.append(reason)
            if progress is not None:
                progress(len(reasons), len(folder.records))
    if store is not None:
        store.clear_excess()
    skipped = tuple(reason for reason in reasons if reason is not None)
    if not skipped:
        return PixelCache(folder, pixels)
    if not skip_unreadable:
        raise UnreadableImagesError(skipped)
    kept = [index for index, reason in enumerate(reasons) if reason is None]
    records = tuple(folder.records[index] for index in kept)
    # A class may have had no photo here to begin with, such as in one split of a folder.
    before = {record.label for record in folder.records}
    lost = sorted(before - {record.label for record in records})
    for name in lost:
        raise DataError(f"class '{name}' has no readable photo left in {folder.place}")
    for place, index in enumerate(kept):  # in place: a copy might not fit into the memory
        pixels[place] = pixels[index]
    return PixelCache(replace(folder, records=records), pixels[: len(kept)], skipped)


def _load(record: Record, spec: PreprocessSpec, store: PixelStore | None) -> np.ndarray:
    if store is None:
        return spec.load(record.path)
    try:
        digest = photo_sha256(record.path)
    except HierAttnError:
        return spec.load(record.path)  # which words the error
    pixels = store.read(digest, spec)
    if pixels is None:
        pixels = spec.load(record.path)
        store.write(digest, spec, pixels)
    return pixels
