"""From the answers of a file to its parity, its quality and its gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from export.checks.eval_data import Photos
from export.checks.gates import OTHER_RUNTIMES, TOLERANCES, judge
from export.checks.parity import compare, logit_scales
from export.errors import ArtefactError
from export.jobs.messages import Answered, OpinionLine, sample_indices
from export.schema.manifest import ArtefactRecord, Gate, Quality, QualityChange, RuntimeCheck
from export.schema.metadata import Precision
from export.schema.parity import Parity
from hierattn.metrics.bootstrap import melanoma_flags
from hierattn.metrics.calibration import OperatingPoint, expected_calibration_error
from hierattn.metrics.classification import (
    balanced_accuracy,
    confusion_matrix,
    score_classes,
    top1_accuracy,
)

LEAST_DIFFERENCE = 0.01
"""Differences between a recorded share and one found again that are not worth a word."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Torch's answers, which every file is held against.

    Attributes:
        logits: float64 [G + N, K]: the G golden images, then the N judged photos.
        golden: G.
        sample: how many of the images other runtimes are asked.
    """

    logits: np.ndarray
    golden: int
    sample: int
    photos: Photos | None
    classes: tuple[str, ...]
    operating_point: OperatingPoint

    @property
    def typical(self) -> float | None:
        """The largest |logit| of any photo, the scale of relative differences."""
        return float(np.abs(self.logits[self.golden :]).max()) if self.photos else None

    @property
    def quality(self) -> Quality | None:
        """Torch's own quality on the judged photos."""
        return self._quality(self.logits, None)

    def assess(self, answered: Answered) -> Assessment:
        """Hold one file's answers against torch's.

        Raises:
            ArtefactError: answers that are not finite or not of torch's shape.
        """
        answers = np.load(answered.answers)
        parity = compare(self.logits, answers, answered.evaluator, self.typical)
        quality = self._quality(answers, self.quality)
        name = self.operating_point.melanoma_class
        labels = [] if self.photos is None else [r.label for r in self.photos.folder.records]
        golden = compare(self.logits[: self.golden], answers[: self.golden], "golden images")
        gate = judge(answered.precision, [parity, golden], quality, name, labels.count(name or ""))
        others = [self._other(line, answered.precision, answers) for line in answered.opinions]
        disagreeing = [
            f"{check.runtime}: {check.reason}" for check in others if check.agrees is False
        ]
        if disagreeing:
            gate = Gate(status="failed", reasons=[*gate.reasons, *disagreeing])
        return Assessment(parity, quality, others, gate, answers[: self.golden])

    def _quality(self, logits: np.ndarray, torch: Quality | None) -> Quality | None:
        if self.photos is None:
            return None
        own = self.photos.predictions(logits[self.golden :], self.classes)
        lab = self.logits[self.golden :]
        probabilities = self.operating_point.probabilities(own.logits)
        predicted = own.logits.argmax(axis=1)
        confusion = confusion_matrix(own.labels, predicted, len(self.classes))
        scores = score_classes(own.labels, probabilities, self.classes)
        flags = melanoma_flags(own, self.operating_point)
        sensitivity = {name: scores[name].sensitivity for name in self.classes}
        caught = None
        if flags is not None and self.operating_point.melanoma_class is not None:
            positive = own.labels == self.classes.index(self.operating_point.melanoma_class)
            caught = float(flags[positive].mean()) if positive.any() else None
        found = Quality(
            images=len(own),
            max_relative=float((np.abs(own.logits - lab) / logit_scales(lab, self.typical)).max()),
            agreement=float((predicted == lab.argmax(axis=1)).mean()),
            top1=top1_accuracy(confusion) or 0.0,
            balanced_accuracy=balanced_accuracy(confusion) or 0.0,
            sensitivity=sensitivity,
            melanoma_at_threshold=caught,
            ece=expected_calibration_error(probabilities, own.labels),
            delta_vs_torch=None,
        )
        return (
            found
            if torch is None
            else found.model_copy(update={"delta_vs_torch": _change(found, torch)})
        )

    def _other(self, line: OpinionLine, precision: Precision, answers: np.ndarray) -> RuntimeCheck:
        """Hold another runtime against torch; in int8 against the file's own first answers."""
        if line.answers is None:
            loads = False if line.available else None
            return RuntimeCheck(runtime=line.runtime, loads=loads, agrees=None, reason=line.reason)
        asked = sample_indices(len(self.logits), self.sample)
        whole = answers if precision is Precision.INT8 else self.logits
        try:
            parity = compare(whole[asked], np.load(line.answers), line.runtime, self.typical)
        except ArtefactError as error:
            return RuntimeCheck(runtime=line.runtime, loads=True, agrees=False, reason=str(error))
        bound = OTHER_RUNTIMES[precision]
        agrees = parity.max_relative <= bound
        reason = None
        if not agrees:
            reason = f"relative difference {parity.max_relative:.2g} is above {bound:g}"
        return RuntimeCheck(
            runtime=line.runtime, loads=True, agrees=agrees, parity=parity, reason=reason
        )


@dataclass(frozen=True, eq=False)
class Assessment:
    """What was found of one file; ``golden`` holds its logits [G, K] for the golden images."""

    parity: Parity
    quality: Quality | None
    other_runtimes: list[RuntimeCheck]
    gate: Gate
    golden: np.ndarray


def differing_figures(recorded: ArtefactRecord, found: Assessment) -> list[str]:
    """Figures of the manifest that are not what the file answers now; one line each.

    Another processor rounds otherwise, so that single photos may turn: a photo and a half of
    difference is allowed, of the rarest class where classes count alike.
    """
    lines = []
    tolerance = TOLERANCES[recorded.precision].max_relative
    if recorded.parity is None:
        return ["the manifest records no parity of it"]
    if recorded.parity.images == found.parity.images:
        lines += _differing(
            "largest relative difference",
            recorded.parity.max_relative,
            found.parity.max_relative,
            tolerance,
        )
    if found.quality is None:
        return lines
    if recorded.quality is None:
        return [*lines, "the manifest records no quality of it"]
    photo = 1.5 / found.quality.images
    rarest = photo * max(1, len(found.quality.sensitivity))
    for name, allowed in (("agreement", photo), ("top1", photo), ("balanced_accuracy", rarest)):
        figures = getattr(recorded.quality, name), getattr(found.quality, name)
        lines += _differing(name.replace("_", " "), *figures, max(allowed, LEAST_DIFFERENCE))
    return lines


def _differing(name: str, recorded: float, found: float, allowed: float) -> list[str]:
    if abs(recorded - found) <= allowed:
        return []
    return [f"the manifest says {name} {recorded:.4g}, but it is {found:.4g}"]


def _change(file: Quality, torch: Quality) -> QualityChange:
    return QualityChange(
        balanced_accuracy=file.balanced_accuracy - torch.balanced_accuracy,
        sensitivity={
            name: _difference(file.sensitivity[name], torch.sensitivity[name])
            for name in file.sensitivity
        },
        melanoma_at_threshold=_difference(file.melanoma_at_threshold, torch.melanoma_at_threshold),
        ece=file.ece - torch.ece,
    )


def _difference(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


def golden_logits(names: list[str], logits: np.ndarray) -> dict[str, list[float]]:
    """Logits [G, K] by golden image, as plain floats."""
    return {name: [float(v) for v in row] for name, row in zip(names, logits, strict=True)}


def as_mapping(answers: Mapping[str, list[float]], names: list[str]) -> np.ndarray:
    """Undo :func:`golden_logits`: float64 [G, K] in the order of ``names``."""
    return np.array([answers[name] for name in names], dtype=np.float64)
