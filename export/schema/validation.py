"""Strict reading of JSON records: one wording for invalid fields, and regular files only."""

from __future__ import annotations

import stat
from pathlib import Path

from pydantic import ValidationError

from export.errors import ManifestError
from hierattn.errors import first_problem


def invalid_record(path: Path, error: ValidationError, mend: str = "export again") -> ManifestError:
    """The error to raise for an invalid record: names the file, the first field and the mend.

    No field is named where the file is not JSON at all.
    """
    return ManifestError(f"{path}: {first_problem(error)}; {mend}")


def plain_file(path: Path) -> Path:
    """Return the path of a regular file; links and devices may lead out of the folder.

    Raises:
        ManifestError: a link, a pipe, a device or a folder.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ManifestError(f"{path}: not a plain file inside the folder; export again")
    return path
