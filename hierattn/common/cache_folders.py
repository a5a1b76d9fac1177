"""Locations of cache folders."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(name: str) -> Path:
    """``$XDG_CACHE_HOME/NAME``, else ``~/.cache/NAME``; not made yet.

    A relative ``$XDG_CACHE_HOME`` is ignored, as the XDG Base Directory Specification asks.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return root / name
