"""``hierattn verify --device``: a phone's answers to the golden images, judged here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from export.checks.conformance import expect, judge_golden, read_golden
from export.checks.integrity import artefact_problems, path_sha256
from export.errors import ManifestError
from export.progress import Observer, unobserved
from export.schema.manifest import PARITY, SELFTEST, ArtefactRecord, Gate, Manifest, read_manifest
from export.schema.parity import Parity, ParityRecord
from export.schema.selftest import SelfTest
from export.targets.adb.fleet import ask_phones
from export.targets.adb.phone import SELF_TEST, Patience, Phone, Told
from export.targets.adb.results import PhoneArtefact, PhoneSelfTest


@dataclass(frozen=True)
class PhoneVerdict:
    """What was found of one phone.

    Attributes:
        told: what its app wrote; None where it came to none.
        file: the export's file that runs in the app; None where it holds another.
        allowed: bound on ``parity.max_relative``; None where nothing was compared.
        differing_bytes: of all golden tensors, by the phone's own count; 0 is needed.
        passed: whether its numbers are those expected.
        reason: why it did not pass, one line.
        gate: of the file, when it was exported; None where there is no such file.
    """

    serial: str
    told: PhoneSelfTest | None
    file: str | None
    parity: Parity | None
    allowed: float | None
    differing_bytes: int | None
    passed: bool
    reason: str | None
    gate: Gate | None = None

    @property
    def status(self) -> Literal["passed", "failed", "numbers only"]:
        """In the words of :class:`export.verify.VerifiedFile`."""
        if not self.passed or self.gate is None:
            return "failed"
        return "passed" if self.gate.status == "passed" else "numbers only"


def verify_on_phones(
    folder: Path,
    device: str,
    apk: Path | None = None,
    patience: Patience | None = None,
    progress: Observer = unobserved,
) -> list[PhoneVerdict]:
    """Let phones answer the golden images; a verdict for each, in adb's order.

    Raises:
        ManifestError: the export folder is damaged.
        ExportError: no adb, no phone at all, or no such APK.
    """
    manifest = read_manifest(folder)
    _check_listed(folder, manifest)
    selftest, answers = read_golden(folder, manifest)

    def work(phone: Phone, told: Told) -> PhoneSelfTest:
        return phone.run(SELF_TEST, PhoneSelfTest, told)

    verdicts = []
    for asked in ask_phones(device, apk, work, patience, progress):
        if asked.outcome is None:
            verdicts.append(_unasked(asked.serial, asked.reason or "no answer"))
        else:
            verdicts.append(
                judge_phone(asked.serial, asked.outcome, folder, manifest, selftest, answers)
            )
    return verdicts


def judge_phone(
    serial: str,
    told: PhoneSelfTest,
    folder: Path,
    manifest: Manifest,
    selftest: SelfTest,
    answers: ParityRecord,
) -> PhoneVerdict:
    """Hold one phone's numbers against the export; its own verdict can only make things worse."""
    record = find_artefact(manifest, told.artefact)
    if record is None:
        reason = told.reason if told.artefact is None else other_model(told.artefact)
        return _unasked(serial, reason or "the app holds no model", told)
    problems = artefact_problems(folder / record.path, record)
    if problems:
        return _unasked(serial, problems[0], told)
    if told.status == "error":
        return _unasked(serial, told.reason or "the app could not run its self-test", told)
    expected = expect(record, selftest, answers)
    numbers = {
        image.file: [value for value in image.logits if value is not None] for image in told.images
    }
    evaluator = f"{told.runtime.name} {told.runtime.version or ''}".strip()
    verdict = judge_golden(expected, numbers, evaluator)
    differing = sum(image.differing_bytes for image in told.images)
    reason = verdict.reason
    if differing:
        first = next(image for image in told.images if image.differing_bytes)
        reason = (
            f"its preprocessing differs: {first.differing_bytes} bytes of {first.file}'s tensor"
        )
    elif reason is None and told.status != "passed":
        reason = f"the app itself says: {told.reason or told.status}"
    return PhoneVerdict(
        serial=serial,
        told=told,
        file=record.path,
        parity=verdict.parity,
        allowed=expected.max_relative,
        differing_bytes=differing,
        passed=reason is None,
        reason=reason,
        gate=record.gate,
    )


def find_artefact(manifest: Manifest, artefact: PhoneArtefact | None) -> ArtefactRecord | None:
    """The export's file that the app holds, by its sha256; None where it is another's."""
    if artefact is None:
        return None
    same = [record for record in manifest.artefacts if record.sha256 == artefact.sha256]
    named = [record for record in same if record.path == artefact.file]
    return next(iter([*named, *same]), None)


def other_model(artefact: PhoneArtefact) -> str:
    """The line for an app that holds a file of another export."""
    return (
        f"the app holds another model ({artefact.file[:80]}, sha256 {artefact.sha256[:12]}...): "
        "run 'hierattn bundle' on this export, build the app and pass --apk"
    )


def _check_listed(folder: Path, manifest: Manifest) -> None:
    for name in (PARITY, SELFTEST):
        path = folder / name
        if not path.exists() or path_sha256(path) != manifest.files.get(name):
            raise ManifestError(f"{path}: missing, or changed since the export (sha256 differs)")


def _unasked(serial: str, reason: str, told: PhoneSelfTest | None = None) -> PhoneVerdict:
    return PhoneVerdict(serial, told, None, None, None, None, False, reason)
