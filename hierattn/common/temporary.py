"""Temporary array files, passed from one process to another."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from hierattn.errors import HierAttnError


def save_temporary(path: Path, array: np.ndarray) -> None:
    """Write an array as ``.npy`` below the folder for temporary files.

    Raises:
        HierAttnError: there is no room; the folder is named, and that ``TMPDIR`` moves it.
    """
    try:
        np.save(path, array)
    except OSError as error:
        # NumPy counts the elements that it could not write, and gives no error number.
        raise HierAttnError(
            f"{tempfile.gettempdir()}: no room for {array.nbytes / 1e6:.0f} MB of temporary files "
            f"({error.strerror or error}); make room there, or set TMPDIR to another folder"
        ) from error
