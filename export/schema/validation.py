"""One wording for records of an export whose fields do not fit."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from export.errors import ManifestError


def unfit(path: Path, error: ValidationError, mend: str = "export again") -> ManifestError:
    """The error to raise: names the file, the first field (none where it is no JSON), the mend."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    where = f"field '{place}': " if place else ""
    return ManifestError(f"{path}: {where}{first['msg']}; {mend}")
