"""``hierattn bundle``: copies an exported file, labels and self-test into an app."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from export.checks.golden.conformance import ExpectedLogits, expected_logits, read_golden_reference
from export.checks.integrity import is_litter
from export.errors import ExportError, ManifestError
from export.formats.abilities import Platform
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
    SELFTEST,
    ArtefactRecord,
    Manifest,
    read_manifest,
)
from export.schema.selftest import SelfTest
from export.targets.apps.choice import BundleRequest, choose_artefact
from export.targets.apps.fallback import choose_fallback, fallback_record, missing_fallback
from export.targets.apps.golden_photos import write_golden_photos
from export.targets.apps.install import replace_bundle
from export.targets.apps.places import find_place
from export.targets.apps.soundness import (
    check_copied,
    check_hashes,
    check_statements,
    found_remarks,
)
from hierattn.common.files import file_sha256, write_text
from hierattn.model_metadata import ModelMetadata
from hierattn.outputs import check_output


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
        check_hashes(request.folder, manifest, model)
    selftest, answers = read_golden_reference(request.folder, manifest)
    expected = expected_logits(chosen, selftest, answers)
    fallback = fallback_record(second, selftest, answers) if second else None
    labels = _labels(manifest.classes)
    for model in models:
        check_statements(request.folder, manifest, model, answers)
    # It loads torch.
    from export.run_record import check_model_card, find_run

    run = find_run(request.folder, manifest)
    not_compared = check_model_card(request.folder, manifest, run)
    with replace_bundle(place.main, place.target) as staging:
        _copy(request.folder, staging, models, selftest)
        photos = write_golden_photos(staging / SELFTEST, selftest.preprocessing)
        write_text(staging / LABELS, labels)
        hashes = _hashes(staging)
        check_copied(staging, hashes, manifest, models, selftest)
        written = _record(manifest, chosen, selftest, expected, photos, hashes)
        record = written.model_copy(update={"fallback": fallback})
        write_text(staging / BUNDLE, record.to_json())
        sizes = {name: (staging / name).stat().st_size for name in (BUNDLE, *hashes)}
    found = found_remarks(manifest, answers)
    remarks = (*not_compared, *found, *missing_fallback(chosen, second))
    return BundleResult(place.platform, place.target, record, sizes, remarks)


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
