"""JSON records: written in one way; read from regular files, with one wording of errors."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from export.errors import ManifestError
from hierattn.errors import first_problem


def indented_json(record: BaseModel, first: Sequence[str] = ()) -> str:
    """Indented JSON, the same for the same record.

    Args:
        first: fields to write first, in this order; the others follow in the model's.

    Raises:
        ValueError: a value is NaN or infinite.
    """
    fields = record.model_dump(mode="json", by_alias=True)
    ordered = {name: fields[name] for name in first} | fields
    return json.dumps(ordered, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def invalid_record(path: Path, error: ValidationError, mend: str = "export again") -> ManifestError:
    """The error to raise for an invalid record: names the file, the first field and the mend.

    No field is named where the file is not JSON at all.
    """
    return ManifestError(f"{path}: {first_problem(error)}; {mend}")


def refuse_double_names(path: Path, content: bytes, mend: str) -> None:
    """Refuse JSON in which an object has a name twice, of which readers take one or the other.

    Args:
        content: JSON that was parsed before.

    Raises:
        ManifestError: names the first.
    """

    def once(pairs: list[tuple[str, object]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ManifestError(f"{path}: field '{name}' stands there twice; {mend}")
            seen.add(name)

    json.loads(content, object_pairs_hook=once)


def plain_file(path: Path) -> Path:
    """Return the path of a regular file; links and devices may lead out of the folder.

    Raises:
        ManifestError: a link, a pipe, a device or a folder.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ManifestError(f"{path}: not a plain file inside the folder; export again")
    return path
