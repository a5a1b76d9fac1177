"""Typed errors. Each message is one line that names the file or field and how to mend it."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


_STEERING = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories: controls, halves of a character (bytes that are not UTF-8), line breaks."""
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of what follows, by which a text shows as another."""


def is_control(letter: str) -> bool:
    """Whether a character does something to a terminal or page, instead of being shown."""
    return unicodedata.category(letter) in _STEERING or letter in _DIRECTIONS


def one_line(text: str) -> str:
    """The text with line breaks, terminal escapes and the like written out, such as ``\\n``.

    For words that come from files and devices: a name may hold anything. Errors, the consoles of
    :mod:`hierattn.cli.console`, figures and model cards do it to all that they are given.
    """
    if text.isprintable():
        return text
    return "".join(
        letter.encode("unicode_escape").decode() if is_control(letter) else letter
        for letter in text
    )


LONGEST_VALUE = 80
"""Of a value that a message repeats, in characters."""


class HierAttnError(Exception):
    """Base of every error a user can cause; the CLI prints it in one line and exits 1."""

    def __str__(self) -> str:
        """The message, in one line whatever the names in it hold."""
        return one_line(super().__str__())


class UnknownNameError(HierAttnError):
    """A name that is not in a closed list. The message suggests the nearest and lists all.

    Args:
        kind: what the name stands for, such as ``"model"``.
        name: the name that was given.
        valid: every name that would have been accepted.
        guess: whether to suggest one. Not for classes: nearest to "melanoma" is "No_Melanoma".
    """

    def __init__(self, kind: str, name: str, valid: Iterable[str], *, guess: bool = True) -> None:
        self.kind, self.name, self.valid = kind, name, sorted(valid)
        near = difflib.get_close_matches(name.lower(), self.valid, n=1, cutoff=0.5) if guess else []
        hint = f"; did you mean '{near[0]}'?" if near else ""
        listed = ", ".join(self.valid) or "none"
        super().__init__(f"unknown {kind} '{name}'{hint} (valid: {listed})")


class DataError(HierAttnError):
    """A data folder, manifest or split that cannot be used."""


class UnreadableImageError(DataError):
    """One image that cannot be decoded; the message names the file and the reason."""


class UnreadableImagesError(DataError):
    """Several images that cannot be decoded; the message counts and names them.

    Args:
        reasons: one line per file, each beginning with the file's name.
    """

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = list(reasons)
        shown = "; ".join(self.reasons[:5]) + ("; ..." if len(self.reasons) > 5 else "")
        plural = "image" if len(self.reasons) == 1 else "images"
        super().__init__(
            f"{len(self.reasons)} unreadable {plural}: {shown} "
            "(mend or remove them, or pass --skip-unreadable)"
        )


class ConfigError(HierAttnError):
    """A configuration value out of its range, or values that contradict each other."""


class CheckpointError(HierAttnError):
    """A weight file or run folder that is damaged, or that belongs to another model."""


class TrainingError(HierAttnError):
    """Training that cannot go on, such as a loss that is not finite."""


def first_line(error: BaseException) -> str:
    """The first line of another library's error; its kind where it has no words."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def first_problem(error: ValidationError, kind: str = "field") -> str:
    """The first problem of a record that does not fit its model, with the field where there is one.

    Such as ``field 'data.images': Input should be a valid integer (got 'six')``; of a text that is
    no JSON the message alone.

    Args:
        error: of one record.
        kind: what a field of the record is called.
    """
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if not place:
        return message
    given = first["input"]
    short = isinstance(given, str | int | float) and len(repr(given)) <= LONGEST_VALUE
    return f"{kind} '{place}': {message}" + (f" (got {given!r})" if short else "")
