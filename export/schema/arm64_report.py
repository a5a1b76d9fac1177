"""``arm64_parity.json``: parity of exported files on an emulated aarch64 processor.

The manifest does not list it: an export is the same bytes whether or not this step was run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from export.errors import ManifestError
from export.schema.manifest import ARM64_PARITY
from export.schema.parity import Parity
from export.schema.validation import parse_record
from hierattn.common.strict_model import StrictModel


class Arm64Row(StrictModel):
    """Result of one file on one kind of processor.

    Attributes:
        sha256: of the file that was run.
        cpu: the emulator's name of the processor; ``features`` are its instruction sets.
        reference: origin of the expected logits, see :mod:`export.checks.golden.conformance`.
        allowed: bound on ``parity.max_relative``.
        images: golden images asked; None in reports of earlier versions.
        decisions: those on which the file decides as expected; None without an answer.
    """

    path: str
    sha256: str
    cpu: str
    features: list[str]
    reference: Literal["torch", "export"]
    allowed: float
    images: int | None = None
    decisions: int | None = None
    parity: Parity | None
    passed: bool
    reason: str | None


class Arm64Record(StrictModel):
    """The latest result of every file and processor, with name and version of all ``packages``.

    Where runs with other packages were added up, ``packages`` are those of all of them.
    """

    version: Literal[1] = Field(default=1, alias="schema")
    packages: list[str]
    rows: list[Arm64Row]

    @property
    def passed(self) -> bool:
        """Whether every row passed."""
        return all(row.passed for row in self.rows)


def read_record(folder: Path) -> Arm64Record | None:
    """Read the report of an export folder; None where the step was not run.

    Raises:
        ManifestError: damaged; names the field.
    """
    path = folder / ARM64_PARITY
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise ManifestError(f"{path}: not a plain file; remove it")
    if not path.exists():
        return None
    return parse_record(Arm64Record, path, path.read_bytes(), "remove it, or run the step again")
