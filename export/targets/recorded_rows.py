"""What a record beside a manifest says of files, judged again for ``hierattn verify``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from export.checks.golden.conformance import ExpectedLogits, expected_logits, read_golden_reference
from export.errors import ManifestError
from export.schema.manifest import ArtefactRecord, Manifest


class RecordedRow(Protocol):
    """What some device answered for one file."""

    @property
    def path(self) -> str:
        """Of the file."""

    @property
    def sha256(self) -> str:
        """Of the file that was asked."""


Row = TypeVar("Row", bound=RecordedRow)


def judge_rows(
    folder: Path,
    manifest: Manifest,
    rows: Sequence[Row],
    judge: Callable[[Row, ExpectedLogits], str],
    *,
    files: Iterable[ArtefactRecord],
    name: Callable[[Row], str],
    outdated: str,
) -> tuple[list[str], list[str]]:
    """Judge every row by the golden images.

    Args:
        folder: the export folder.
        manifest: its manifest.
        rows: of the record.
        judge: says in words that a row passed, or raises ManifestError with the reason.
        files: that may have been asked.
        name: of the device or runtime that answered.
        outdated: what is said of a row whose file is another by now.

    Returns:
        A line for each file that passed or is outdated, and a line for each failure.

    Raises:
        ManifestError: the golden images cannot be read.
    """
    selftest, answers = read_golden_reference(folder, manifest)
    known = {(artefact.path, artefact.sha256): artefact for artefact in files}
    lines, failures = [], []
    for row in rows:
        artefact = known.get((row.path, row.sha256))
        if artefact is None:
            lines.append(f"{row.path}: {outdated}")
            continue
        try:
            said = judge(row, expected_logits(artefact, selftest, answers))
        except ManifestError as error:
            failures.append(f"{row.path}: {name(row)}: {error}")
        else:
            lines.append(f"{row.path}: {said}")
    return lines, failures
