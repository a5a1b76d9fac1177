"""JSON records: written in one way; read from regular files, with one wording of errors."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from export.errors import ManifestError
from hierattn.common.json_text import DoubleNameError, parse_model
from hierattn.errors import first_problem

Record = TypeVar("Record", bound=BaseModel)


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


def parse_record(
    kind: type[Record],
    path: Path,
    content: str | bytes,
    mend: str = "export again",
    *,
    strict: bool | None = None,
) -> Record:
    """Read a record from its JSON.

    Raises:
        ManifestError: a field that does not fit, or stands there twice; it is named.
    """
    try:
        return parse_model(kind, content, strict=strict)
    except ValidationError as error:
        raise invalid_record(path, error, mend) from error
    except DoubleNameError as error:
        raise ManifestError(f"{path}: {error}; {mend}") from error


def plain_file(path: Path) -> Path:
    """Return the path of a regular file; links and devices may lead out of the folder.

    Raises:
        ManifestError: a link, a pipe, a device or a folder.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ManifestError(f"{path}: not a plain file inside the folder; export again")
    return path
