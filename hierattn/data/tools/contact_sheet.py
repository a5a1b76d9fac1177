"""Contact sheet of a data folder: thumbnails, one row a class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from hierattn.common.files import atomic_path

_SIDE = 112
_GAP = 6
_TITLE = 24
_PAPER = (250, 250, 248)
_INK = (30, 30, 30)
_HOLE = (205, 205, 200)


def thumbnail(photo: Image.Image) -> Image.Image:
    """The photo inside a square of 112 pixels, its aspect ratio kept."""
    return ImageOps.pad(photo, (_SIDE, _SIDE), Image.Resampling.LANCZOS, color=_HOLE)


def draw_contact_sheet(
    rows: Sequence[tuple[str, Sequence[Image.Image | None]]], path: str | Path
) -> None:
    """Draw titled rows of thumbnails as a PNG, atomically; None is a photo that was unreadable.

    Raises:
        HierAttnError: the file cannot be written.
    """
    from hierattn.metrics.figure_text import font_file

    columns = max((len(pictures) for _, pictures in rows), default=1)
    width = _GAP + columns * (_SIDE + _GAP)
    step = _TITLE + _SIDE + _GAP
    sheet = Image.new("RGB", (width, _GAP + len(rows) * step), _PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(font_file(), size=13)
    for row, (title, pictures) in enumerate(rows):
        top = _GAP + row * step
        pen.text((_GAP, top + 2), title, fill=_INK, font=font)
        for column, picture in enumerate(pictures):
            corner = (_GAP + column * (_SIDE + _GAP), top + _TITLE)
            if picture is not None:
                sheet.paste(picture, corner)
                continue
            pen.rectangle((corner, (corner[0] + _SIDE - 1, corner[1] + _SIDE - 1)), fill=_HOLE)
            pen.text((corner[0] + 8, corner[1] + 46), "unreadable", fill=_INK, font=font)
    with atomic_path(path) as temporary:
        sheet.save(temporary, format="PNG")
