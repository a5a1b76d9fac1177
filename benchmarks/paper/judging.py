"""The judging of a study: exports, times, held-out photos. What is finished is skipped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.paper.published import SYSTEMS
from benchmarks.paper.study import Study
from benchmarks.paper.table import Latency, SystemRow
from benchmarks.paper.trainings import trial_scores
from benchmarks.plan import Plan
from benchmarks.results import RESULTS_JSON, BenchmarkError, Results, read_results
from benchmarks.run import BenchmarkRequest, run_benchmark
from benchmarks.runtimes.registry import LITERT, ONNXRUNTIME, TORCH
from export.pipeline import export
from export.request import ExportRequest
from export.schema.manifest import read_manifest
from hierattn.metrics.bootstrap import bootstrap_intervals
from hierattn.metrics.predictions import STRATA, Predictions, concatenate, read_csv, write_csv
from hierattn.metrics.report import evaluate_predictions
from hierattn.models.complexity import count_multiply_adds, count_parameters
from hierattn.run_files import PREDICTIONS
from hierattn.runs import load_run


def export_system(study: Study, model: str) -> None:
    """Export a system's first fold in float32 to ONNX and TFLite, judged on photos it never saw.

    Of several data folders these are the first one's.
    """
    if not study.exported(model).exists():
        export(
            ExportRequest(
                str(study.folds(model)[0]),
                study.exported(model),
                formats=("onnx", "tflite"),
                precisions=("fp32",),
                data=study.data[0],
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
                runs=tuple(str(study.folds(system.model)[0]) for system in SYSTEMS),
                command=command,
            )
        )
    return read_results(study.report)


def keep_held_out(study: Study, model: str, out: Path) -> Predictions:
    """Write what each fold said of the photos it never saw, and read it back: figures rest on it.

    Logits are rounded to 5 decimals; of the photos only name, class and group are kept.
    """
    folds = [read_csv(run / PREDICTIONS).of_split("test") for run in study.folds(model)]
    found = concatenate(folds)
    nothing: dict[str, tuple[str | None, ...]] = {name: (None,) * len(found) for name in STRATA}
    target = out / f"{model}.predictions.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_csv(target, replace(found, logits=np.round(found.logits, 5), strata=nothing))
    return read_csv(target)


def parts_of(study: Study, predictions: Predictions) -> dict[str, Predictions]:
    """What was said of each data folder's photos, where there are several."""
    if len(study.data) == 1:
        return {}
    files = predictions.files
    return {
        folder.name: predictions.take(
            [place for place, file in enumerate(files) if file.startswith(f"{folder.name}/")]
        )
        for folder in study.data
    }


def make_row(study: Study, model: str, predictions: Predictions, timed: Results) -> SystemRow:
    """Gather one system's figures; ``predictions`` are of the held-out folds."""
    run = load_run(study.folds(model)[0])
    network = run.load_model()
    found = bootstrap_intervals(predictions, run.config.operating_point, replicates=2000)
    judged = evaluate_predictions(predictions, run.config.operating_point, replicates=1)
    manifest = read_manifest(study.exported(model))
    if manifest.source.weights_sha256 != run.config.weights_sha256:
        raise BenchmarkError(f"{study.exported(model)}: of other weights than the run's; remove it")
    sizes = [a.bytes for a in manifest.artefacts if a.format == "tflite" and a.bytes]
    return SystemRow(
        model=model,
        lr=run.config.training.lr,
        trials=trial_scores(study, model),
        parameters=count_parameters(network),
        multiply_adds=count_multiply_adds(network, run.config.image_size),
        top1=found["top1"] or judged.top1,
        balanced_accuracy=found["balanced_accuracy"] or judged.balanced_accuracy,
        parts={
            name: bootstrap_intervals(part, run.config.operating_point, replicates=2000)[
                "balanced_accuracy"
            ]
            for name, part in parts_of(study, predictions).items()
        },
        latencies=[
            Latency(runtime=row.runtime, p50_ms=row.p50_ms)
            for row in timed.rows
            if row.model == model and row.p50_ms is not None
        ],
        size_mb=sizes[0] / 1e6 if sizes else None,
        verified=manifest.passed,
        run_weights_sha256=run.config.weights_sha256,
    )
