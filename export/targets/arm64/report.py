"""Writing of ``arm64_parity.json``, and its summary for ``hierattn verify``.

The manifest does not list it: an export is the same bytes whether or not this step was run.
"""

from __future__ import annotations

from pathlib import Path

from export.checks.golden.conformance import ExpectedLogits
from export.errors import ManifestError
from export.schema.arm64_report import Arm64Record, Arm64Row, read_record
from export.schema.manifest import ARM64_PARITY, Manifest, read_manifest
from export.targets.recorded_rows import judge_rows
from hierattn.common.files import write_text


def write_record(folder: Path, record: Arm64Record) -> Arm64Record:
    """Write a run's rows beside the manifest, atomically; returns the whole report.

    Earlier rows of the same files are kept, unless the run has the same file and processor. A
    report that cannot be read is replaced.
    """
    try:
        earlier = read_record(folder)
    except ManifestError:
        earlier = None
    if earlier is not None:
        record = _merged(earlier, record, read_manifest(folder))
    write_text(folder / ARM64_PARITY, record.model_dump_json(by_alias=True, indent=2) + "\n")
    return record


def _merged(earlier: Arm64Record, record: Arm64Record, manifest: Manifest) -> Arm64Record:
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


def describe_record(folder: Path, manifest: Manifest) -> tuple[list[str], list[str]]:
    """Summary of the report for ``hierattn verify``; every row is checked again.

    Returns:
        A line for each file that passed or is outdated, and a line for each failure.
    """
    try:
        record = read_record(folder)
        if record is None:
            return [], []
        return judge_rows(
            folder,
            manifest,
            record.rows,
            _judge,
            files=manifest.artefacts,
            name=lambda row: f"ARM64, {row.cpu}",
            outdated="ARM64: of an earlier file; run the step again",
        )
    except ManifestError as error:
        return [], [str(error)]


def _judge(row: Arm64Row, expected: ExpectedLogits) -> str:
    reason = _failure_reason(row, expected)
    if reason is not None:
        raise ManifestError(reason)
    against = "torch" if row.reference == "torch" else "its own answers at export"
    found = f"{row.parity.max_relative:.1e} of {against}" if row.parity else "as expected"
    who = row.parity.evaluator if row.parity else "unknown"
    same = "" if row.decisions is None else f", {row.decisions} of {row.images} decisions"
    return f"ARM64, emulated {row.cpu}, {who}: within {found} (allowed {row.allowed:g}){same}"


def _failure_reason(row: Arm64Row, expected: ExpectedLogits) -> str | None:
    """Why a row does not count as passed; its own ``passed`` can only make it fail."""
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
