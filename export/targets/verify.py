"""``hierattn verify --device``: the self-test of the app on a phone, checked against the export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from export.checks.golden.conformance import (
    check_golden_logits,
    expected_logits,
    read_golden_reference,
)
from export.checks.integrity import artefact_problems, path_sha256
from export.errors import AppEndedError, ManifestError
from export.progress import Observer, unobserved
from export.schema.manifest import PARITY, SELFTEST, ArtefactRecord, Gate, Manifest, read_manifest
from export.schema.parity import Parity, ParityRecord
from export.schema.selftest import SelfTest
from export.targets.fleet import OpenDevice, run_on_devices
from export.targets.results import PhoneArtefact, PhoneSelfTest
from export.targets.task import SELF_TEST, ReportProgress, Timeouts


@dataclass(frozen=True)
class PhoneCheck:
    """Result of one phone.

    Attributes:
        result: content of the app's result file; None where there is none.
        file: the export's file that runs in the app; None where it is another model.
        allowed: bound on ``parity.max_relative``; None where nothing was compared.
        differing_bytes: of all golden tensors, as the phone counted them; must be 0.
        passed: whether preprocessing and logits are those expected.
        reason: why it did not pass, one line.
        gate: of the file at export; None where there is no such file.
    """

    serial: str
    result: PhoneSelfTest | None
    file: str | None
    parity: Parity | None
    allowed: float | None
    differing_bytes: int | None
    passed: bool
    reason: str | None
    gate: Gate | None = None

    @property
    def status(self) -> Literal["passed", "failed", "numbers only"]:
        """As for :class:`export.verification.VerifiedFile`."""
        if not self.passed or self.gate is None:
            return "failed"
        return "passed" if self.gate.status == "passed" else "numbers only"


def verify_on_phones(
    folder: Path,
    device: str,
    apk: Path | None = None,
    timeouts: Timeouts | None = None,
    progress: Observer = unobserved,
) -> list[PhoneCheck]:
    """Run the self-test on phones and check it; a result for each, in adb's order.

    Raises:
        ManifestError: the export folder is damaged.
        ExportError: no adb, no phone at all, or no such APK.
    """
    manifest = read_manifest(folder)
    _check_listed(folder, manifest)
    selftest, answers = read_golden_reference(folder, manifest)

    def run_selftest(phone: OpenDevice, report: ReportProgress) -> PhoneSelfTest:
        try:
            return phone.run(SELF_TEST, PhoneSelfTest, report)
        except AppEndedError:
            # It marked the model file that it tried, and passes it over the second time.
            return phone.run(SELF_TEST, PhoneSelfTest, report)

    checks = []
    for done in run_on_devices(device, apk, run_selftest, timeouts, progress):
        if done.outcome is None:
            checks.append(_failed(done.serial, done.reason or "no answer"))
        else:
            checks.append(
                check_phone(done.serial, done.outcome, folder, manifest, selftest, answers)
            )
    return checks


def check_phone(
    serial: str,
    result: PhoneSelfTest,
    folder: Path,
    manifest: Manifest,
    selftest: SelfTest,
    answers: ParityRecord,
) -> PhoneCheck:
    """Check one phone's logits against the export; the app's own result can only make it fail."""
    record = find_artefact(manifest, result.artefact)
    if record is None:
        reason = result.reason if result.artefact is None else other_model(result.artefact)
        return _failed(serial, reason or "the app holds no model", result)
    problems = artefact_problems(folder / record.path, record)
    if problems:
        return _failed(serial, problems[0], result)
    if result.status == "error":
        return _failed(serial, result.reason or "the app could not run its self-test", result)
    expected = expected_logits(record, selftest, answers)
    numbers = {
        image.file: [value for value in image.logits if value is not None]
        for image in result.images
    }
    evaluator = f"{result.runtime.name} {result.runtime.version or ''}".strip()
    check = check_golden_logits(expected, numbers, evaluator)
    differing = sum(image.differing_bytes for image in result.images)
    reason = check.reason
    if differing:
        first = next(image for image in result.images if image.differing_bytes)
        reason = (
            f"its preprocessing differs: {first.differing_bytes} bytes of {first.file}'s tensor"
        )
    elif reason is None and result.status != "passed":
        reason = f"the app itself says: {result.reason or result.status}"
    return PhoneCheck(
        serial=serial,
        result=result,
        file=record.path,
        parity=check.parity,
        allowed=expected.max_relative,
        differing_bytes=differing,
        passed=reason is None,
        reason=reason,
        gate=record.gate,
    )


def find_artefact(manifest: Manifest, artefact: PhoneArtefact | None) -> ArtefactRecord | None:
    """The export's file that the app contains, by sha256; None where it is another model."""
    if artefact is None:
        return None
    same = [record for record in manifest.artefacts if record.sha256 == artefact.sha256]
    named = [record for record in same if record.path == artefact.file]
    return next(iter([*named, *same]), None)


def other_model(artefact: PhoneArtefact) -> str:
    """The reason for an app that contains a file of another export."""
    return (
        f"the app holds another model ({artefact.file[:80]}, sha256 {artefact.sha256[:12]}...): "
        "run 'hierattn bundle' on this export, build the app and pass --apk"
    )


def _check_listed(folder: Path, manifest: Manifest) -> None:
    for name in (PARITY, SELFTEST):
        path = folder / name
        if not path.exists() or path_sha256(path) != manifest.files.get(name):
            raise ManifestError(f"{path}: missing, or changed since the export (sha256 differs)")


def _failed(serial: str, reason: str, result: PhoneSelfTest | None = None) -> PhoneCheck:
    return PhoneCheck(serial, result, None, None, None, None, False, reason)
