"""Progress reporting for long-running steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One progress report.

    Attributes:
        part: the component at work, such as a format or a phone; "" for the whole.
        text: what it is doing.
        done: number of items finished out of ``total``; None where nothing is counted.
        over: the text says what was done, not what is being done: it stays on the screen.
    """

    part: str
    text: str
    done: int | None = None
    total: int | None = None
    over: bool = False


Observer = Callable[[Progress], None]


def unobserved(step: Progress) -> None:
    """Ignore a progress report: the default observer."""
