"""Result files of a run folder, written from the best epoch's weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from hierattn.common.csv_text import csv_text
from hierattn.common.files import file_sha256, write_bytes, write_json, write_text
from hierattn.data.splits import Split
from hierattn.evaluation.pooling import PooledFolds
from hierattn.inference import TorchPredictor, predict_logits
from hierattn.lineage import caveat_of
from hierattn.metrics import predictions as prediction_files
from hierattn.metrics.calibration import fit_operating_point
from hierattn.metrics.predictions import Predictions
from hierattn.metrics.report import EvaluationReport, evaluate_predictions
from hierattn.models.tensors import load_tensors
from hierattn.preprocessing import PreprocessSpec
from hierattn.run_files import HISTORY, METRICS, PREDICTIONS, WEIGHTS
from hierattn.runs import RunConfig, TeacherRecord, tool_versions
from hierattn.training.data import PreparedData
from hierattn.training.distributed import ProcessGroup
from hierattn.training.recipe.config import TrainingConfig
from hierattn.training.run.checkpoint import HistoryRow, TrainingState
from hierattn.training.run.run_folder import write_config


def write_history(path: Path, history: Sequence[dict[str, Any]]) -> None:
    """Write ``history.csv``, a row an epoch."""
    names = [field.name for field in fields(HistoryRow)]
    write_text(path, csv_text([names, *([row.get(name) for name in names] for row in history)]))


def predict_held_out(
    model: nn.Module, data: PreparedData, spec: PreprocessSpec, group: ProcessGroup
) -> Predictions:
    """Logits of the validation and test photos in float32, by the judge of exported files too."""
    held_out = np.flatnonzero([split != Split.TRAIN for split in data.splits])
    logits = np.zeros((0, len(data.folder.classes)))
    if len(held_out):
        predictor = TorchPredictor(model, group.device)
        logits = predict_logits(predictor, data.pixels, spec, indices=held_out)
    return Predictions.from_records(
        [data.folder.records[index] for index in held_out],
        logits,
        data.folder.classes,
        splits=[data.splits[index] for index in held_out],
        groups=[data.groups[index] for index in held_out],
    )


def write_outcome(
    out: Path,
    config: TrainingConfig,
    data: PreparedData,
    state: TrainingState,
    model: nn.Module,
    group: ProcessGroup,
) -> dict[str, EvaluationReport]:
    """Write weights, metrics and figures; ``config.json`` last, as the mark of a finished run.

    Args:
        out: the run folder.
        config: the recipe.
        data: the photos.
        state: of the last epoch, holding the best weights.
        model: any instance of the network; it is given the best weights.
        group: this process.

    Returns:
        Reports by what was judged: ``test`` and ``validation`` photos of this run, or
        ``cross_validation`` where the run learnt from all photos and was given its folds' result.
    """
    from hierattn.metrics.figures import draw_curves, draw_report

    spec = PreprocessSpec(image_size=config.image_size)
    load_tensors(model, state.best)
    write_bytes(out / WEIGHTS, save(_contiguous(state.best)))
    write_history(out / HISTORY, state.history)
    draw_curves(state.history, out / "curves.png")
    predictions = predict_held_out(model, data, spec, group)
    classes = data.folder.classes
    teachers = [TeacherRecord.model_validate(teacher["record"]) for teacher in state.teachers]
    if state.calibration is not None:
        pooled = PooledFolds.model_validate(state.calibration)
        point = pooled.operating_point
        reports = {"cross_validation": pooled.report}
    else:
        validation = predictions.of_split(Split.VALIDATION)
        point = fit_operating_point(
            validation if len(validation) else None, classes=classes, targets=config.target_classes
        )
        reports = {}
    for split in (Split.TEST, Split.VALIDATION):
        part = predictions.of_split(split)
        if len(part):
            caveat = caveat_of(state.initialisation, teachers, split.value)
            reports[split.value] = evaluate_predictions(part, point, caveat=caveat)
            if len(reports) == 1:
                draw_report(out, reports[split.value], part, point)
    write_json(
        out / METRICS, {name: report.model_dump(mode="json") for name, report in reports.items()}
    )
    if len(predictions):
        prediction_files.write_csv(out / PREDICTIONS, predictions)
    run = RunConfig(
        model=config.model,
        classes=list(classes),
        image_size=config.image_size,
        preprocessing=spec,
        operating_point=point,
        data=data.provenance,
        initialisation=state.initialisation,
        teachers=teachers,
        training=config,
        best_epoch=state.best_epoch,
        seed=config.seed,
        processes=group.size,
        device=_device_name(group.device),
        weights_sha256=file_sha256(out / WEIGHTS),
        tools=tool_versions(),
    )
    write_config(out, run)
    return reports


def _contiguous(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.contiguous() for name, value in state.items()}


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
