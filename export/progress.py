"""How long work says what it is doing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One step, for whoever draws it.

    Attributes:
        part: what works, such as a format; "" for the whole.
        text: what it does.
        done: of ``total``, where it counts.
    """

    part: str
    text: str
    done: int | None = None
    total: int | None = None


Observer = Callable[[Progress], None]


def unobserved(step: Progress) -> None:
    """Nobody is watching."""
