"""``arm64_parity.json``: what files of an export answered on aarch64, beside the manifest.

The manifest does not list it: an export is the same bytes whether or not this step was run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from export.errors import ManifestError
from export.manifest import ARM64_PARITY, ArtefactRecord, Manifest
from export.parity import Parity
from hierattn.files import write_text


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False
    )


class Arm64Row(_Part):
    """One file on one kind of processor.

    Attributes:
        sha256: of the file that answered.
        cpu: the emulator's name of the processor; ``features`` are its instruction sets.
        reference: whom it is held against, see :mod:`export.golden_answers`.
        allowed: bound on ``parity.max_relative``.
    """

    path: str
    sha256: str
    cpu: str
    features: list[str]
    reference: Literal["torch", "export"]
    allowed: float
    parity: Parity | None
    passed: bool
    reason: str | None


class Arm64Record(_Part):
    """All of one run; ``packages`` are what answered, name and version."""

    version: Literal[1] = Field(default=1, alias="schema")
    packages: list[str]
    rows: list[Arm64Row]

    @property
    def passed(self) -> bool:
        """Whether every row is."""
        return all(row.passed for row in self.rows)


def write_record(folder: Path, record: Arm64Record) -> Path:
    """Write it beside the manifest, atomically."""
    path = folder / ARM64_PARITY
    write_text(path, record.model_dump_json(by_alias=True, indent=2) + "\n")
    return path


def read_record(folder: Path) -> Arm64Record | None:
    """The record of an export folder; None where the step was not run.

    Raises:
        ManifestError: damaged; names the field.
    """
    path = folder / ARM64_PARITY
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise ManifestError(f"{path}: not a plain file; remove it")
    if not path.exists():
        return None
    try:
        return Arm64Record.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ManifestError(
            f"{path}: field '{place}': {first['msg']}; remove it, or run the step again"
        ) from error


def describe_record(folder: Path, manifest: Manifest) -> tuple[list[str], list[str]]:
    """The record in words, for ``hierattn verify``.

    Returns:
        What it says of this export's files, and what of it is a failure.
    """
    try:
        record = read_record(folder)
    except ManifestError as error:
        return [], [str(error)]
    if record is None:
        return [], []
    known = {artefact.path: artefact for artefact in manifest.artefacts}
    told, failures = [], []
    for row in record.rows:
        artefact = known.get(row.path)
        if artefact is None or artefact.sha256 != row.sha256:
            told.append(f"{row.path}: ARM64: of an earlier file; run the step again")
        elif row.passed:
            told.append(_passed_line(row, artefact))
        else:
            failures.append(f"{row.path}: ARM64, {row.cpu}: {row.reason or 'failed'}")
    return told, failures


def _passed_line(row: Arm64Row, artefact: ArtefactRecord) -> str:
    against = "torch" if row.reference == "torch" else "its own answers at export"
    found = f"{row.parity.max_relative:.1e} of {against}" if row.parity else "as expected"
    who = row.parity.evaluator if row.parity else "unknown"
    return f"{artefact.path}: ARM64, {row.cpu}, {who}: within {found} (allowed {row.allowed:g})"
