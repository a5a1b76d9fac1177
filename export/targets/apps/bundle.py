"""``hierattn bundle``: copies an exported file, labels and self-test into an app."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.checks.conformance import ExpectedLogits, expected_logits, read_golden_reference
from export.checks.description import description_problems, stated_description
from export.checks.evidence import Evidence, constant_answer, hold_back
from export.checks.gates import evaluate_gate
from export.checks.integrity import hash_problems, is_litter, path_sha256
from export.errors import ExportError, ManifestError
from export.formats.abilities import APP_PLATFORMS, Platform
from export.formats.registry import all_abilities, find_format
from export.schema.bundle import (
    BUNDLE,
    LABELS,
    BundleImage,
    BundleInput,
    BundleOutput,
    BundlePhotos,
    BundleRecord,
    BundleSelfTest,
)
from export.schema.manifest import (
    MODEL_CARD,
    PARITY,
    SELFTEST,
    ArtefactRecord,
    Manifest,
    read_manifest,
)
from export.schema.parity import ParityRecord
from export.schema.selftest import SelfTest
from export.targets.apps.fallback import choose_fallback, fallback_record, missing_fallback
from export.targets.apps.golden_photos import write_golden_photos
from export.targets.apps.install import replace_bundle
from export.targets.apps.places import find_place
from hierattn.common.files import file_sha256, write_text
from hierattn.errors import UnknownNameError
from hierattn.model_metadata import ModelMetadata
from hierattn.outputs import check_output


@dataclass(frozen=True)
class BundleRequest:
    """Request of a bundle.

    Attributes:
        folder: export folder of ``hierattn export``.
        app: an app's folder, see :func:`export.targets.apps.places.find_place`.
        artefact: file name; None for the only candidate.
        allow_unverified: accept a file whose gate failed or was not run; the bundle records it.
    """

    folder: Path
    app: Path
    artefact: str | None = None
    allow_unverified: bool = False


@dataclass(frozen=True)
class BundleResult:
    """What was written: for what platform, the bundle's folder, its record, bytes by file.

    ``remarks`` are the export's, on what limits its photos as evidence.
    """

    platform: Platform
    folder: Path
    record: BundleRecord
    sizes: Mapping[str, int]
    remarks: tuple[str, ...] = ()


def bundle(request: BundleRequest) -> BundleResult:
    """Replace the app's bundle, completely or not at all.

    Raises:
        HierAttnError: the export is damaged, the file may not be shipped or cannot be chosen, or
            ``app`` is no app; nothing was changed then.
    """
    check_output(request.app, request.folder, option="--app")
    place = find_place(request.app)
    manifest = read_manifest(request.folder)
    chosen = choose_artefact(manifest, request, place.platform)
    second = choose_fallback(manifest, chosen)
    models = [chosen, second] if second else [chosen]
    for model in models:
        _check_hashes(request.folder, manifest, model)
    selftest, answers = read_golden_reference(request.folder, manifest)
    expected = expected_logits(chosen, selftest, answers)
    fallback = fallback_record(second, selftest, answers) if second else None
    labels = _labels(manifest.classes)
    for model in models:
        _check_statements(request.folder, manifest, model, answers)
    with replace_bundle(place.main, place.target) as staging:
        _copy(request.folder, staging, models, selftest)
        photos = write_golden_photos(staging / SELFTEST, selftest.preprocessing)
        write_text(staging / LABELS, labels)
        hashes = _hashes(staging)
        _check_copied(staging, hashes, manifest, models, selftest)
        written = _record(manifest, chosen, selftest, expected, photos, hashes)
        record = written.model_copy(update={"fallback": fallback})
        write_text(staging / BUNDLE, record.to_json())
        sizes = {name: (staging / name).stat().st_size for name in (BUNDLE, *hashes)}
    remarks = (*_remarks(manifest, answers), *missing_fallback(chosen, second))
    return BundleResult(place.platform, place.target, record, sizes, remarks)


def _remarks(manifest: Manifest, answers: ParityRecord) -> tuple[str, ...]:
    """What limits the export's photos as evidence, by its manifest and by the answers."""
    said = manifest.data.remarks if manifest.data else []
    found = constant_answer(_photo_logits(answers), manifest.classes)
    return (*said, *(line for line in found if line not in said))


def _photo_logits(answers: ParityRecord) -> np.ndarray:
    return np.array([answer.logits for answer in answers.photos], dtype=np.float64)


def choose_artefact(
    manifest: Manifest, request: BundleRequest, platform: Platform
) -> ArtefactRecord:
    """The file to bundle for an app of a platform.

    Raises:
        UnknownNameError: no file of that name in the export.
        ExportError: a format that the app cannot take, a gate that did not pass, or several files
            and none named.
    """
    refusals = {one.name: one.not_in_apps.get(platform) for one in all_abilities()}
    fit = [record for record in manifest.artefacts if not refusals[record.format]]
    if request.artefact is not None:
        named = {record.path: record for record in manifest.artefacts}
        if request.artefact not in named:
            raise UnknownNameError("file", request.artefact, [record.path for record in fit])
        chosen = named[request.artefact]
        if chosen not in fit:
            raise ExportError(f"{chosen.path}: {refusals[chosen.format]}; name another file")
        if not request.allow_unverified and chosen.gate.status != "passed":
            reasons = "; ".join(chosen.gate.reasons) or "no reason recorded"
            raise ExportError(
                f"{chosen.path}: its gate {_gate_status(chosen)}: {reasons}. Choose another file, "
                "or pass --allow-unverified: the app will say so on screen"
            )
        return chosen
    title = APP_PLATFORMS[platform]
    ready = [record for record in fit if record.gate.status == "passed"]
    if request.allow_unverified and not ready:
        ready = [record for record in fit if record.sha256 is not None]
    if len(ready) == 1:
        return ready[0]
    if ready:
        names = ", ".join(record.path for record in ready)
        raise ExportError(f"{request.folder}: name one file with --artefact: {names}")
    if not fit:
        able = " or ".join(name for name, refusal in refusals.items() if not refusal)
        raise ExportError(f"{request.folder}: no file for {title}; export with --format {able}")
    states = "; ".join(f"{record.path}: gate {_gate_status(record)}" for record in fit)
    raise ExportError(
        f"{request.folder}: no file for {title} passed its gate ({states}); pass "
        "--allow-unverified to take one all the same"
    )


def _gate_status(record: ArtefactRecord) -> str:
    return "was not run" if record.gate.status == "not run" else record.gate.status


def _check_hashes(folder: Path, manifest: Manifest, chosen: ArtefactRecord) -> None:
    """Check the hashes of all files to be copied, whatever the gates."""
    problems = hash_problems(folder / chosen.path, chosen)
    if problems:
        raise ManifestError(problems[0])
    if Path(chosen.path).suffix != find_format(chosen.format).suffix:
        raise ManifestError(f"{chosen.path}: not the name of a {chosen.format} file; export again")
    for name in (MODEL_CARD, PARITY, SELFTEST):
        path = folder / name
        if name not in manifest.files or not path.exists():
            raise ManifestError(f"{path}: missing, or not in the manifest; export again")
        if path_sha256(path) != manifest.files[name]:
            raise ManifestError(f"{path}: changed since the export (sha256 differs); export again")


def _check_statements(
    folder: Path, manifest: Manifest, chosen: ArtefactRecord, answers: ParityRecord
) -> None:
    """Check the manifest's words of a file against the file's own, and its gate's figures.

    Raises:
        ManifestError: classes, threshold, intended use or another statement is not the file's; or
            the gate is said to have passed with figures that do not pass it.
    """
    from export.checks.comparison import judge_torch
    from export.checks.recorded import changed_quality, changed_torch_figures

    path = folder / chosen.path
    found = find_format(chosen.format).read_description(path)
    problems = description_problems(found, stated_description(manifest, chosen.precision))
    of_torch = judge_torch(answers.photos, manifest.classes, manifest.operating_point)
    problems += changed_torch_figures(manifest.torch_quality, of_torch)
    if not problems and chosen.gate.status == "passed":
        labels = [answer.label for answer in answers.photos]
        names = manifest.operating_point.target_classes
        targets = {name: labels.count(name) for name in names}
        parities = [] if chosen.parity is None else [chosen.parity]
        if not parities:
            problems = ["its gate is said to have passed, but no parity is recorded"]
        else:
            # Photos of the same pixels have the same answers.
            evidence = Evidence.of(_photo_logits(answers), labels) if labels else None
            gate = evaluate_gate(chosen.precision, parities, chosen.quality, targets)
            gate = hold_back(gate, chosen.precision, evidence, names)
            problems = changed_quality(chosen.quality, manifest.torch_quality)
            if gate.status != "passed":
                reasons = "; ".join(gate.reasons)
                problems = [f"its gate is said to have passed, but by its figures: {reasons}"]
    if problems:
        raise ManifestError(f"{path}: {problems[0]}; export again")


def _copy(
    folder: Path, staging: Path, models: Sequence[ArtefactRecord], selftest: SelfTest
) -> None:
    for model in models:
        if (folder / model.path).is_dir():
            shutil.copytree(
                folder / model.path,
                staging / model.path,
                copy_function=shutil.copyfile,
                ignore=lambda place, names: [one for one in names if is_litter(Path(place, one))],
            )
        else:
            shutil.copyfile(folder / model.path, staging / model.path)
    shutil.copyfile(folder / MODEL_CARD, staging / MODEL_CARD)
    (staging / SELFTEST).mkdir()
    for image in selftest.images:
        for name in (image.file, image.tensor):
            shutil.copyfile(folder / SELFTEST / name, staging / SELFTEST / name)


def _labels(classes: list[str]) -> str:
    """Text of the labels file: one class a line, in index order.

    Raises:
        ExportError: a name that would not be one line.
    """
    for name in classes:
        if name.splitlines() != [name]:
            raise ExportError(f"class {name!r}: a name for {LABELS} must be one line")
    return "".join(f"{name}\n" for name in classes)


def _hashes(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    named = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: file_sha256(named[name]) for name in sorted(named)}


def _check_copied(
    staging: Path,
    hashes: Mapping[str, str],
    manifest: Manifest,
    models: Sequence[ArtefactRecord],
    selftest: SelfTest,
) -> None:
    """Check that the copied files are those checked before, should the export change meanwhile.

    Raises:
        ManifestError: a file changed.
    """
    found = {**hashes, **{model.path: path_sha256(staging / model.path) for model in models}}
    wanted = {model.path: model.sha256 for model in models}
    wanted[MODEL_CARD] = manifest.files[MODEL_CARD]
    for image in selftest.images:
        wanted[f"{SELFTEST}/{image.file}"] = image.sha256
        wanted[f"{SELFTEST}/{image.tensor}"] = image.tensor_sha256
    for name, sha256 in wanted.items():
        if found[name] != sha256:
            raise ManifestError(f"{name}: changed while it was copied; try again")


def _record(
    manifest: Manifest,
    chosen: ArtefactRecord,
    selftest: SelfTest,
    expected: ExpectedLogits,
    photos: BundlePhotos,
    hashes: dict[str, str],
) -> BundleRecord:
    if chosen.input is None or chosen.output is None or chosen.input.layout == "image":
        raise ManifestError(f"{chosen.path}: the manifest does not say what it takes; export again")
    assert chosen.bytes is not None and chosen.sha256 is not None
    images = [
        BundleImage(
            file=image.file,
            sha256=image.sha256,
            tensor=image.tensor,
            tensor_sha256=image.tensor_sha256,
            what=image.what,
            logits=[float(value) for value in logits],
            scale=float(scale),
        )
        for image, logits, scale in zip(
            selftest.images, expected.logits, expected.scales, strict=True
        )
    ]
    return BundleRecord(
        **ModelMetadata.fields_of(manifest),
        format=chosen.format,
        precision=chosen.precision,
        artefact=chosen.path,
        sha256=chosen.sha256,
        bytes=chosen.bytes,
        weights_sha256=manifest.source.weights_sha256,
        input=BundleInput(name=chosen.input.name, layout=chosen.input.layout),
        output=BundleOutput(name=chosen.output.name),
        verified=chosen.gate.status == "passed",
        gate=chosen.gate,
        licence=manifest.source.licence,
        selftest=BundleSelfTest(
            reference=expected.reference,
            max_relative=expected.max_relative,
            images=images,
            photos=photos,
        ),
        files=hashes,
    )
