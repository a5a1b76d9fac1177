"""A task for the app on a device, of whatever kind: its name and arguments, and its timeouts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Timeouts:
    """Timeouts of a task, seconds.

    Attributes:
        task: limit of the whole task in the app.
        poll: interval between two queries of its state.
    """

    task: float = 600.0
    poll: float = 1.0


@dataclass(frozen=True)
class Task:
    """A task of the app; ``kind`` is the prefix of its files, ``extras`` are its arguments.

    On Android, ``activity`` is started with the extras as those of its intent.
    """

    kind: str
    activity: str
    extras: Mapping[str, int] = field(default_factory=dict)


SELF_TEST = Task("selftest", ".SelfTestActivity")
ReportProgress = Callable[[str, int | None, int | None], None]
"""Called with what is being done, the number of items done, and their total, or None."""
