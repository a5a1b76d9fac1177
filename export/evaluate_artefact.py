"""Evaluation of an exported file on a data folder, by the code that evaluates training runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from export.checks.integrity import hash_problems, part_problems
from export.checks.learnt import NOT_KNOWN, choose_for_export
from export.errors import ManifestError
from export.formats.load import load_artefact
from export.run_record import find_run
from export.schema.manifest import PARITY, Manifest, read_manifest
from hierattn.data.joined.class_table import ClassTable
from hierattn.data.joined.read import as_roots, read_labelled
from hierattn.data.records import DataFolder
from hierattn.evaluation.evaluate import ChosenPhotos, Evaluation, evaluate_predictor
from hierattn.metrics.report import evaluate_predictions

_AS_IS = ClassTable()


def evaluate_artefact(
    path: Path,
    data: Path | Sequence[Path],
    *,
    table: ClassTable = _AS_IS,
    split: str = "auto",
    replicates: int = 1000,
    skip_unreadable: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Evaluate a file on a data folder; see :func:`hierattn.evaluation.evaluate.evaluate_run`.

    The manifest beside the file tells which photos its weights learnt from; see
    :func:`export.checks.learnt.choose_for_export`.

    Raises:
        ArtefactError: the file cannot be read.
        DataError: unreadable photos, or classes that the model does not know.
    """
    artefact = load_artefact(path)
    description = artefact.description
    manifest, why_not = manifest_beside(path)
    if manifest is not None and manifest.data is not None:
        table = replace(table, remembered=manifest.data.class_map)
    folder = read_labelled(as_roots(data), table, description.classes)
    chosen = _choose(folder, path.parent, manifest, why_not, split)
    predictions, skipped = evaluate_predictor(
        artefact,
        description.preprocessing,
        description.classes,
        chosen.folder,
        skip_unreadable=skip_unreadable,
        progress=progress,
    )
    report = evaluate_predictions(
        predictions, description.operating_point, replicates=replicates, caveat=chosen.warning
    )
    return Evaluation(
        report,
        predictions,
        description.operating_point,
        f"{chosen.words}, by {artefact.evaluator}",
        skipped,
        folder.passed_over,
        (*folder.remarks, *chosen.remarks),
    )


def manifest_beside(path: Path) -> tuple[Manifest | None, str]:
    """The manifest that tells of this very file; else None, and why there is none."""
    try:
        manifest = read_manifest(path.parent)
        record = next((one for one in manifest.artefacts if one.path == path.name), None)
    except ManifestError as error:
        return None, str(error)
    if record is None:
        return None, f"{path.parent}: its manifest does not list {path.name}"
    problems = hash_problems(path, record)
    if manifest.data is not None:
        problems += part_problems(path.parent / PARITY, manifest.files.get(PARITY))
    return (None, problems[0]) if problems else (manifest, "")


def _choose(
    whole: DataFolder, export: Path, manifest: Manifest | None, why_not: str, split: str
) -> ChosenPhotos:
    if manifest is not None:
        return choose_for_export(whole, export, manifest, find_run(export, manifest), split)
    return ChosenPhotos(whole, f"{len(whole.records)} images", f"{NOT_KNOWN} ({why_not})", ())
