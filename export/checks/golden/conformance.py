"""Conformance on the golden images: the logits that a file must give on every device.

fp32 and fp16 files are compared with torch, within the tolerances of ``selftest.json``. An int8
file has no such tolerance (its predictions are evaluated on photos): it is compared with its own
logits at export, within :data:`export.checks.gates.OTHER_RUNTIMES`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from export.checks.gates import OTHER_RUNTIMES, TOLERANCES, relative_tolerances
from export.checks.golden.selftest import read_selftest
from export.checks.parity import logit_scales, logits_in_order, measure_parity
from export.errors import ArtefactError, ManifestError
from export.schema.manifest import PARITY, SELFTEST, ArtefactRecord, Manifest
from export.schema.metadata import Precision
from export.schema.parity import Parity, ParityRecord, read_parity_record
from export.schema.selftest import SelfTest
from hierattn.model_metadata import ModelInterface


@dataclass(frozen=True, eq=False)
class ExpectedLogits:
    """Expected logits of one file for the golden images.

    Attributes:
        images: names of the golden images, in the order of the rows.
        reference: ``torch``, or ``export``: the file's own logits at export.
        max_relative: largest allowed error of a logit, relative to its image's scale.
        logits: float64 [G, K].
        scales: float64 [G].
    """

    images: tuple[str, ...]
    reference: Literal["torch", "export"]
    max_relative: float
    logits: np.ndarray
    scales: np.ndarray


@dataclass(frozen=True)
class GoldenCheck:
    """Result of a check; ``parity`` is None where the logits cannot be compared."""

    passed: bool
    parity: Parity | None
    reason: str | None


def read_golden_reference(folder: Path, manifest: Manifest) -> tuple[SelfTest, ParityRecord]:
    """Read self-test and reference logits of an export folder, and check that they belong to it.

    Raises:
        ManifestError: damaged, or of another model than the manifest's.
    """
    selftest = read_selftest(folder / SELFTEST)
    answers = read_parity_record(folder / PARITY)
    check_golden_reference(folder, manifest, selftest, answers)
    return selftest, answers


def check_golden_reference(
    folder: Path, manifest: Manifest, selftest: SelfTest, answers: ParityRecord
) -> None:
    """Check that self-test and reference logits belong to the manifest and to each other.

    Bounds are the code's: a self-test that allows more would let an app pass any answer.

    Raises:
        ManifestError: names the field that differs.
    """
    for name in ModelInterface.fields_of(manifest):
        if getattr(selftest, name) != getattr(manifest, name):
            raise ManifestError(f"{folder / SELFTEST}: its '{name}' is not the manifest's")
    if selftest.weights_sha256 != manifest.source.weights_sha256:
        raise ManifestError(f"{folder / SELFTEST}: made for other weights than the manifest's")
    if {image.file for image in selftest.images} != set(answers.golden):
        raise ManifestError(f"{folder / PARITY}: its golden images are not the self-test's")
    bounds = relative_tolerances()
    for precision, tolerance in selftest.tolerances.items():
        bound = bounds.get(precision.value)
        if bound is None or tolerance.max_relative > bound * (1 + 1e-9):
            raise ManifestError(
                f"{folder / SELFTEST}: its tolerance of {precision} is {tolerance.max_relative:g}, "
                f"but {'there is none' if bound is None else f'{bound:g} is allowed'}; export again"
            )
    width = len(next(iter(answers.golden.values())))
    if width != len(manifest.classes):
        raise ManifestError(
            f"{folder / PARITY}: {width} logits an image for {len(manifest.classes)} classes"
        )
    scales = logit_scales(selftest.logits())[:, 0]
    for image, scale in zip(selftest.images, scales, strict=True):
        # Both are torch's, of batches of other sizes: they may differ by rounding, no more.
        rounding = scale * TOLERANCES[Precision.FP32].max_relative
        if not np.allclose(image.logits, answers.golden[image.file], rtol=0, atol=rounding):
            raise ManifestError(
                f"{folder / SELFTEST}: its logits of {image.file} are not those of {PARITY}"
            )
        if not np.isclose(image.scale, scale, rtol=1e-6, atol=0):
            raise ManifestError(
                f"{folder / SELFTEST}: the scale of {image.file} is {image.scale:g}, but its "
                f"logits give {scale:g}"
            )


def expected_logits(
    record: ArtefactRecord, selftest: SelfTest, answers: ParityRecord
) -> ExpectedLogits:
    """The logits that a file must give.

    Raises:
        ManifestError: parity.json or selftest.json have no entry for the file.
    """
    names = tuple(image.file for image in selftest.images)
    if record.precision is Precision.INT8:
        if record.path not in answers.artefacts:
            raise ManifestError(f"{record.path}: {PARITY} lists no answers of it; export again")
        logits = logits_in_order(answers.artefacts[record.path], list(names))
        bound = OTHER_RUNTIMES[Precision.INT8]
        return ExpectedLogits(names, "export", bound, logits, logit_scales(logits)[:, 0])
    if record.precision not in selftest.tolerances:
        raise ManifestError(f"{record.path}: {SELFTEST} states no tolerance for {record.precision}")
    bound = selftest.tolerances[record.precision].max_relative
    scales = np.array([image.scale for image in selftest.images], dtype=np.float64)
    return ExpectedLogits(names, "torch", bound, selftest.logits(), scales)


def check_golden_logits(
    expected: ExpectedLogits, found: Mapping[str, Sequence[float]], evaluator: str
) -> GoldenCheck:
    """Compare logits from any device with those expected.

    Args:
        expected: see :func:`expected_logits`.
        found: logits by golden image; all images are needed, and no other.
        evaluator: name and version of the runtime that computed them.
    """
    missing = [name for name in expected.images if name not in found]
    if missing:
        reason = f"no answer for golden image {missing[0]}"
        return GoldenCheck(False, None, reason)
    unknown = [name for name in found if name not in expected.images]
    if unknown:
        return GoldenCheck(False, None, f"an answer for {unknown[0]!r}, which is no golden image")
    wrong = [name for name in expected.images if len(found[name]) != expected.logits.shape[1]]
    if wrong:
        reason = f"{len(found[wrong[0]])} logits for {wrong[0]}, not {expected.logits.shape[1]}"
        return GoldenCheck(False, None, reason)
    rows = np.array([list(found[name]) for name in expected.images], dtype=np.float64)
    try:
        parity = measure_parity(expected.logits, rows, evaluator)
    except ArtefactError as error:
        return GoldenCheck(False, None, str(error))
    # Each image by its own stated scale, as an app does it.
    shares = np.abs(rows - expected.logits) / expected.scales[:, np.newaxis]
    worst = float(shares.max())
    parity = parity.model_copy(update={"max_relative": worst})
    if worst <= expected.max_relative:
        return GoldenCheck(True, parity, None)
    image = expected.images[int(shares.max(axis=1).argmax())]
    reason = (
        f"golden image {image}: relative difference {worst:.2g} is above {expected.max_relative:g}"
    )
    return GoldenCheck(False, parity, reason)
