"""``apple_record.json``: what Apple's own runtime answered on somebody's Mac.

The manifest does not list it: an export is the same bytes whether or not this step was run. It
holds answers, not verdicts; whoever reads it judges them anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, FiniteFloat, model_validator

from export.errors import ManifestError
from export.schema.manifest import APPLE_RECORD
from export.schema.validation import parse_record
from hierattn.common.strict_model import StrictModel

UNITS = Literal["CPU_ONLY", "CPU_AND_GPU", "CPU_AND_NE", "ALL"]
_MEND = "run ios_demo/verify_on_mac.sh again"


class AppleRow(StrictModel):
    """The answers of one file.

    Attributes:
        sha256: of the package that was asked.
        units: what computed, in coremltools' words.
        logits: by golden image.
    """

    path: str
    sha256: str
    units: UNITS
    logits: dict[str, list[FiniteFloat]]


class AppleRecord(StrictModel):
    """One run of ``ios_demo/verify_on_mac.sh``.

    Attributes:
        system: such as ``macOS 15.1``; ``machine`` is its processor.
        coremltools: version of the package that asked.
        swift_tests: tests of the Swift core that passed there; None if they were not run.
        simulator_build: whether Xcode built the sample app for a simulator.
    """

    version: Literal[1] = Field(default=1, alias="schema")
    system: str = Field(pattern=r"^macOS [0-9]+(\.[0-9]+)*$")
    machine: Literal["arm64", "x86_64"]
    coremltools: str = Field(pattern=r"^[0-9][0-9A-Za-z.+]*$")
    swift_tests: int | None = Field(ge=1)
    simulator_build: Literal["passed", "not run"]
    rows: list[AppleRow] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_row_twice(self) -> AppleRecord:
        seen = [(row.path, row.units) for row in self.rows]
        if len(set(seen)) != len(seen):
            raise ValueError("rows name a file with the same units twice")
        return self


class KeptRecord(AppleRecord):
    """A record beside a manifest.

    Attributes:
        earlier: those that were taken in before it, newest first.
    """

    earlier: list[AppleRecord] = Field(default_factory=list)

    def alone(self) -> AppleRecord:
        """The newest record without the earlier ones."""
        return AppleRecord.model_validate(self.model_dump(exclude={"earlier"}))


def read_apple_record(path: Path, mend: str = _MEND) -> KeptRecord:
    """Read a record, strictly; of a Mac, or one that was kept.

    Raises:
        ManifestError: missing, or a field that does not fit; it is named.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise ManifestError(f"{path}: not a plain file; {mend}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}") from error
    return parse_record(KeptRecord, path, content, mend, strict=True)


def kept_record(folder: Path) -> KeptRecord | None:
    """The record of an export folder; None where none was taken in.

    Raises:
        ManifestError: damaged; names the field.
    """
    path = folder / APPLE_RECORD
    if not (path.exists() or path.is_symlink()):
        return None
    return read_apple_record(path, f"remove it, or {_MEND}")
