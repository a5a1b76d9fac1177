"""Checkpoints inside the package, by name; imports no PyTorch."""

from __future__ import annotations

from pathlib import Path

from hierattn.run_files import CONFIG

SHIPPED = Path(__file__).parent / "checkpoints"


def run_names(shelf: Path = SHIPPED) -> list[str]:
    """Names of the run folders in ``shelf``, ``<model>.<data set>``."""
    return sorted(path.parent.name for path in shelf.glob(f"*/{CONFIG}"))
