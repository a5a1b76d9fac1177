"""Verification of an export folder against its manifest: hashes, parity and gates again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from export.checks.comparison import TorchReference, judge_torch
from export.checks.conformance import check_golden_reference
from export.checks.description import description_problems, stated_description
from export.checks.eval_data import CROSS_CHECK_IMAGES, EvaluationPhotos, reread_evaluation_photos
from export.checks.evidence import constant_answer
from export.checks.file_results import FileResults
from export.checks.gates import OTHER_RUNTIMES
from export.checks.integrity import artefact_problems, folder_problems
from export.checks.parity import logits_in_order, measure_parity
from export.checks.recorded import changed_figures, changed_torch_figures
from export.checks.selftest import check_preprocessing, golden_pixels, read_selftest
from export.errors import ManifestError
from export.formats.registry import FORMATS
from export.jobs.messages import FileChecked, Job
from export.jobs.pool import run_jobs
from export.progress import Observer, Progress, unobserved
from export.schema.manifest import (
    MANIFEST,
    PARITY,
    SELFTEST,
    ArtefactRecord,
    Gate,
    Manifest,
    Quality,
    RuntimeCheck,
    read_manifest,
)
from export.schema.metadata import Description, Precision
from export.schema.parity import Parity, ParityRecord, read_parity_record
from export.schema.selftest import SelfTest
from export.targets.apple.record import describe_apple_record
from export.targets.arm64.report import describe_record
from hierattn.common.temporary import shared_array, temporary_folder
from hierattn.errors import DataError, HierAttnError


@dataclass
class VerifiedFile:
    """Result for one file, beside its manifest record.

    Attributes:
        problems: one line each; empty where nothing is wrong.
        golden: its logits [G, K] for the golden images, computed now.
        status: ``passed``; ``failed``; or ``numbers only`` for an int8 file without photos, which
            was compared with its own logits at export alone.
    """

    record: ArtefactRecord
    parity: Parity | None = None
    quality: Quality | None = None
    other_runtimes: list[RuntimeCheck] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    gate: Gate | None = None
    golden: np.ndarray | None = None

    @property
    def status(self) -> Literal["passed", "failed", "numbers only"]:
        """Result over all checks."""
        if self.problems or self.gate is None or self.gate.status == "failed":
            return "failed"
        return "passed" if self.gate.status == "passed" else "numbers only"


@dataclass(frozen=True)
class Verification:
    """Result for an export folder.

    Attributes:
        problems: of the folder as a whole; those of single files are listed with the files.
        photos: which photos were evaluated again, in words.
        remarks: what limits the photos as evidence, found again.
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


def verify(
    folder: Path,
    data: Path | None = None,
    progress: Observer = unobserved,
) -> Verification:
    """Check every file of an export folder again; torch's weights are not needed.

    Args:
        folder: what ``hierattn export`` wrote.
        data: the photos of the export, if they are no longer where the manifest says.

    Raises:
        ManifestError: no manifest, or one that cannot be read; or ``data`` holds other photos.
    """
    manifest = read_manifest(folder)
    files = [VerifiedFile(record) for record in manifest.artefacts]
    arm64, failures = describe_record(folder, manifest)
    apple, wrong_on_apple = describe_apple_record(folder, manifest)
    problems = folder_problems(folder, manifest) + failures + wrong_on_apple
    for file in files:
        file.problems += artefact_problems(folder / file.record.path, file.record)
    try:
        selftest = read_selftest(folder / SELFTEST)
        check_preprocessing(folder / SELFTEST, selftest)
        answers = read_parity_record(folder / PARITY)
        photos, words, wrong = _find_photos(folder, manifest, answers, data, progress)
        problems += wrong
        judged = judge_torch(answers.photos, manifest.classes, manifest.operating_point)
        changed = changed_torch_figures(manifest.torch_quality, judged)
        problems += [f"{folder / MANIFEST}: {line}" for line in changed]
        reference = _reference(folder, manifest, selftest, answers, photos)
    except (ManifestError, DataError) as error:
        if data is not None:
            raise
        problems = _add_once(problems, str(error))
        return Verification(manifest, files, problems, "none", arm64, apple=apple)
    golden = golden_pixels(folder / SELFTEST, selftest)
    parts = (golden,) if photos is None or not answers.photos else (golden, photos.pixels)
    with (
        temporary_folder("verify") as workspace,
        shared_array(workspace, *parts) as pixels,
    ):
        _check_files(folder, manifest, files, reference, pixels, workspace, progress)
    _compare_with_export(files, answers)
    limits = reference.remarks or _constant_answer(answers, manifest)
    record = manifest.data if photos is not None else None
    place = (data or folder / record.path) if record is not None else None
    return Verification(manifest, files, problems, words, arm64, limits, apple, place)


def _constant_answer(answers: ParityRecord, manifest: Manifest) -> list[str]:
    """What torch's recorded answers tell where the photos are not at hand."""
    logits = np.array([answer.logits for answer in answers.photos])
    return constant_answer(logits, manifest.classes) if len(logits) else []


def _add_once(problems: list[str], problem: str) -> list[str]:
    return problems if problem in problems else [*problems, problem]


def _reference(
    folder: Path,
    manifest: Manifest,
    selftest: SelfTest,
    answers: ParityRecord,
    photos: EvaluationPhotos | None,
) -> TorchReference:
    check_golden_reference(folder, manifest, selftest, answers)
    names = [image.file for image in selftest.images]
    judged = manifest.data.judged if manifest.data else 0
    if len(answers.photos) != judged:
        raise ManifestError(f"{folder / PARITY}: {len(answers.photos)} photos, not {judged}")
    logits = logits_in_order(answers.golden, names)
    if photos is not None and answers.photos:
        logits = np.concatenate([logits, [answer.logits for answer in answers.photos]])
    golden = len(names)
    return TorchReference(
        logits,
        golden,
        CROSS_CHECK_IMAGES,
        photos,
        tuple(manifest.classes),
        manifest.operating_point,
    )


def _find_photos(
    folder: Path,
    manifest: Manifest,
    answers: ParityRecord,
    data: Path | None,
    progress: Observer,
) -> tuple[EvaluationPhotos | None, str, list[str]]:
    """The evaluation photos, a description of them in words, and problems with them."""
    record = manifest.data
    if record is None:
        if data is not None:
            raise ManifestError(f"{folder}: was exported without photos; export it with --data")
        return None, "none: exported without photos; decisions were never compared", []
    place = data or folder / record.path
    if data is None and not place.is_dir():
        words = (
            f"none: '{record.name}' is no longer at {record.path}; decisions were not compared "
            "again (pass it with --data)"
        )
        return None, words, []
    if data is None and not _is_near(place, folder):
        words = (
            f"none: the manifest looks for '{record.name}' at {record.path}, which is neither "
            "beside the export nor in the current folder; decisions were not compared again (name "
            "it with --data)"
        )
        return None, words, []
    progress(Progress("", "decoding photos"))
    try:
        photos = reread_evaluation_photos(
            place, record, manifest.preprocessing, manifest.classes, answers.photos
        )
    except HierAttnError as error:
        if data is not None:
            raise
        return None, "none: they are not as they were", [str(error)]
    return photos, f"{len(answers.photos)} of '{record.name}'", []


def _is_near(place: Path, folder: Path) -> bool:
    """Whether a manifest's path stays where the user works: who sent it must not choose more."""
    real = place.resolve()
    allowed = (folder.resolve().parent, Path.cwd())
    return any(real != root and real.is_relative_to(root) for root in allowed) and not (
        folder.resolve().is_relative_to(real)
    )


def _check_files(
    folder: Path,
    manifest: Manifest,
    files: list[VerifiedFile],
    reference: TorchReference,
    pixels: Path,
    workspace: Path,
    progress: Observer,
) -> None:
    """Run every file with a correct hash again, and compare it with torch."""
    whole = {(f.record.format, f.record.precision): f for f in files if not f.problems}
    metadata = stated_description(manifest, Precision.FP32)
    jobs = [
        Job(
            format=name,
            run=None,
            graph=manifest.source.graph,
            description=metadata,
            files={
                precision: (folder / file.record.path).resolve()
                for (owner, precision), file in whole.items()
                if owner == name
            },
            pixels=pixels,
            sample=CROSS_CHECK_IMAGES,
            calibration=None,
            workspace=workspace / name,
        )
        for name in FORMATS
        if any(owner == name for owner, _ in whole)
    ]

    results = FileResults(jobs)
    run_jobs(jobs, workspace / "verify.log", results.follow(progress))
    for result in results:
        file = whole[result.format, result.precision]
        if result.checked is None:
            file.problems.append(f"{result.path}: {result.reason or 'gave no answer'}")
        else:
            _add_result(file, result.checked, metadata, reference, manifest.torch_quality)


def _compare_with_export(files: list[VerifiedFile], answers: ParityRecord) -> None:
    """Compare each file with its own logits at export: without photos, all there is for int8."""
    names = list(answers.golden)
    for file in files:
        path, bound = file.record.path, OTHER_RUNTIMES[file.record.precision]
        if file.golden is None:
            continue
        if path not in answers.artefacts:
            file.problems.append(f"{path}: parity.json lists no answers of it")
            continue
        try:
            found = measure_parity(
                logits_in_order(answers.artefacts[path], names), file.golden, path
            )
        except HierAttnError as error:
            file.problems.append(f"{path}: {error}")
            continue
        if found.max_relative > bound:
            file.problems.append(
                f"{path}: answers golden images otherwise than when it was exported: relative "
                f"difference {found.max_relative:.2g} is above {bound:g}"
            )


def _add_result(
    file: VerifiedFile,
    checked: FileChecked,
    metadata: Description,
    reference: TorchReference,
    of_torch: Quality | None,
) -> None:
    expected = metadata.model_copy(update={"precision": file.record.precision})
    file.problems += [
        f"{file.record.path}: {problem}"
        for problem in description_problems(checked.description, expected)
    ]
    facts = ("input", "output", "operators", "delegated")
    differing = [name for name in facts if getattr(checked, name) != getattr(file.record, name)]
    if differing:
        file.problems.append(
            f"{file.record.path}: the manifest's {', '.join(differing)} differ from the file's"
        )
    try:
        found = reference.compare(checked)
    except HierAttnError as error:
        file.problems.append(f"{file.record.path}: {error}")
        return
    file.parity, file.quality = found.parity, found.quality
    file.other_runtimes, file.gate, file.golden = found.other_runtimes, found.gate, found.golden
    if found.gate.status == "failed":
        file.problems += [f"{file.record.path}: {reason}" for reason in found.gate.reasons]
    changed = changed_figures(file.record, found, of_torch)
    file.problems += [f"{file.record.path}: {line}" for line in changed]
