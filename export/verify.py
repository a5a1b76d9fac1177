"""Verification of an export folder against its manifest: hashes, parity and gates again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from export.checks.comparison import TorchReference, judge_torch
from export.checks.declared import undeclared_words
from export.checks.description import description_problems, stated_description
from export.checks.eval_data import CROSS_CHECK_IMAGES, EvaluationPhotos
from export.checks.evidence import constant_answer, threshold_doubt
from export.checks.file_results import FileResults
from export.checks.gates import OTHER_RUNTIMES
from export.checks.golden.conformance import check_golden_reference
from export.checks.golden.selftest import check_preprocessing, golden_pixels, read_selftest
from export.checks.integrity import folder_problems, gate_problems, hash_problems
from export.checks.parity import logits_in_order, measure_parity
from export.checks.recorded import changed_figures, changed_photos, changed_torch_figures
from export.errors import ManifestError
from export.formats.registry import FORMATS
from export.jobs.messages import FileChecked, Job
from export.jobs.pool import run_jobs
from export.judged_photos import find_judged_photos
from export.progress import Observer, unobserved
from export.run_record import check_model_card, find_run
from export.schema.manifest import (
    MANIFEST,
    PARITY,
    SELFTEST,
    Manifest,
    read_manifest,
)
from export.schema.metadata import Description, Precision
from export.schema.parity import ParityRecord, read_parity_record
from export.schema.selftest import SelfTest
from export.targets.apple.record import describe_apple_record
from export.targets.arm64.report import describe_record
from export.verification import Verification, VerifiedFile, believed_words
from hierattn.common.temporary import shared_array, temporary_folder
from hierattn.errors import DataError, HierAttnError
from hierattn.runs import Run


def verify(
    folder: Path,
    data: Path | None = None,
    progress: Observer = unobserved,
    run: Run | None = None,
) -> Verification:
    """Check every file of an export folder again; torch's weights are not needed.

    Args:
        folder: what ``hierattn export`` wrote.
        data: the photos of the export, if they are no longer where the manifest says.
        run: behind the export; one shipped, here or beside the export is found by itself.

    Raises:
        ManifestError: no manifest, or one that cannot be read; or ``data`` holds other photos.
    """
    manifest = read_manifest(folder)
    files = [VerifiedFile(record) for record in manifest.artefacts]
    arm64, failures = describe_record(folder, manifest)
    apple, wrong_on_apple = describe_apple_record(folder, manifest)
    problems = folder_problems(folder, manifest)
    run = run or find_run(folder, manifest)
    wrong_card, limits = ([], []) if problems else _check_card(folder, manifest, run)
    problems += wrong_card + failures + wrong_on_apple
    for file in files:
        path = folder / file.record.path
        file.problems += hash_problems(path, file.record)
        file.whole = not file.problems
        file.problems += gate_problems(path, file.record) if file.whole else []
    try:
        selftest = read_selftest(folder / SELFTEST)
        check_preprocessing(folder / SELFTEST, selftest)
        answers = read_parity_record(folder / PARITY)
        photos, words, wrong = find_judged_photos(folder, manifest, answers, data, progress, run)
        problems += wrong
        judged = judge_torch(answers.photos, manifest.classes, manifest.operating_point)
        changed = changed_torch_figures(manifest.torch_quality, judged)
        problems += [f"{folder / MANIFEST}: {line}" for line in changed]
        reference = _reference(folder, manifest, selftest, answers, photos)
        changed = _changed_photos(manifest, reference)
        problems += [f"{folder / MANIFEST}: {line}" for line in changed]
    except (ManifestError, DataError) as error:
        if data is not None:
            raise
        problems = _add_once(problems, str(error))
        return Verification(manifest, files, problems, "none", arm64, limits, apple)
    golden = golden_pixels(folder / SELFTEST, selftest)
    parts = (golden,) if photos is None or not answers.photos else (golden, photos.pixels)
    with (
        temporary_folder("verify") as workspace,
        shared_array(workspace, *parts) as pixels,
    ):
        _check_files(folder, manifest, files, reference, pixels, workspace, progress)
    _compare_with_export(files, answers)
    limits += reference.remarks or _constant_answer(answers, manifest)
    limits += threshold_doubt(manifest.operating_point, manifest.torch_quality)
    limits += [line for file in files for line in believed_words(file)]
    if run is None and manifest.source.run is not None:
        limits.append(
            "the run's own figures, and which photos it learnt from, were not looked up: that "
            "takes the run (--run)"
        )
    record = manifest.data if photos is not None else None
    place = (data or folder / record.path) if record is not None else None
    return Verification(manifest, files, problems, words, arm64, limits, apple, place)


def _check_card(folder: Path, manifest: Manifest, run: Run | None) -> tuple[list[str], list[str]]:
    """What is wrong with the model card, and why it was not compared."""
    try:
        return [], check_model_card(folder, manifest, run)
    except HierAttnError as error:  # the run's own record may be what is damaged
        return [str(error)], []


def _changed_photos(manifest: Manifest, reference: TorchReference) -> list[str]:
    """Where the manifest's words on the photos are not those found, where they are at hand."""
    if manifest.data is None or reference.photos is None:
        return []
    counted = reference.photos.record
    remarks = [*counted.remarks, *reference.remarks]
    return changed_photos(manifest.data, counted.model_copy(update={"remarks": remarks}))


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
    whole = {(f.record.format, f.record.precision): f for f in files if f.whole}
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
            _add_result(file, result.checked, metadata, reference, manifest)


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
    manifest: Manifest,
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
    file.worst, photo = found.worst, found.worst.index - reference.golden_count
    if reference.photos is not None and photo >= 0:
        name = reference.photos.folder.records[photo].file
        file.worst_photo = name, reference.photos.pixels[photo].copy()  # not all of them
    if found.gate.status == "failed":
        known = file.record.gate.reasons  # said already
        new = [reason for reason in found.gate.reasons if reason not in known]
        file.problems += [f"{file.record.path}: {reason}" for reason in new]
    changed = changed_figures(file.record, found, manifest.torch_quality)
    changed += undeclared_words(file.record, manifest.source.tools)
    file.problems += [f"{file.record.path}: {line}" for line in changed]
