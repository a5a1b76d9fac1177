"""Reading JSON records strictly: one wording for what does not fit, and plain files only."""

from __future__ import annotations

import stat
from pathlib import Path

from pydantic import ValidationError

from export.errors import ManifestError


def unfit(path: Path, error: ValidationError, mend: str = "export again") -> ManifestError:
    """The error to raise: names the file, the first field (none where it is no JSON), the mend."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    where = f"field '{place}': " if place else ""
    return ManifestError(f"{path}: {where}{first['msg']}; {mend}")


def plain_file(path: Path) -> Path:
    """The path of a plain file.

    Raises:
        ManifestError: a link, a pipe, a device or a folder.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ManifestError(f"{path}: not a plain file inside the folder; export again")
    return path
