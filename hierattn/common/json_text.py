"""JSON that others may have written: an object that has a name twice is refused.

Readers take the first of the two, or the last: what one of them checked another would not use.
"""

from __future__ import annotations

import json
from typing import Any


class DoubleNameError(ValueError):
    """An object has a name twice; its text is the end of a sentence that begins with the file."""

    def __init__(self, name: str) -> None:
        super().__init__(f"field '{name}' stands there twice")


def parse_json(content: str | bytes) -> Any:
    """Parse JSON.

    Raises:
        DoubleNameError: an object has a name twice.
        ValueError: not JSON.
        RecursionError: nested too deeply.
    """
    return json.loads(content, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise DoubleNameError(name)
            seen.add(name)
    return found
