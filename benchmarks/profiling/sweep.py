"""``--sweep``: latency against image size, threads and batch size.

Latency does not depend on the weights' values, so every size is converted from random ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.exports import Export
from benchmarks.matrix_product import gmacs_by_threads, matrix_products
from benchmarks.plan import Plan
from benchmarks.results import HOST, SweepPoint, threads_of
from benchmarks.runner import Measurement, measure
from benchmarks.runtimes.registry import find_runtime, runtimes_of
from benchmarks.stats import summarise
from export.formats.registry import abilities_of, default_formats
from export.pipeline import export as run_export
from export.progress import Observer, Progress, unobserved
from export.request import ExportRequest
from export.runtime.client import WorkerConfig
from export.schema.manifest import Manifest
from hierattn.models.complexity import count_multiply_adds
from hierattn.models.registry import create_model, minimum_image_size

SIZES = (128, 192, 224, 256)
BATCHES = (1, 2, 4, 8)
"""Of formats alone whose files take any batch, as ONNX; a .tflite takes one image at a time."""

RUNS = 60


@dataclass(frozen=True)
class _Setting:
    model: str
    image_size: int
    batch: int
    multiply_adds: int


def sweep(
    exports: Sequence[Export],
    threads: Sequence[int],
    plan: Plan,
    workspace: Path,
    progress: Observer = unobserved,
    sizes: Sequence[int] = SIZES,
    batches: Sequence[int] = BATCHES,
) -> tuple[list[SweepPoint], list[str]]:
    """Convert each export's network at several sizes, and measure all in one session.

    Batches are measured at the size of the export.

    Returns:
        The points, and a line for each file that could not be made or run.
    """
    settings: list[tuple[_Setting, Measurement]] = []
    problems: list[str] = []
    seen = set()
    for export in exports:
        manifest = export.manifest
        if manifest.model in seen:
            continue
        seen.add(manifest.model)
        least = minimum_image_size(manifest.model)
        wanted = sorted({*(size for size in sizes if size >= least), manifest.image_size})
        for number, size in enumerate(wanted):
            progress(Progress("", f"converting {manifest.model} at {size}", number, len(wanted)))
            folder = workspace / f"{manifest.model}-{size}"
            made = _convert(manifest, size, folder)
            problems += [
                f"{record.path}: {'; '.join(record.gate.reasons)}"
                for record in made.artefacts
                if record.sha256 is None
            ]
            counts = batches if size == manifest.image_size else batches[:1]
            settings += _settings(made, folder, size, threads, counts)
    products = matrix_products(threads)
    measurements = [one for _, one in settings]
    measure([*measurements, *products], replace(plan, runs=min(plan.runs, RUNS)), progress)
    problems += [f"{one.label}: {one.failure}" for one in measurements if one.failure]
    ceilings = gmacs_by_threads(products)
    points = [
        _point(setting, one, ceilings[one.config.threads])
        for setting, one in settings
        if one.samples and one.config.threads in ceilings
    ]
    return points, problems


def _convert(manifest: Manifest, size: int, folder: Path) -> Manifest:
    formats = tuple(
        name
        for name in default_formats()
        if runtimes_of(name) and find_runtime(runtimes_of(name)[0].name).python is not None
    )
    request = ExportRequest(
        manifest.model, folder, formats, ("fp32",), untrained_size=size, graph="deploy"
    )
    return run_export(request).manifest


def _settings(
    made: Manifest, folder: Path, size: int, threads: Sequence[int], batches: Sequence[int]
) -> list[tuple[_Setting, Measurement]]:
    cost = count_multiply_adds(create_model(made.model, len(made.classes)), size)
    found = []
    for record in made.artefacts:
        if record.sha256 is None:
            continue
        runtime = runtimes_of(record.format)[0]
        for batch in batches if abilities_of(record.format).any_batch else (1,):
            for count in threads:
                path = str((folder / record.path).resolve())
                config = WorkerConfig(runtime, path, count, batch)
                label = f"{record.path}, {runtime.name}, batch {batch}, {threads_of(count)}"
                found.append((_Setting(made.model, size, batch, cost), Measurement(config, label)))
    return found


def _point(setting: _Setting, measurement: Measurement, ceiling: float) -> SweepPoint:
    p50_ms = summarise(measurement.samples).p50_ms
    gmacs = setting.multiply_adds * setting.batch / p50_ms / 1e6
    return SweepPoint(
        model=setting.model,
        runtime=measurement.config.runtime.name,
        device=HOST,
        image_size=setting.image_size,
        threads=measurement.config.threads,
        batch=setting.batch,
        p50_ms=p50_ms,
        multiply_adds=setting.multiply_adds,
        gmacs=gmacs,
        of_matrix_product=gmacs / ceiling,
    )
