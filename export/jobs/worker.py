"""``python -m export.jobs.worker``: convert and check the files of one format, as stdin asks."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from export.errors import ArtefactError, RuntimeUnavailableError
from export.formats.conversion_input import ExportSource, FormatOptions
from export.formats.interface import Artefact, Format
from export.formats.registry import find_format, require_packages
from export.jobs.messages import (
    Event,
    Failed,
    FileChecked,
    FileWritten,
    Job,
    RuntimeAnswer,
    Step,
    sample_indices,
)
from export.schema.metadata import Precision
from hierattn.common.temporary import save_temporary
from hierattn.errors import HierAttnError
from hierattn.inference import predict_logits
from hierattn.preprocessing import PreprocessSpec

if TYPE_CHECKING:
    from torch import nn

Emit = Callable[[Event], None]


def main() -> None:
    """Run the job of the line on stdin."""
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    reports = _reserve_stdout()

    def emit(event: Event) -> None:
        reports.write(event.model_dump_json() + "\n")
        reports.flush()

    run_job(Job.model_validate_json(sys.stdin.buffer.readline()), emit)


def run_job(job: Job, emit: Emit) -> None:
    """Convert if the job has a run, then check every file; one that fails stops no other."""
    fmt = find_format(job.format)
    precisions = list(job.files)
    if job.run is not None:
        try:
            precisions = _convert(fmt, job, job.run, emit)
        except HierAttnError as error:
            emit(Failed(precision=None, reason=str(error)))
            return
    pixels = np.load(job.pixels, mmap_mode="r")
    for precision in precisions:
        try:
            _check(fmt, job, precision, pixels, emit)
        except HierAttnError as error:
            emit(Failed(precision=precision, reason=str(error)))
        except OSError as error:
            emit(Failed(precision=precision, reason=f"{job.workspace}: {error.strerror or error}"))


def _convert(fmt: Format, job: Job, run: Path, emit: Emit) -> list[Precision]:
    from hierattn.runs import load_run

    require_packages(fmt.packages, fmt.extra)
    model = load_run(run).load_model()
    spec = job.description.preprocessing
    calibration = None
    if job.calibration is not None:
        calibration = spec.to_input(np.load(job.calibration))
    options = FormatOptions(job.coreml_image_input, job.coreml_classifier)
    made = []
    for precisions, graph in _graphs(fmt, job, model):
        source = ExportSource(graph, job.description, calibration, options)
        try:
            made += _write(fmt, job, source, precisions, emit)
        except HierAttnError as error:
            for precision in precisions:
                emit(Failed(precision=precision, reason=str(error)))
    return made


def _graphs(fmt: Format, job: Job, model: nn.Module) -> Iterator[tuple[list[Precision], nn.Module]]:
    """What is converted, with the precisions that start there: one conversion if that does."""
    from export.passes import deployment_graph

    if job.graph != "deploy":
        yield list(job.files), model
        return
    size = job.description.image_size
    graphs: dict[str, tuple[list[Precision], nn.Module]] = {}
    for precision in job.files:
        graph = deployment_graph(model, size, fmt.name, precision)
        # A precision's own rewrites may find nothing to do: modules alike compute alike.
        graphs.setdefault(repr(graph), ([], graph))[0].append(precision)
    yield from graphs.values()


def _write(
    fmt: Format, job: Job, source: ExportSource, precisions: list[Precision], emit: Emit
) -> list[Precision]:
    """Convert once and write the files of these precisions; returns those that were made."""
    started = time.monotonic()
    emit(Step(text="converting"))
    converted = fmt.convert(source, job.workspace)
    made = []
    for precision in precisions:
        target = job.files[precision]
        emit(Step(text=f"writing {precision}"))
        try:
            report = fmt.write(converted, source, precision, target)
        except HierAttnError as error:
            emit(Failed(precision=precision, reason=str(error)))
            continue
        made.append(precision)
        now = time.monotonic()
        emit(FileWritten(precision=precision, quantisation=report, seconds=now - started))
        started = now
    return made


def _check(fmt: Format, job: Job, precision: Precision, pixels: np.ndarray, emit: Emit) -> None:
    path = job.files[precision]
    started = time.monotonic()
    require_packages(fmt.packages_to_run, fmt.extra)
    emit(Step(text=f"reading {precision}"))
    facts = fmt.describe(path)
    artefact = fmt.load(path, threads=1)
    spec = artefact.description.preprocessing
    if spec.image_size != pixels.shape[1]:
        raise ArtefactError(f"{path}: made for {spec.image_size} px, not {pixels.shape[1]}")

    def progress(done: int, total: int) -> None:
        emit(Step(text=f"asking {precision}", done=done, total=total))

    logits = job.workspace / f"{precision}.npy"
    save_temporary(logits, predict_logits(artefact, pixels, spec, batch_size=16, progress=progress))
    emit(Step(text=f"asking other runtimes, {precision}"))
    emit(
        FileChecked(
            precision=precision,
            evaluator=artefact.evaluator,
            description=artefact.description,
            input=facts.input,
            output=facts.output,
            operators=facts.operators,
            delegated=facts.delegated,
            logits=logits,
            other_runtimes=_run_other_runtimes(fmt, artefact, job, precision, pixels, spec),
            seconds=time.monotonic() - started,
        )
    )


def _run_other_runtimes(
    fmt: Format,
    artefact: Artefact,
    job: Job,
    precision: Precision,
    pixels: np.ndarray,
    spec: PreprocessSpec,
) -> list[RuntimeAnswer]:
    images = spec.to_input(pixels[sample_indices(len(pixels), job.sample)])
    answers = []
    for number, other in enumerate(fmt.other_runtimes(artefact.path)):
        logits = job.workspace / f"{precision}-{number}.npy"
        try:
            save_temporary(logits, np.asarray(other.run(images), np.float64))
        except HierAttnError as error:
            available = not isinstance(error, RuntimeUnavailableError)
            answers.append(
                RuntimeAnswer(
                    runtime=other.runtime, available=available, logits=None, reason=str(error)
                )
            )
            continue
        answers.append(
            RuntimeAnswer(runtime=other.runtime, available=True, logits=logits, reason=None)
        )
    return answers


def _end_with_parent(parent: int) -> None:
    """Exit when the parent process is gone: nothing would read the results."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _reserve_stdout() -> TextIO:
    """Keep stdout for events; all that converters print, also from C++, goes to stderr."""
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return reports


if __name__ == "__main__":
    main()
