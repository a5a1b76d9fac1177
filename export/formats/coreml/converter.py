"""coremltools, loaded without the packages whose models it could convert as well."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

_FOREIGN = ("sklearn", "torchao", "transformers", "xgboost", "tensorflow")
"""Tried by coremltools when it is imported; all of them take seconds to load."""


def load_coremltools() -> Any:
    """The package. Where one of the others is loaded already, it stays."""
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    absent = [name for name in _FOREIGN if name not in modules]
    modules.update(dict.fromkeys(absent))  # with None, an import fails at once
    try:
        import coremltools
    finally:
        for name in absent:
            modules.pop(name, None)
    return coremltools
