"""Results of a verification: one for each file of an export folder, and one for the folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from export.checks.comparison import WorstImage
from export.formats.registry import abilities_of
from export.schema.manifest import ArtefactRecord, Gate, Manifest, Quality, RuntimeCheck
from export.schema.parity import Parity


@dataclass
class VerifiedFile:
    """Result for one file, beside its manifest record.

    Attributes:
        problems: one line each; empty where nothing is wrong.
        whole: whether it is the one that was exported, and is asked again, whatever its gate.
        golden: its logits [G, K] for the golden images, computed now.
        worst: the image by whose logits the gate is decided; None where it gave no answer.
        worst_photo: its name and pixels, uint8 [S, S, 3]; None if it is a golden image.
        status: ``passed``; ``failed``; or ``numbers only`` for an int8 file without photos, which
            was compared with its own logits at export alone.
    """

    record: ArtefactRecord
    parity: Parity | None = None
    quality: Quality | None = None
    other_runtimes: list[RuntimeCheck] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    gate: Gate | None = None
    whole: bool = False
    golden: np.ndarray | None = None
    worst: WorstImage | None = None
    worst_photo: tuple[str, np.ndarray] | None = None

    @property
    def status(self) -> Literal["passed", "failed", "numbers only"]:
        """Result over all checks."""
        if self.problems or self.gate is None or self.gate.status == "failed":
            return "failed"
        return "passed" if self.gate.status == "passed" else "numbers only"


def believed_words(file: VerifiedFile) -> list[str]:
    """What the manifest says of a file's runtimes and nobody could hold against anything here."""
    lines, record = [], file.record
    found = {check.runtime for check in file.other_runtimes if check.parity is not None}
    lines += [
        f"{record.path}: {check.runtime} is not at hand; what the manifest says of it is believed"
        for check in record.other_runtimes
        if check.parity is not None and check.runtime not in found and file.parity is not None
    ]
    if record.parity is not None and file.parity is not None:
        said, now = record.parity.evaluator, file.parity.evaluator
        names = abilities_of(record.format).evaluator_names
        if not any(said.startswith(name) and now.startswith(name) for name in names):
            lines.append(f"{record.path}: that '{said}' answered for it is believed; here: {now}")
    return lines


@dataclass(frozen=True)
class Verification:
    """Result for an export folder.

    Attributes:
        problems: of the folder as a whole; those of single files are listed with the files.
        photos: which photos were evaluated again, in words.
        remarks: what limits the photos as evidence, found again; and what was not compared.
        arm64: results on an emulated ARM processor, a line each, if there are any.
        apple: results of Apple's own runtime, a line each, if somebody's record was taken in.
        data: folder of the photos that were evaluated again; None without any.
    """

    manifest: Manifest
    files: list[VerifiedFile]
    problems: list[str]
    photos: str
    arm64: list[str]
    remarks: list[str] = field(default_factory=list)
    apple: list[str] = field(default_factory=list)
    data: Path | None = None

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return not self.problems and all(file.status != "failed" for file in self.files)

    @property
    def conclusion(self) -> str:
        """All of it in words; what was not judged is not said to hold."""
        if not self.passed:
            return "not all hold"
        numbers = [f.record.path for f in self.files if f.status == "numbers only"]
        if not numbers:
            return "all hold"
        return (
            f"hashes and numbers hold; not judged: the decisions of {', '.join(numbers)} (int8: "
            "its logits are those at export, but no photos were asked, or too few)"
        )
