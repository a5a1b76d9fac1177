"""Comparison of a file's logits with torch's: parity, metrics, other runtimes, and the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from export.checks.eval_data import EvaluationPhotos
from export.checks.evidence import Evidence, constant_answer, hold_back
from export.checks.gates import OTHER_RUNTIMES, evaluate_gate
from export.checks.parity import logit_scales, measure_parity
from export.errors import ArtefactError
from export.jobs.messages import FileChecked, RuntimeAnswer, sample_indices
from export.schema.manifest import Gate, Quality, QualityChange, RuntimeCheck
from export.schema.metadata import Precision
from export.schema.parity import Parity, PhotoAnswer
from hierattn.errors import DataError
from hierattn.metrics.bootstrap import melanoma_flags
from hierattn.metrics.calibration import expected_calibration_error
from hierattn.metrics.classification import (
    balanced_accuracy,
    confusion_matrix,
    score_classes,
    top1_accuracy,
)
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.predictions import STRATA, Predictions


@dataclass(frozen=True, eq=False)
class TorchReference:
    """Reference logits of torch, and what is needed to compare a file's logits with them.

    Attributes:
        logits: float64 [G + N, K]: the G golden images, then the N evaluated photos.
        golden_count: G.
        sample: number of images given to other runtimes, see
            :func:`export.jobs.messages.sample_indices`.
        photos: the N photos; None where the export has none.
    """

    logits: np.ndarray
    golden_count: int
    sample: int
    photos: EvaluationPhotos | None
    classes: tuple[str, ...]
    operating_point: OperatingPoint

    @property
    def typical(self) -> float | None:
        """The largest |logit| of any photo, the scale of relative differences."""
        return float(np.abs(self.logits[self.golden_count :]).max()) if self.photos else None

    @cached_property
    def _scales(self) -> np.ndarray:
        return logit_scales(self.logits, self.typical)

    @cached_property
    def evidence(self) -> Evidence | None:
        """What the photos are worth; None without any."""
        if self.photos is None:
            return None
        return Evidence.of(self.photos.pixels, [r.label for r in self.photos.folder.records])

    @property
    def remarks(self) -> list[str]:
        """What limits the evidence, a line each."""
        if self.evidence is None:
            return []
        answers = self.logits[self.golden_count :]
        short = self.evidence.remarks(self.operating_point.target_classes)
        return [*short, *constant_answer(answers, self.classes)]

    @property
    def quality(self) -> Quality | None:
        """Torch's own metrics on the evaluated photos."""
        return self._quality(self.logits, None)

    def compare(self, checked: FileChecked) -> Comparison:
        """Compare one file's logits with torch's.

        Raises:
            ArtefactError: logits that are not finite or not of torch's shape.
        """
        logits = np.load(checked.logits)
        parity = measure_parity(self.logits, logits, checked.evaluator, self.typical)
        quality = self._quality(logits, self.quality)
        labels = [] if self.photos is None else [r.label for r in self.photos.folder.records]
        golden = measure_parity(
            self.logits[: self.golden_count], logits[: self.golden_count], "golden images"
        )
        targets = {name: labels.count(name) for name in self.operating_point.target_classes}
        gate = hold_back(
            evaluate_gate(checked.precision, [parity, golden], quality, targets),
            checked.precision,
            self.evidence,
            self.operating_point.target_classes,
        )
        others = [
            self._compare_other_runtime(answer, checked.precision, logits)
            for answer in checked.other_runtimes
        ]
        disagreeing = [
            f"{check.runtime}: {check.reason}" for check in others if check.agrees is False
        ]
        if disagreeing:
            gate = Gate(status="failed", reasons=[*gate.reasons, *disagreeing])
        return Comparison(
            parity,
            quality,
            others,
            gate,
            logits[: self.golden_count],
            self._worst(logits, checked.precision),
            self._turnable(logits, OTHER_RUNTIMES[checked.precision]),
        )

    def _worst(self, logits: np.ndarray, precision: Precision) -> WorstImage:
        """As the gate measures: golden images on their own scale, too; of int8 the photos alone."""
        scales, golden = self._scales[:, 0].copy(), self.golden_count
        scales[:golden] = np.minimum(scales[:golden], logit_scales(self.logits[:golden])[:, 0])
        errors = np.abs(logits - self.logits).max(axis=1) / scales
        if precision is Precision.INT8 and self.photos is not None:
            errors[:golden] = 0.0
        index = int(errors.argmax())
        return WorstImage(index, float(scales[index]), float(errors[index]))

    def _quality(self, logits: np.ndarray, of_torch: Quality | None) -> Quality | None:
        if self.photos is None:
            return None
        own = self.photos.predictions(logits[self.golden_count :], self.classes)
        found = _judge(own, self.logits[self.golden_count :], self.operating_point)
        return (
            found
            if of_torch is None
            else found.model_copy(update={"delta_vs_torch": quality_change(found, of_torch)})
        )

    def _turnable(self, logits: np.ndarray, bound: float) -> Turnable:
        """Which decisions may turn where each logit moves by ``bound`` of its image's scale."""
        moved = bound * self._scales[:, 0]
        best = np.sort(logits, axis=1)
        near = best[:, -1] - best[:, -2] <= 2 * moved
        if self.photos is None:
            return Turnable(int(near.sum()), {}, {}, 0.0)
        own = self.photos.predictions(logits[self.golden_count :], self.classes)
        point, at_threshold = self.operating_point, 0.0
        positive = point.is_target(own.labels, own.classes)
        if point.melanoma_threshold is not None and positive.any():
            targets = np.isin(own.classes, point.target_classes)
            scaled = own.logits / point.temperature
            odds = np.logaddexp.reduce(scaled[:, targets], axis=1)
            odds -= np.logaddexp.reduce(scaled[:, ~targets], axis=1)
            with np.errstate(divide="ignore"):
                threshold = np.log(point.melanoma_threshold) - np.log1p(-point.melanoma_threshold)
            allowed = 2 * moved[self.golden_count :] / point.temperature
            at_threshold = float((np.abs(odds - threshold) <= allowed)[positive].mean())
        labels = [own.classes[label] for label in own.labels]
        turning = [labels[index] for index in np.flatnonzero(near[self.golden_count :])]
        return Turnable(int(near.sum()), Counter(turning), Counter(labels), at_threshold)

    def _compare_other_runtime(
        self, answer: RuntimeAnswer, precision: Precision, logits: np.ndarray
    ) -> RuntimeCheck:
        """Compare another runtime with torch; of an int8 file, with its own logits here."""
        if answer.logits is None:
            loads = False if answer.available else None
            return RuntimeCheck(
                runtime=answer.runtime, loads=loads, agrees=None, reason=answer.reason
            )
        indices = sample_indices(len(self.logits), self.sample)
        expected = logits if precision is Precision.INT8 else self.logits
        try:
            parity = measure_parity(
                expected[indices], np.load(answer.logits), answer.runtime, self.typical
            )
        except ArtefactError as error:
            return RuntimeCheck(runtime=answer.runtime, loads=True, agrees=False, reason=str(error))
        bound = OTHER_RUNTIMES[precision]
        agrees = parity.max_relative <= bound
        reason = None
        if not agrees:
            reason = f"relative difference {parity.max_relative:.2g} is above {bound:g}"
        return RuntimeCheck(
            runtime=answer.runtime, loads=True, agrees=agrees, parity=parity, reason=reason
        )


@dataclass(frozen=True)
class Turnable:
    """How many decisions another processor may turn by rounding.

    Attributes:
        images: of all images, golden ones as well, those whose two highest logits nearly tie.
        photos: of the photos alone, by class.
        of: all photos, by class.
        at_threshold: share of the target classes' photos whose probability nearly is the threshold.
    """

    images: int
    photos: Mapping[str, int]
    of: Mapping[str, int]
    at_threshold: float


@dataclass(frozen=True)
class WorstImage:
    """The image on which a file's logits lie furthest from torch's.

    Attributes:
        index: among the G golden images and the N photos after them.
        scale: reference magnitude of its relative errors.
        error: the largest difference of a logit over ``scale``.
    """

    index: int
    scale: float
    error: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """Result for one file.

    Attributes:
        golden: its logits [G, K] for the golden images.
        worst: the image by whose logits the gate is decided.
    """

    parity: Parity
    quality: Quality | None
    other_runtimes: list[RuntimeCheck]
    gate: Gate
    golden: np.ndarray
    worst: WorstImage
    turnable: Turnable


def judge_torch(
    answers: Sequence[PhotoAnswer], classes: Sequence[str], point: OperatingPoint
) -> Quality | None:
    """Torch's metrics from its answers in ``parity.json``; None without photos.

    Raises:
        DataError: a photo's class is none of ``classes``; or no or other numbers of logits.
    """
    if not answers:
        return None
    unknown = {answer.label for answer in answers}.difference(classes)
    if unknown:
        raise DataError(f"parity.json: class '{min(unknown)}' is none of the model's")
    logits = np.array([answer.logits for answer in answers], dtype=np.float64)
    files = tuple(answer.file for answer in answers)
    own = Predictions(
        logits=logits,
        labels=np.array([list(classes).index(answer.label) for answer in answers]),
        classes=tuple(classes),
        groups=files,
        files=files,
        splits=("",) * len(files),
        strata={name: (None,) * len(files) for name in STRATA},
    )
    return _judge(own, logits, point)


def _judge(own: Predictions, reference: np.ndarray, point: OperatingPoint) -> Quality:
    """Metrics of predictions, and their distance from torch's logits [N, K] on the same photos."""
    probabilities = point.probabilities(own.logits)
    predicted = own.logits.argmax(axis=1)
    confusion = confusion_matrix(own.labels, predicted, len(own.classes))
    scores = score_classes(own.labels, probabilities, own.classes)
    flags = melanoma_flags(own, point)
    caught = None
    if flags is not None:
        positive = point.is_target(own.labels, own.classes)
        caught = float(flags[positive].mean()) if positive.any() else None
    scales = logit_scales(reference, float(np.abs(reference).max()))
    return Quality(
        images=len(own),
        max_relative=float((np.abs(own.logits - reference) / scales).max()),
        agreement=float((predicted == reference.argmax(axis=1)).mean()),
        top1=top1_accuracy(confusion) or 0.0,
        balanced_accuracy=balanced_accuracy(confusion) or 0.0,
        sensitivity={name: scores[name].sensitivity for name in own.classes},
        melanoma_at_threshold=caught,
        ece=expected_calibration_error(probabilities, own.labels),
        delta_vs_torch=None,
    )


def quality_change(file: Quality, torch: Quality) -> QualityChange:
    """A file's metrics minus torch's."""
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
