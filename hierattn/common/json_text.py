"""JSON that others may have written: an object that has a name twice is refused.

Readers take the first of the two, or the last: what one of them checked another would not use.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)


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


def parse_model(kind: type[Model], content: str | bytes, *, strict: bool | None = None) -> Model:
    """Parse the JSON of a model.

    Raises:
        ValidationError: pydantic's; not JSON, or a field does not fit.
        DoubleNameError: an object has a name twice.
    """
    model = kind.model_validate_json(content, strict=strict)
    parse_json(content)
    return model


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise DoubleNameError(name)
            seen.add(name)
    return found
