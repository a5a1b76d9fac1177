"""``arm64_parity.json``: what files of an export answered on aarch64, beside the manifest.

The manifest does not list it: an export is the same bytes whether or not this step was run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from export.errors import ManifestError
from export.golden_answers import Expectation, expect, read_golden
from export.manifest import ARM64_PARITY, ArtefactRecord, Manifest, read_manifest
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
    """The last verdict on every file and processor; ``packages`` are what answered, with version.

    Where runs with other packages were added up, ``packages`` are those of all of them.
    """

    version: Literal[1] = Field(default=1, alias="schema")
    packages: list[str]
    rows: list[Arm64Row]

    @property
    def passed(self) -> bool:
        """Whether every row is."""
        return all(row.passed for row in self.rows)


def write_record(folder: Path, record: Arm64Record) -> Arm64Record:
    """Write a run's rows beside the manifest, atomically; returns all that stands there now.

    Earlier rows of these very files stay, unless the run has the same file and processor. A record
    that cannot be read is replaced.
    """
    try:
        earlier = read_record(folder)
    except ManifestError:
        earlier = None
    if earlier is not None:
        record = _added(earlier, record, read_manifest(folder))
    write_text(folder / ARM64_PARITY, record.model_dump_json(by_alias=True, indent=2) + "\n")
    return record


def _added(earlier: Arm64Record, record: Arm64Record, manifest: Manifest) -> Arm64Record:
    hashes = {artefact.path: artefact.sha256 for artefact in manifest.artefacts}
    asked = {(row.path, row.cpu) for row in record.rows}
    kept = [
        row
        for row in earlier.rows
        if row.sha256 == hashes.get(row.path) and (row.path, row.cpu) not in asked
    ]
    if not kept:
        return record
    packages = sorted({*earlier.packages, *record.packages})
    return Arm64Record(packages=packages, rows=[*kept, *record.rows])


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
    """The record in words, for ``hierattn verify``; every row is judged again.

    Returns:
        What it says of this export's files, and what of it is a failure.
    """
    try:
        record = read_record(folder)
    except ManifestError as error:
        return [], [str(error)]
    if record is None:
        return [], []
    try:
        selftest, answers = read_golden(folder, manifest)
    except ManifestError as error:
        return [], [str(error)]
    known = {artefact.path: artefact for artefact in manifest.artefacts}
    told, failures = [], []
    for row in record.rows:
        artefact = known.get(row.path)
        if artefact is None or artefact.sha256 != row.sha256:
            told.append(f"{row.path}: ARM64: of an earlier file; run the step again")
            continue
        try:
            reason = _shortfall(row, expect(artefact, selftest, answers))
        except ManifestError as error:
            reason = str(error)
        if reason is None:
            told.append(_passed_line(row, artefact))
        else:
            failures.append(f"{row.path}: ARM64, {row.cpu}: {reason}")
    return told, failures


def _shortfall(row: Arm64Row, expected: Expectation) -> str | None:
    """Why a row does not count as passed; its own verdict can only make things worse."""
    if row.allowed != expected.max_relative or row.reference != expected.reference:
        return (
            f"judged within {row.allowed:g} of '{row.reference}', not {expected.max_relative:g} of "
            f"'{expected.reference}' as this export states; run the step again"
        )
    if row.parity is None:
        return row.reason or "no answer"
    if row.parity.max_relative > row.allowed:
        return row.reason or (
            f"relative difference {row.parity.max_relative:.2g} is above {row.allowed:g}"
        )
    return None if row.passed else row.reason or "failed"


def _passed_line(row: Arm64Row, artefact: ArtefactRecord) -> str:
    against = "torch" if row.reference == "torch" else "its own answers at export"
    found = f"{row.parity.max_relative:.1e} of {against}" if row.parity else "as expected"
    who = row.parity.evaluator if row.parity else "unknown"
    return f"{artefact.path}: ARM64, {row.cpu}, {who}: within {found} (allowed {row.allowed:g})"
