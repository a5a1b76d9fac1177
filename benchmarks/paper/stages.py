"""The stages of the comparison: train, export, time. Finished stages are skipped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.paper.published import SYSTEMS
from benchmarks.paper.table import Latency, SystemRow
from benchmarks.plan import Plan
from benchmarks.results import RESULTS_JSON, BenchmarkError, Results, read_results
from benchmarks.run import BenchmarkRequest, run_benchmark
from benchmarks.runtimes.registry import LITERT, ONNXRUNTIME, TORCH
from export.pipeline import export
from export.request import ExportRequest
from export.schema.manifest import read_manifest
from hierattn.metrics.bootstrap import bootstrap_intervals
from hierattn.metrics.predictions import STRATA, Predictions, read_csv, write_csv
from hierattn.models.complexity import count_multiply_adds, count_parameters
from hierattn.runs import CHECKPOINT, METRICS, PREDICTIONS, load_run
from hierattn.training.recipe.config import TrainingConfig, build_config
from hierattn.training.run.request import TrainingRequest
from hierattn.training.trainer import train


@dataclass(frozen=True)
class Study:
    """One data set, one recipe, eight systems.

    Attributes:
        data: the photos.
        recipe: JSON of training fields, the same for all systems.
        work: where runs and exports live; a killed study goes on from there.
    """

    data: Path
    recipe: Path
    work: Path

    def run(self, model: str) -> Path:
        """The run folder of a system."""
        return self.work / model / "run"

    def exported(self, model: str) -> Path:
        """The export folder of a system."""
        return self.work / model / "export"

    @property
    def report(self) -> Path:
        """The benchmark's report folder."""
        return self.work / "report"


def train_system(study: Study, model: str) -> None:
    """Train a system from scratch, or go on with it."""
    out = study.run(model)
    config = build_config("default", study.recipe, model=model)
    if (out / METRICS).exists():
        _check_finished(study, model, config)
        return
    resume = (out / CHECKPOINT).exists()
    train(TrainingRequest(config, None if resume else study.data, out, resume=resume))


def _check_finished(study: Study, model: str, config: TrainingConfig) -> None:
    """A folder of another study must not pass for this one's."""
    found = load_run(study.run(model)).config
    if found.training != config:
        raise BenchmarkError(f"{study.run(model)}: trained by another recipe; give another --work")
    if found.data.name != study.data.name:
        raise BenchmarkError(
            f"{study.run(model)}: trained on '{found.data.name}', not on '{study.data.name}'; give "
            "another --work"
        )


def export_system(study: Study, model: str) -> None:
    """Export a system in float32 to ONNX and TFLite, judged on photos it did not learn from."""
    if not study.exported(model).exists():
        export(
            ExportRequest(
                str(study.run(model)),
                study.exported(model),
                formats=("onnx", "tflite"),
                precisions=("fp32",),
                data=study.data,
            )
        )


def time_systems(study: Study, command: str, runs: int) -> Results:
    """Time all exports in one session: torch eager, onnxruntime and LiteRT, one thread."""
    done = (study.report / RESULTS_JSON).exists() and read_results(study.report).complete
    if not done:
        run_benchmark(
            BenchmarkRequest(
                exports=tuple(study.exported(system.model) for system in SYSTEMS),
                out=study.report,
                threads=(1,),
                runtimes=(TORCH, ONNXRUNTIME, LITERT),
                plan=Plan(runs=runs),
                runs=tuple(str(study.run(system.model)) for system in SYSTEMS),
                command=command,
            )
        )
    return read_results(study.report)


def keep_held_out(study: Study, model: str, out: Path) -> Predictions:
    """Write what a run said of the fold it never saw, and read it back: figures rest on the file.

    Logits are rounded to 5 decimals; of the photos only name, class and group are kept.
    """
    found = read_csv(study.run(model) / PREDICTIONS).of_split("test")
    nothing: dict[str, tuple[str | None, ...]] = {name: (None,) * len(found) for name in STRATA}
    target = out / f"{model}.predictions.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_csv(target, replace(found, logits=np.round(found.logits, 5), strata=nothing))
    return read_csv(target)


def make_row(study: Study, model: str, predictions: Predictions, timed: Results) -> SystemRow:
    """Gather one system's figures; ``predictions`` are of the held-out fold."""
    run = load_run(study.run(model))
    network = run.load_model()
    found = bootstrap_intervals(predictions, run.config.operating_point, replicates=2000)
    top1, balanced = found["top1"], found["balanced_accuracy"]
    if top1 is None or balanced is None:
        raise BenchmarkError(f"{run.path}: the held-out fold lacks a class")
    manifest = read_manifest(study.exported(model))
    if manifest.source.weights_sha256 != run.config.weights_sha256:
        raise BenchmarkError(f"{study.exported(model)}: of other weights than the run's; remove it")
    sizes = [a.bytes for a in manifest.artefacts if a.format == "tflite" and a.bytes]
    return SystemRow(
        model=model,
        parameters=count_parameters(network),
        multiply_adds=count_multiply_adds(network, run.config.image_size),
        top1=top1,
        balanced_accuracy=balanced,
        latencies=[
            Latency(runtime=row.runtime, p50_ms=row.p50_ms)
            for row in timed.rows
            if row.model == model and row.p50_ms is not None
        ],
        size_mb=sizes[0] / 1e6 if sizes else None,
        verified=manifest.passed,
        run_weights_sha256=run.config.weights_sha256,
    )
