"""Whether an export is still what was verified: checked before its files go into an app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from export.checks.declared import undeclared_words
from export.checks.description import description_problems, stated_description
from export.checks.evidence import Evidence, constant_answer, hold_back, threshold_doubt
from export.checks.gates import evaluate_gate
from export.checks.integrity import hash_problems, path_sha256
from export.errors import ManifestError
from export.formats.registry import find_format
from export.schema.manifest import (
    LATER_PARTS,
    MODEL_CARD,
    PARTS,
    SELFTEST,
    ArtefactRecord,
    Manifest,
)
from export.schema.parity import ParityRecord
from export.schema.selftest import SelfTest


def check_hashes(folder: Path, manifest: Manifest, chosen: ArtefactRecord) -> None:
    """Check the hashes of all files to be copied, whatever the gates.

    Raises:
        ManifestError: a file is missing, changed or of another name than its format gives it.
    """
    problems = hash_problems(folder / chosen.path, chosen)
    if problems:
        raise ManifestError(problems[0])
    if Path(chosen.path).suffix != find_format(chosen.format).suffix:
        raise ManifestError(f"{chosen.path}: not the name of a {chosen.format} file; export again")
    listed = [name for name in LATER_PARTS if name in manifest.files]
    for name in (*PARTS, *listed):
        path = folder / name
        if name not in manifest.files or not path.exists():
            raise ManifestError(f"{path}: missing, or not in the manifest; export again")
        if path_sha256(path) != manifest.files[name]:
            raise ManifestError(f"{path}: changed since the export (sha256 differs); export again")


def check_statements(
    folder: Path, manifest: Manifest, chosen: ArtefactRecord, answers: ParityRecord
) -> None:
    """Check the manifest's words of a file against the file's own, and its gate's figures.

    Raises:
        ManifestError: classes, threshold, intended use or another statement is not the file's; or
            the gate is said to have passed with figures that do not pass it.
    """
    # They load torch and scikit-learn.
    from export.checks.comparison import judge_torch
    from export.checks.recorded import changed_quality, changed_torch_figures

    path = folder / chosen.path
    found = find_format(chosen.format).read_description(path)
    problems = description_problems(found, stated_description(manifest, chosen.precision))
    of_torch = judge_torch(answers.photos, manifest.classes, manifest.operating_point)
    problems += changed_torch_figures(manifest.torch_quality, of_torch)
    problems += undeclared_words(chosen, manifest.source.tools)
    judged = manifest.data.judged if manifest.data else 0
    if judged != len(answers.photos):
        problems += [
            f"the manifest says that {judged} photos were judged, not {len(answers.photos)}"
        ]
    if chosen.quality is not None and chosen.quality.images != judged:
        problems += [f"the manifest's quality is of {chosen.quality.images} photos, not {judged}"]
    if chosen.quality is not None or chosen.gate.status == "passed":
        problems += changed_quality(chosen.quality, manifest.torch_quality)
    if not problems and chosen.gate.status == "passed":
        labels = [answer.label for answer in answers.photos]
        names = manifest.operating_point.target_classes
        targets = {name: labels.count(name) for name in names}
        parities = [] if chosen.parity is None else [chosen.parity]
        if not parities:
            problems = ["its gate is said to have passed, but no parity is recorded"]
        else:
            # Photos of the same pixels have the same answers.
            evidence = Evidence.of(_photo_logits(answers), labels) if labels else None
            gate = evaluate_gate(chosen.precision, parities, chosen.quality, targets)
            gate = hold_back(gate, chosen.precision, evidence, names)
            if gate.status != "passed":
                reasons = "; ".join(gate.reasons)
                problems = [f"its gate is said to have passed, but by its figures: {reasons}"]
    if problems:
        raise ManifestError(f"{path}: {problems[0]}; export again")


def check_copied(
    staging: Path,
    hashes: Mapping[str, str],
    manifest: Manifest,
    models: Sequence[ArtefactRecord],
    selftest: SelfTest,
) -> None:
    """Check that the copied files are those checked before, should the export change meanwhile.

    Raises:
        ManifestError: a file changed.
    """
    found = {**hashes, **{model.path: path_sha256(staging / model.path) for model in models}}
    wanted = {model.path: model.sha256 for model in models}
    wanted[MODEL_CARD] = manifest.files[MODEL_CARD]
    for image in selftest.images:
        wanted[f"{SELFTEST}/{image.file}"] = image.sha256
        wanted[f"{SELFTEST}/{image.tensor}"] = image.tensor_sha256
    for name, sha256 in wanted.items():
        if found[name] != sha256:
            raise ManifestError(f"{name}: changed while it was copied; try again")


def found_remarks(manifest: Manifest, answers: ParityRecord) -> tuple[str, ...]:
    """What limits the export's photos as evidence, by its manifest and by the answers."""
    said = manifest.data.remarks if manifest.data else []
    found = constant_answer(_photo_logits(answers), manifest.classes)
    doubt = threshold_doubt(manifest.operating_point, manifest.torch_quality)
    return (*said, *(line for line in found if line not in said), *doubt)


def _photo_logits(answers: ParityRecord) -> np.ndarray:
    return np.array([answer.logits for answer in answers.photos], dtype=np.float64)
