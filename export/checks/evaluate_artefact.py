"""Evaluation of an exported file on a data folder, by the code that evaluates training runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from export.formats.load import load_artefact
from hierattn.data.joined.class_table import ClassTable
from hierattn.data.joined.read import as_roots, read_labelled
from hierattn.evaluation.evaluate import Evaluation, evaluate_predictor
from hierattn.metrics.report import evaluate_predictions

_AS_IS = ClassTable()


def evaluate_artefact(
    path: Path,
    data: Path | Sequence[Path],
    *,
    table: ClassTable = _AS_IS,
    replicates: int = 1000,
    skip_unreadable: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Evaluate a file on a data folder; see :func:`hierattn.evaluation.evaluate.evaluate_run`.

    Raises:
        ArtefactError: the file cannot be read.
        DataError: unreadable photos, or classes that the model does not know.
    """
    artefact = load_artefact(path)
    description = artefact.description
    folder = read_labelled(as_roots(data), table, description.classes)
    predictions, skipped = evaluate_predictor(
        artefact,
        description.preprocessing,
        description.classes,
        folder,
        skip_unreadable=skip_unreadable,
        progress=progress,
    )
    report = evaluate_predictions(predictions, description.operating_point, replicates=replicates)
    return Evaluation(
        report,
        predictions,
        description.operating_point,
        f"{len(predictions)} images, by {artefact.evaluator}",
        "an exported file does not know which photos its weights learnt from; see its model card",
        skipped,
        folder.passed_over,
        folder.remarks,
    )
