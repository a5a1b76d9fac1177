"""What a file must answer the golden images with, wherever it runs: on a phone as in the lab.

fp32 and fp16 are held against torch, within the tolerances that ``selftest.json`` states. An int8
file has none (its decisions are judged on photos): it is held against the answers it gave where
it was exported, within :data:`export.checks.gates.OTHER_RUNTIMES`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from export.checks.comparison import as_mapping
from export.checks.gates import OTHER_RUNTIMES
from export.checks.parity import compare, logit_scales
from export.checks.selftest import read_selftest
from export.errors import ArtefactError, ManifestError
from export.schema.manifest import PARITY, SELFTEST, ArtefactRecord, Manifest
from export.schema.metadata import Precision
from export.schema.parity import Parity, ParityRecord, read_parity_record
from export.schema.selftest import SelfTest


@dataclass(frozen=True, eq=False)
class Expectation:
    """What one file must answer.

    Attributes:
        images: names of the golden images, in the order of the rows.
        reference: ``torch``, or ``export``: the file's own answers where it was exported.
        max_relative: largest difference of a logit, as a share of its image's scale.
        logits: float64 [G, K].
        scales: float64 [G].
    """

    images: tuple[str, ...]
    reference: Literal["torch", "export"]
    max_relative: float
    logits: np.ndarray
    scales: np.ndarray


@dataclass(frozen=True)
class GoldenVerdict:
    """Whether answers are those expected; ``parity`` is None where they cannot be compared."""

    passed: bool
    parity: Parity | None
    reason: str | None


def read_golden(folder: Path, manifest: Manifest) -> tuple[SelfTest, ParityRecord]:
    """Read the self-test and torch's answers of an export folder, and check they belong to it.

    Raises:
        ManifestError: damaged, or of another model than the manifest's.
    """
    selftest = read_selftest(folder / SELFTEST)
    answers = read_parity_record(folder / PARITY)
    check_golden(folder, manifest, selftest, answers)
    return selftest, answers


def check_golden(
    folder: Path, manifest: Manifest, selftest: SelfTest, answers: ParityRecord
) -> None:
    """Check that self-test and torch's answers belong to the manifest.

    Raises:
        ManifestError: names the field that differs.
    """
    for name in ("model", "classes", "image_size", "preprocessing"):
        if getattr(selftest, name) != getattr(manifest, name):
            raise ManifestError(f"{folder / SELFTEST}: its '{name}' is not the manifest's")
    if selftest.weights_sha256 != manifest.source.weights_sha256:
        raise ManifestError(f"{folder / SELFTEST}: made for other weights than the manifest's")
    if {image.file for image in selftest.images} != set(answers.golden):
        raise ManifestError(f"{folder / PARITY}: its golden images are not the self-test's")
    width = len(next(iter(answers.golden.values())))
    if width != len(manifest.classes):
        raise ManifestError(
            f"{folder / PARITY}: {width} logits an image for {len(manifest.classes)} classes"
        )


def expect(record: ArtefactRecord, selftest: SelfTest, answers: ParityRecord) -> Expectation:
    """What a file must answer.

    Raises:
        ManifestError: parity.json or selftest.json say nothing of such a file.
    """
    names = tuple(image.file for image in selftest.images)
    if record.precision is Precision.INT8:
        if record.path not in answers.artefacts:
            raise ManifestError(f"{record.path}: {PARITY} lists no answers of it; export again")
        logits = as_mapping(answers.artefacts[record.path], list(names))
        bound = OTHER_RUNTIMES[Precision.INT8]
        return Expectation(names, "export", bound, logits, logit_scales(logits)[:, 0])
    if record.precision not in selftest.tolerances:
        raise ManifestError(f"{record.path}: {SELFTEST} states no tolerance for {record.precision}")
    bound = selftest.tolerances[record.precision].max_relative
    scales = np.array([image.scale for image in selftest.images], dtype=np.float64)
    return Expectation(names, "torch", bound, selftest.logits(), scales)


def judge_golden(
    expected: Expectation, found: Mapping[str, Sequence[float]], evaluator: str
) -> GoldenVerdict:
    """Hold somebody's answers against what was expected.

    Args:
        expected: see :func:`expect`.
        found: logits by golden image; all of them are needed.
        evaluator: who answered, with version.
    """
    missing = [name for name in expected.images if name not in found]
    if missing:
        reason = f"no answer for golden image {missing[0]}"
        return GoldenVerdict(False, None, reason)
    wrong = [name for name in expected.images if len(found[name]) != expected.logits.shape[1]]
    if wrong:
        reason = f"{len(found[wrong[0]])} logits for {wrong[0]}, not {expected.logits.shape[1]}"
        return GoldenVerdict(False, None, reason)
    rows = np.array([list(found[name]) for name in expected.images], dtype=np.float64)
    try:
        parity = compare(expected.logits, rows, evaluator)
    except ArtefactError as error:
        return GoldenVerdict(False, None, str(error))
    # Each image by its own stated scale, as an app does it.
    shares = np.abs(rows - expected.logits) / expected.scales[:, np.newaxis]
    worst = float(shares.max())
    parity = parity.model_copy(update={"max_relative": worst})
    if worst <= expected.max_relative:
        return GoldenVerdict(True, parity, None)
    image = expected.images[int(shares.max(axis=1).argmax())]
    reason = (
        f"golden image {image}: relative difference {worst:.2g} is above {expected.max_relative:g}"
    )
    return GoldenVerdict(False, parity, reason)
