"""The files of an export folder, asked on one runtime after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.other_runtimes.registry import OtherRuntime
from benchmarks.other_runtimes.results import Row
from export.checks.eval_data import reread_evaluation_photos
from export.checks.gates import OTHER_RUNTIMES
from export.checks.golden.conformance import read_golden_reference
from export.checks.golden.selftest import golden_inputs
from export.checks.integrity import artefact_problems
from export.checks.parity import logits_in_order, measure_parity
from export.errors import ExportError, ManifestError, WorkerError
from export.formats.abilities import Platform, Runtime
from export.formats.load import load_artefact
from export.runtime.client import Worker, WorkerConfig
from export.schema.manifest import PARITY, SELFTEST, ArtefactRecord, Manifest
from export.schema.metadata import Precision
from export.schema.parity import read_parity_record
from hierattn.errors import HierAttnError
from hierattn.preprocessing import open_rgb

REPLY_S = 1800.0
"""Operators computed by their definition take seconds a photo."""


@dataclass(frozen=True, eq=False)
class TrialInputs:
    """What every runtime is asked.

    Attributes:
        images: float32 [N, 3, S, S] in [0, 1].
        torch: torch's logits [N, K].
        photos: the same images as files; None for golden images.
    """

    images: np.ndarray
    torch: np.ndarray
    photos: tuple[Path, ...] | None


@dataclass(frozen=True, eq=False)
class TrialFile:
    """A file to try, and its logits [N, K] on the runtime that it is checked with at export."""

    path: Path
    record: ArtefactRecord
    own: np.ndarray


def read_inputs(folder: Path, manifest: Manifest, data: Path | None, count: int) -> TrialInputs:
    """Photos that the export was judged on, evenly spread; without ``data`` its golden images.

    Raises:
        ManifestError: other photos, or an export that was made without any.
    """
    if data is None:
        selftest, answers = read_golden_reference(folder, manifest)
        names = [image.file for image in selftest.images]
        logits = logits_in_order(answers.golden, names)
        return TrialInputs(golden_inputs(folder / SELFTEST, selftest), logits, None)
    judged = read_parity_record(folder / PARITY).photos
    if manifest.data is None or not judged:
        raise ManifestError(f"{folder}: was exported without photos; leave --data out")
    places = np.unique(np.linspace(0, len(judged) - 1, count).round().astype(int))
    chosen = [judged[place] for place in places]
    spec = manifest.preprocessing
    photos = reread_evaluation_photos(data, manifest.data, spec, manifest.classes, chosen)
    return TrialInputs(
        spec.to_input(photos.pixels),
        np.array([answer.logits for answer in chosen]),
        tuple(record.path for record in photos.folder.records),
    )


def open_files(
    folder: Path, manifest: Manifest, suffixes: frozenset[str], inputs: TrialInputs
) -> Iterator[TrialFile]:
    """Ask the files of some suffixes on our own runtime.

    Raises:
        ManifestError: a file is not the one that was exported.
        ArtefactError: its own runtime cannot run it.
    """
    for record in manifest.artefacts:
        path = folder / record.path
        if path.suffix in suffixes:
            for problem in artefact_problems(path, record):
                raise ManifestError(problem)
            yield TrialFile(path, record, load_artefact(path, threads=1)(inputs.images))


def try_runtime(
    runtime: OtherRuntime, files: Sequence[TrialFile], inputs: TrialInputs, environments: Path
) -> list[Row]:
    """A row for each file that the runtime is to read."""
    chosen = [one for one in files if one.path.suffix == runtime.suffix]
    if runtime.whole_photos and inputs.photos is None:
        return [_row(runtime, one, "not run", "needs photos; pass --data") for one in chosen]
    if not chosen:
        return []
    try:
        python = runtime.command(environments)
    except ExportError as error:
        return [_row(runtime, one, "not run", str(error)) for one in chosen]
    return [_try_file(runtime, python, one, inputs) for one in chosen]


def _try_file(
    runtime: OtherRuntime, python: tuple[str, ...], file: TrialFile, inputs: TrialInputs
) -> Row:
    version = ""
    try:
        with Worker(_config(runtime, python, file.path)) as worker:
            version = worker.wait_until_ready().version
            worker.load()
            logits = _ask(worker, runtime, inputs)
        evaluator = f"{runtime.name} {version}"
        own = measure_parity(file.own, logits, evaluator)
        torch = measure_parity(inputs.torch, logits, evaluator)
    except (WorkerError, HierAttnError) as error:
        return _row(runtime, file, "fails", str(error), version)
    precision = file.record.precision
    # int8 rounds otherwise than torch: another runtime is held against the file's own answers.
    bounded = own if precision is Precision.INT8 else torch
    bound = OTHER_RUNTIMES[precision]
    agrees = bounded.max_relative <= bound
    reason = f"difference of {bounded.max_relative:.2g} of the scale, above {bound:g}"
    row = _row(runtime, file, "agrees" if agrees else "departs", reason, version)
    return row.model_copy(
        update={"own": own, "torch": torch} | ({"reason": None, "known": False} if agrees else {})
    )


def _config(runtime: OtherRuntime, python: tuple[str, ...], path: Path) -> WorkerConfig:
    ran = Runtime(
        runtime.name, runtime.name, runtime.name, frozenset({Platform.HOST}), runtime.engine
    )
    return WorkerConfig(ran, str(path.absolute()), threads=1, python=python, reply_s=REPLY_S)


def _ask(worker: Worker, runtime: OtherRuntime, inputs: TrialInputs) -> np.ndarray:
    with tempfile.TemporaryDirectory(prefix="other-runtimes-") as folder:
        if not runtime.whole_photos or inputs.photos is None:
            return worker.answer(inputs.images, Path(folder))
        answers = []
        # One at a time: they may be of different sizes.
        for photo in inputs.photos:
            pixels = np.asarray(open_rgb(photo)).transpose(2, 0, 1)[None]
            answers.append(worker.answer(pixels.astype(np.float32) / 255, Path(folder)))
        return np.concatenate(answers)


def _row(
    runtime: OtherRuntime, file: TrialFile, status: str, reason: str, version: str = ""
) -> Row:
    precision = file.record.precision
    known = runtime.known.get(precision.value) if status != "not run" else None
    return Row.model_validate(
        {
            "runtime": runtime.name,
            "version": version or runtime.pinned,
            "setting": runtime.setting,
            "file": file.path.name,
            "format": file.record.format,
            "precision": precision,
            "own": None,
            "torch": None,
            "status": status,
            "reason": f"{known} ({reason})" if known else reason,
            "known": known is not None,
        }
    )
