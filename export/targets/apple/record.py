"""Takes a record of ``ios_demo/verify_on_mac.sh`` into an export folder, and judges its answers."""

from __future__ import annotations

from pathlib import Path

from export.checks.golden.conformance import ExpectedLogits, check_golden_logits
from export.errors import ManifestError
from export.schema.apple_record import (
    AppleRecord,
    AppleRow,
    KeptRecord,
    kept_record,
    read_apple_record,
)
from export.schema.manifest import APPLE_RECORD, ArtefactRecord, Manifest, read_manifest
from export.targets.recorded_rows import judge_rows
from hierattn.common.files import write_text
from hierattn.errors import UnknownNameError

FORMAT = "coreml"
_OUTDATED = "Apple's runtime: of an earlier file; run it again on a Mac"


def take_record(folder: Path, file: Path) -> AppleRecord:
    """Write a record beside the manifest, atomically; those taken before are kept in it.

    Raises:
        ManifestError: it or the kept one is damaged; or it is of other files than this export's.
        UnknownNameError: it names a Core ML file that the export does not have.
    """
    record = read_apple_record(file)
    known = _packages(read_manifest(folder))
    for row in record.rows:
        if row.path not in known:
            raise UnknownNameError("Core ML file of this export", row.path, known)
        if row.sha256 != known[row.path].sha256:
            raise ManifestError(
                f"{file}: {row.path}: asked was another file (sha256 differs); run "
                "ios_demo/verify_on_mac.sh on this very export"
            )
    newest, kept = record.alone(), kept_record(folder)
    before = [*record.earlier, *([kept.alone(), *kept.earlier] if kept else [])]
    earlier = [one for number, one in enumerate(before) if one not in (newest, *before[:number])]
    fields = newest.model_dump() | {"earlier": [one.model_dump() for one in earlier]}
    written = KeptRecord.model_validate(fields)
    write_text(folder / APPLE_RECORD, written.model_dump_json(by_alias=True, indent=2) + "\n")
    return newest


def describe_apple_record(folder: Path, manifest: Manifest) -> tuple[list[str], list[str]]:
    """Summary of the record for ``hierattn verify``; every answer is judged again.

    Returns:
        A line for each file that passed or is outdated, and for each earlier record, whose answers
        fail nothing; and a line for each failure.
    """
    try:
        record = kept_record(folder)
        if record is None:
            return [], []
        lines, failures = _judge_record(folder, manifest, record)
        earlier = [_sum_up(folder, manifest, one) for one in record.earlier]
    except ManifestError as error:
        return [], [str(error)]
    tests = "not run" if record.swift_tests is None else f"{record.swift_tests} passed"
    lines.append(f"on that Mac: Swift tests {tests}, simulator build {record.simulator_build}")
    return lines + earlier, failures


def _judge_record(
    folder: Path, manifest: Manifest, record: AppleRecord
) -> tuple[list[str], list[str]]:
    evaluator = _evaluator(record)
    return judge_rows(
        folder,
        manifest,
        record.rows,
        lambda row, expected: _judge(row, expected, f"{evaluator}, {row.units}"),
        files=_packages(manifest).values(),
        name=lambda row: f"{evaluator}, {row.units}",
        outdated=_OUTDATED,
    )


def _sum_up(folder: Path, manifest: Manifest, record: AppleRecord) -> str:
    """One line of a record that a newer one replaced."""
    lines, failures = _judge_record(folder, manifest, record)
    outdated = sum(line.endswith(_OUTDATED) for line in lines)
    asked = len(lines) + len(failures) - outdated
    said = [f"{asked - len(failures)} of {asked} answers within tolerance"] if asked else []
    said += [f"{outdated} answer{'s' * (outdated > 1)}, of an earlier file"] if outdated else []
    return f"an earlier record, of {_evaluator(record)}: {'; '.join(said)}"


def _evaluator(record: AppleRecord) -> str:
    return f"Core ML on {record.system}, {record.machine}"


def _judge(row: AppleRow, expected: ExpectedLogits, evaluator: str) -> str:
    check = check_golden_logits(expected, row.logits, evaluator)
    if not check.passed or check.parity is None:
        raise ManifestError(str(check.reason))
    return (
        f"run on Apple's runtime: {evaluator}: within {check.parity.max_relative:.1e} "
        f"(allowed {expected.max_relative:g})"
    )


def _packages(manifest: Manifest) -> dict[str, ArtefactRecord]:
    return {one.path: one for one in manifest.artefacts if one.format == FORMAT}


def row_of(record: ArtefactRecord, units: str, logits: dict[str, list[float]]) -> AppleRow:
    """A row of what a file answered.

    Raises:
        ManifestError: the manifest says that the file was not made.
    """
    if record.sha256 is None:
        raise ManifestError(f"{record.path}: was not made; export again")
    return AppleRow.model_validate(
        {"path": record.path, "sha256": record.sha256, "units": units, "logits": logits}
    )
