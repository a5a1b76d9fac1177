"""Class names made fit for matplotlib figures."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence

from matplotlib.font_manager import FontProperties, findfont, get_font

_JOINED = {"R", "AL", "AN"}
"""Bidirectional classes of scripts that run from right to left, which matplotlib does not turn."""


def figure_names(classes: Sequence[str]) -> tuple[str, ...]:
    """Each name as it may stand in a figure: itself, or "class 3" where the font cannot write it.

    matplotlib's own font has no Chinese, Japanese or emoji, and Arabic would be written backwards
    with unjoined letters; a row of empty boxes names nothing. The number is the place in the list
    of classes, from 1. Dollar signs are escaped: matplotlib would read mathematics between them.
    """
    return tuple(name.replace("$", r"\$") for name in picture_names(classes))


def figure_line(text: str) -> str:
    """Text as it may stand in a figure: letters that the font cannot write become boxes."""
    return "".join(letter if _can_write(letter) else "□" for letter in text).replace("$", r"\$")


def picture_names(classes: Sequence[str]) -> tuple[str, ...]:
    """As :func:`figure_names`, for a picture that is written on in :func:`font_file`."""
    return tuple(
        name if _can_write(name) else f"class {place}" for place, name in enumerate(classes, 1)
    )


def font_file() -> str:
    """Path of matplotlib's own font."""
    return str(findfont(FontProperties()))


def substitute_note(classes: Sequence[str]) -> str:
    """What "class 3" stands for, to be printed in words beside the figures; "" if none does."""
    replaced = [
        f"class {place} is {name}" for place, name in enumerate(classes, 1) if not _can_write(name)
    ]
    return "; ".join(replaced)


def _can_write(name: str) -> bool:
    return all(
        ord(letter) in _letters() and unicodedata.bidirectional(letter) not in _JOINED
        for letter in name
    )


@functools.cache
def _letters() -> frozenset[int]:
    font = get_font(font_file())
    return frozenset(font.get_charmap())
