"""The layouts that ``data prepare`` reads, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hierattn.data.layouts import folders, ham10000, isic_2017, isic_2018, isic_2019, pad_ufes_20
from hierattn.data.records import Record
from hierattn.errors import DataError, UnknownNameError


@dataclass(frozen=True)
class Layout:
    """How one published data set lies on disk.

    Attributes:
        detect: whether a folder is laid out so.
        read: the photos, ``path`` where each lies and ``file`` where it is to go.
    """

    name: str
    detect: Callable[[Path], bool]
    read: Callable[[Path], list[Record]]


PUBLISHED = tuple(
    Layout(module.NAME, module.detect, module.read)
    for module in (isic_2019, ham10000, isic_2018, isic_2017, pad_ufes_20)
)
LAYOUTS = (*PUBLISHED, Layout(folders.NAME, folders.detect, folders.read))


def published_layout(source: Path) -> Layout | None:
    """The first layout of a published data set that recognises ``source``, if any does."""
    return next((layout for layout in PUBLISHED if layout.detect(source)), None)


def find_layout(source: Path, name: str | None = None) -> Layout:
    """The layout of that name, else the first that recognises ``source``.

    Raises:
        UnknownNameError: no layout is called ``name``.
        DataError: no layout recognises ``source``.
    """
    names = [layout.name for layout in LAYOUTS]
    if name is not None and name not in names:
        raise UnknownNameError("layout", name, names)
    for layout in LAYOUTS:
        if layout.name == name or (name is None and layout.detect(source)):
            return layout
    raise DataError(
        f"{source}: not laid out as any of {', '.join(names)}: neither a published metadata table "
        "nor two class folders with photos were found"
    )
