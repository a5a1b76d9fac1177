"""The export pipeline: convert a run, compare each file with torch, write the export folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from export.checks.comparison import TorchReference
from export.checks.eval_data import CROSS_CHECK_IMAGES, EvaluationPhotos, read_evaluation_photos
from export.checks.file_results import FileResults
from export.checks.gates import relative_tolerances
from export.checks.golden.selftest import golden_pixels, read_selftest, write_selftest
from export.checks.integrity import path_sha256
from export.checks.parity import logits_by_image
from export.formats.registry import (
    FORMATS,
    all_abilities,
    default_formats,
    find_format,
)
from export.jobs.messages import Job
from export.jobs.pool import run_jobs
from export.model_card import render_model_card
from export.passes import REWRITES, rewrites_for
from export.progress import Observer, Progress, unobserved
from export.request import ExportRequest
from export.run_record import licence_words, read_run, write_run_record
from export.schema.manifest import (
    LOG,
    MANIFEST,
    MODEL_CARD,
    PARITY,
    PARTS,
    RUN_RECORD,
    SELFTEST,
    ArtefactRecord,
    JudgedData,
    Manifest,
    Source,
)
from export.schema.metadata import Description, Precision
from export.schema.parity import ParityRecord, PhotoAnswer
from export.untrained import CLASSES, write_untrained_run
from hierattn.common.files import write_text
from hierattn.common.staging import staged_folder
from hierattn.common.temporary import shared_array, temporary_folder
from hierattn.data.folder import read_data_folder
from hierattn.inference import TorchPredictor, predict_logits
from hierattn.model_metadata import ModelMetadata
from hierattn.outputs import check_output, given_path
from hierattn.run_files import SPLITS
from hierattn.runs import Run, load_run, tool_versions


@dataclass(frozen=True)
class ExportOutcome:
    """The manifest, and the time of each file by name, seconds (not part of the record)."""

    manifest: Manifest
    seconds: dict[str, float]


def export_run(
    run: str | Path,
    out: str | Path,
    formats: Sequence[str] = default_formats(),
    precisions: Sequence[str] | None = None,
    data: str | Path | None = None,
) -> Manifest:
    """Export a run; see :class:`ExportRequest` and :func:`export`."""
    request = ExportRequest(
        str(run),
        Path(out),
        tuple(formats),
        None if precisions is None else tuple(precisions),
        None if data is None else Path(data),
    )
    return export(request).manifest


def export(request: ExportRequest, progress: Observer = unobserved) -> ExportOutcome:
    """Write the export folder, whole or not at all.

    A file that cannot be written, or fails its gate, is recorded as failed and stops no other.

    Raises:
        HierAttnError: the run, the data or the request cannot be used, or nothing can be written.
    """
    precisions = request.checked_precisions()
    check_output(request.out, request.data, given_path(request.run))
    with (
        staged_folder(request.out) as out,
        temporary_folder("export") as workspace,
    ):
        if request.untrained_size is None:
            run = load_run(request.run)
        else:
            folder = workspace / f"{request.run}.untrained"
            classes = read_data_folder(request.data).classes if request.data else CLASSES
            write_untrained_run(folder, request.run, request.untrained_size, classes)
            run = load_run(folder)
        return _export(request, run, precisions, out, workspace, progress)


def _export(
    request: ExportRequest,
    run: Run,
    precisions: list[Precision],
    folder: Path,
    workspace: Path,
    progress: Observer,
) -> ExportOutcome:
    config = run.config
    spec, classes = config.preprocessing, config.classes
    predictor = TorchPredictor(run.load_model())
    description = _file_metadata(run)
    photos = None
    if request.data is not None:
        photos = read_evaluation_photos(
            request.data,
            spec,
            classes,
            splits=run.path / SPLITS,
            out=request.out,
            calibrate=Precision.INT8 in precisions,
            class_map=run.config.training.class_map,
            skip_unreadable=request.skip_unreadable,
            progress=lambda done, total: progress(Progress("", "decoding", done, total)),
        )
    selftest = write_selftest(folder / SELFTEST, description, predictor, relative_tolerances())
    golden = golden_pixels(folder / SELFTEST, selftest)
    golden_count = len(golden)
    with ExitStack() as stack:
        parts = (golden,) if photos is None else (golden, photos.pixels)
        pixels = stack.enter_context(shared_array(workspace, *parts))
        calibration = None
        if photos is not None and len(photos.calibration):
            calibration = stack.enter_context(shared_array(workspace, photos.calibration))
        reference = TorchReference(
            predict_logits(
                predictor,
                np.load(pixels, mmap_mode="r"),
                spec,
                batch_size=16,
                progress=lambda done, total: progress(Progress("", _ASKING, done, total)),
            ),
            golden_count,
            CROSS_CHECK_IMAGES,
            photos,
            tuple(classes),
            config.operating_point,
        )
        jobs = _make_jobs(
            request, run, precisions, folder, workspace, pixels, calibration, description
        )
        results = FileResults(jobs)
        run_jobs(jobs, folder / LOG, results.follow(progress))
    names = [image.file for image in selftest.images]
    records, golden_logits = [], {}
    for result in results:
        record, comparison = result.to_record(reference)
        records.append(record)
        if comparison is not None:
            golden_logits[record.path] = logits_by_image(names, comparison.golden)
    parity_record = ParityRecord(
        torch=torch.__version__,
        golden=logits_by_image(names, reference.logits[:golden_count]),
        photos=_photo_logits(photos, reference.logits[golden_count:]),
        artefacts=golden_logits,
    )
    write_text(folder / PARITY, parity_record.model_dump_json() + "\n")
    manifest = _manifest(request, run, reference, records, description)
    return ExportOutcome(_write_records(folder, manifest, run), results.seconds())


_ASKING = "asking torch, golden images too"


def _make_jobs(
    request: ExportRequest,
    run: Run,
    precisions: list[Precision],
    folder: Path,
    workspace: Path,
    pixels: Path,
    calibration: Path | None,
    description: Description,
) -> list[Job]:
    stem = f"{run.config.model}-{run.config.image_size}"
    graph: Literal["deploy", "naive"] = "deploy" if request.graph == "deploy" else "naive"
    # A format named twice is made once, in the order of the registry.
    formats = [find_format(name) for name in FORMATS if name in request.formats]
    return [
        Job(
            format=fmt.name,
            run=run.path.resolve(),
            graph=graph,
            description=description,
            files={
                p: (folder / f"{stem}-{p}{fmt.suffix}").resolve()
                for p in precisions
                if p in fmt.abilities.precisions
            },
            pixels=pixels,
            sample=CROSS_CHECK_IMAGES,
            calibration=calibration,
            workspace=workspace / fmt.name,
            coreml_image_input=request.options.coreml_image_input,
            coreml_classifier=request.options.coreml_classifier,
        )
        for fmt in formats
    ]


def _photo_logits(photos: EvaluationPhotos | None, logits: np.ndarray) -> list[PhotoAnswer]:
    if photos is None:
        return []
    return [
        PhotoAnswer(file=record.file, label=record.label, logits=[float(v) for v in row])
        for record, row in zip(photos.folder.records, logits, strict=True)
    ]


def _file_metadata(run: Run) -> Description:
    config = run.config
    return Description(
        **ModelMetadata.fields_of(config),
        precision=Precision.FP32,
        weights_sha256=config.weights_sha256,
        licence=licence_words(config),
    )


def _manifest(
    request: ExportRequest,
    run: Run,
    reference: TorchReference,
    records: list[ArtefactRecord],
    description: Description,
) -> Manifest:
    config = run.config
    return Manifest(
        **ModelMetadata.fields_of(config),
        source=Source(
            run=run.path.name if request.untrained_size is None else None,
            graph="deploy" if request.graph == "deploy" else "naive",
            rewrites=_rewrites(request, records),
            weights_sha256=config.weights_sha256,
            tools={**tool_versions(), **export_tool_versions()},
            licence=description.licence,
        ),
        data=_judged_data(reference),
        torch_quality=reference.quality,
        files={},
        artefacts=records,
    )


def _judged_data(reference: TorchReference) -> JudgedData | None:
    """The photos' record, with what limits them as evidence."""
    if reference.photos is None:
        return None
    record = reference.photos.record
    return record.model_copy(update={"remarks": [*record.remarks, *reference.remarks]})


def _rewrites(request: ExportRequest, records: list[ArtefactRecord]) -> list[str]:
    """Names of the rewrites that were applied for the files asked for."""
    if request.graph != "deploy":
        return []
    files = {(record.format, record.precision) for record in records}
    applied = {rewrite.name for file in files for rewrite in rewrites_for(*file)}
    return [rewrite.name for rewrite in REWRITES if rewrite.name in applied]


def _write_records(folder: Path, manifest: Manifest, run: Run) -> Manifest:
    """Write the model card, what it is made from and, last, the manifest with all hashes."""
    read_selftest(folder / SELFTEST)
    record = read_run(run)
    write_run_record(folder / RUN_RECORD, record)
    write_text(folder / MODEL_CARD, render_model_card(manifest, record.config, record.reports))
    hashes = {name: path_sha256(folder / name) for name in (*PARTS, RUN_RECORD)}
    manifest = manifest.model_copy(update={"files": hashes})
    write_text(folder / MANIFEST, manifest.to_json())
    return manifest


def export_tool_versions() -> dict[str, str]:
    """Installed versions of the converters and runtimes."""
    found = {}
    for name in (tool for abilities in all_abilities() for tool in abilities.tools):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
