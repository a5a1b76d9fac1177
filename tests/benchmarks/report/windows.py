"""Windows in which the page is opened, and what it says and asks for there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

WINDOWS = {"phone": (390, 844), "desktop": (1280, 900)}


THEMES = ("light", "dark")


OPEN_ALL = "document.querySelectorAll('details').forEach((d) => { d.open = true; })"


@dataclass
class Opened:
    """A page and all that it said and asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)
