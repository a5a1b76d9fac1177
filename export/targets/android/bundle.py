"""``hierattn bundle``: one exported file, and all an app needs beside it, into an app's assets."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from export.checks.conformance import Expectation, expect, read_golden
from export.checks.integrity import hash_problems, path_sha256
from export.errors import ExportError, ManifestError
from export.formats.registry import find_format
from export.schema.bundle import (
    BUNDLE,
    LABELS,
    BundleImage,
    BundleInput,
    BundleOutput,
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
from export.schema.selftest import SelfTest
from export.targets.android.install import ASSETS, FOLDER, find_main, replaced_bundle
from hierattn.errors import UnknownNameError
from hierattn.files import file_sha256, write_text
from hierattn.outputs import check_output

FORMATS = ("onnx", "tflite")
"""Those that run on Android."""


@dataclass(frozen=True)
class BundleRequest:
    """What to put where.

    Attributes:
        folder: what ``hierattn export`` wrote.
        app: an Android app's folder, see :func:`export.targets.android.install.find_main`.
        artefact: file name; None for the only one there is to choose.
        allow_unverified: take a file whose gate failed or was not run; the bundle says so.
    """

    folder: Path
    app: Path
    artefact: str | None = None
    allow_unverified: bool = False


@dataclass(frozen=True)
class Bundled:
    """What was written; ``place`` is the bundle's folder, ``sizes`` are bytes by file."""

    place: Path
    record: BundleRecord
    sizes: Mapping[str, int]


def bundle(request: BundleRequest) -> Bundled:
    """Replace the app's bundle, wholly or not at all.

    Raises:
        HierAttnError: the export is damaged, the file may not be shipped or is not to be chosen,
            or the app is none; nothing was changed then.
    """
    check_output(request.app, request.folder, option="--app")
    main = find_main(request.app)
    manifest = read_manifest(request.folder)
    chosen = choose(manifest, request)
    _check_whole(request.folder, manifest, chosen)
    selftest, answers = read_golden(request.folder, manifest)
    expected = expect(chosen, selftest, answers)
    with replaced_bundle(main) as staging:
        _copy(request.folder, staging, chosen, selftest)
        write_text(staging / LABELS, _labels(manifest.classes))
        hashes = _hashes(staging)
        _check_copied(hashes, manifest, chosen, selftest)
        record = _record(manifest, chosen, selftest, expected, hashes)
        write_text(staging / BUNDLE, record.to_json())
        sizes = {name: (staging / name).stat().st_size for name in (BUNDLE, *hashes)}
    return Bundled(main / ASSETS / FOLDER, record, sizes)


def choose(manifest: Manifest, request: BundleRequest) -> ArtefactRecord:
    """The file to bundle.

    Raises:
        UnknownNameError: no file of that name in the export.
        ExportError: Core ML, a gate that did not pass, or several files and none named.
    """
    fit = [record for record in manifest.artefacts if record.format in FORMATS]
    if request.artefact is not None:
        named = {record.path: record for record in manifest.artefacts}
        if request.artefact not in named:
            raise UnknownNameError("file", request.artefact, [record.path for record in fit])
        chosen = named[request.artefact]
        if chosen not in fit:
            raise ExportError(f"{chosen.path}: Core ML does not run on Android; name another file")
        if not request.allow_unverified and chosen.gate.status != "passed":
            reasons = "; ".join(chosen.gate.reasons) or "no reason recorded"
            raise ExportError(
                f"{chosen.path}: its gate {_words(chosen)}: {reasons}. Choose another file, or "
                "pass --allow-unverified: the app will say so on screen"
            )
        return chosen
    ready = [record for record in fit if record.gate.status == "passed"]
    if request.allow_unverified and not ready:
        ready = [record for record in fit if record.sha256 is not None]
    if len(ready) == 1:
        return ready[0]
    if ready:
        names = ", ".join(record.path for record in ready)
        raise ExportError(f"{request.folder}: name one file with --artefact: {names}")
    if not fit:
        raise ExportError(
            f"{request.folder}: no file for Android; export with --format onnx or tflite"
        )
    states = "; ".join(f"{record.path}: gate {_words(record)}" for record in fit)
    raise ExportError(
        f"{request.folder}: no file for Android passed its gate ({states}); pass "
        "--allow-unverified to take one all the same"
    )


def _words(record: ArtefactRecord) -> str:
    return "was not run" if record.gate.status == "not run" else record.gate.status


def _check_whole(folder: Path, manifest: Manifest, chosen: ArtefactRecord) -> None:
    """Refuse what is not as it was exported; that a gate failed is no concern here."""
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


def _copy(folder: Path, staging: Path, chosen: ArtefactRecord, selftest: SelfTest) -> None:
    shutil.copyfile(folder / chosen.path, staging / chosen.path)
    shutil.copyfile(folder / MODEL_CARD, staging / MODEL_CARD)
    (staging / SELFTEST).mkdir()
    for image in selftest.images:
        for name in (image.file, image.tensor):
            shutil.copyfile(folder / SELFTEST / name, staging / SELFTEST / name)


def _labels(classes: list[str]) -> str:
    """One a line, in index order.

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
    hashes: Mapping[str, str], manifest: Manifest, chosen: ArtefactRecord, selftest: SelfTest
) -> None:
    """What lies in the app now must be what was checked, also if the export changed meanwhile.

    Raises:
        ManifestError: it changed.
    """
    wanted = {chosen.path: chosen.sha256, MODEL_CARD: manifest.files[MODEL_CARD]}
    for image in selftest.images:
        wanted[f"{SELFTEST}/{image.file}"] = image.sha256
        wanted[f"{SELFTEST}/{image.tensor}"] = image.tensor_sha256
    for name, sha256 in wanted.items():
        if hashes[name] != sha256:
            raise ManifestError(f"{name}: changed while it was copied; try again")


def _record(
    manifest: Manifest,
    chosen: ArtefactRecord,
    selftest: SelfTest,
    expected: Expectation,
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
        model=manifest.model,
        format=cast(Literal["onnx", "tflite"], chosen.format),
        precision=chosen.precision,
        artefact=chosen.path,
        sha256=chosen.sha256,
        bytes=chosen.bytes,
        weights_sha256=manifest.source.weights_sha256,
        classes=manifest.classes,
        image_size=manifest.image_size,
        input=BundleInput(name=chosen.input.name, layout=chosen.input.layout),
        output=BundleOutput(name=chosen.output.name),
        preprocessing=manifest.preprocessing,
        operating_point=manifest.operating_point,
        verified=chosen.gate.status == "passed",
        gate=chosen.gate,
        licence=manifest.source.licence,
        intended_use=manifest.intended_use,
        selftest=BundleSelfTest(
            reference=expected.reference, max_relative=expected.max_relative, images=images
        ),
        files=hashes,
    )
