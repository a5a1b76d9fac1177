"""Prediction for single photos, as an app would show it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hierattn.data.pixels.hashing import photo_sha256
from hierattn.data.splits import Split
from hierattn.errors import DataError, UnreadableImageError
from hierattn.inference import Predictor
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.preprocessing import PHOTO_FORMATS, PreprocessSpec
from hierattn.runs import seen_rows

_BATCH = 16


@dataclass(frozen=True)
class Classifier:
    """Anything that answers, with what it takes to read the answer.

    Attributes:
        run: the folder that knows which photos it learnt from; None where it is not at hand.
    """

    predictor: Predictor
    spec: PreprocessSpec
    classes: tuple[str, ...]
    point: OperatingPoint
    run: Path | None = None

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """Calibrated probabilities, float64 [N, K], of pixels uint8 [N, S, S, 3]."""
        logits = np.asarray(self.predictor(self.spec.to_input(pixels)), dtype=np.float64)
        return self.point.probabilities(logits)


@dataclass(frozen=True)
class Answer:
    """What a photo is taken for.

    Attributes:
        probabilities: calibrated, by class, in the order of the classes.
        sure: whether the highest reaches the operating point's certainty.
        target: the target classes' probability, added up; None where no threshold is known.
        flagged: whether it reaches the threshold; None where there is none.
    """

    photo: Path
    probabilities: dict[str, float]
    sure: bool
    target: float | None
    flagged: bool | None

    @property
    def highest(self) -> float:
        """The most probable class's probability."""
        return max(self.probabilities.values())

    @property
    def ranked(self) -> list[tuple[str, float]]:
        """Classes and probabilities, the highest first."""
        return sorted(self.probabilities.items(), key=lambda pair: -pair[1])


@dataclass(frozen=True)
class FoundPhotos:
    """The photos that were named, and what was passed over in the folders among them."""

    photos: tuple[Path, ...]
    passed_over: tuple[Path, ...]


def find_photos(places: Sequence[Path]) -> FoundPhotos:
    """Photos named one by one, and those in folders, sorted; hidden files are left out.

    Raises:
        DataError: a place that is not there, or none holds a photo.
    """
    photos: list[Path] = []
    passed_over: list[Path] = []
    for place in places:
        if not place.exists():
            raise DataError(f"{place}: no such photo or folder")
        if not place.is_dir():
            photos.append(place)
            continue
        # Links to folders are not followed, so none can lead back.
        for folder, folders, names in os.walk(place):
            folders.sort()
            for path in (Path(folder, name) for name in sorted(names) if name[0] != "."):
                (photos if path.suffix.lower() in PHOTO_FORMATS else passed_over).append(path)
    if not photos:
        raise DataError(f"{places[0]}: no photo in it ({', '.join(PHOTO_FORMATS)})")
    return FoundPhotos(tuple(dict.fromkeys(photos)), tuple(passed_over))


def count_learnt(run: Path, photos: Sequence[Path]) -> int | None:
    """How many photos a run or those before it trained on or chose by, by their bytes.

    None where the run's tables hold no hashes, or it has none.

    Raises:
        DataError: a table of the run is malformed.
    """
    rows = [row for row in seen_rows(run) if row.sha256]
    learnt = {row.sha256 for row in rows if row.split != Split.TEST}
    readable = (path for path in photos if path.is_file())
    return sum(photo_sha256(path) in learnt for path in readable) if rows else None


def answer_photos(
    classifier: Classifier, photos: Sequence[Path]
) -> Iterator[Answer | UnreadableImageError]:
    """Answer photos in their order; an unreadable one gives its error, and the others go on."""
    for start in range(0, len(photos), _BATCH):
        batch = photos[start : start + _BATCH]
        read: list[np.ndarray | UnreadableImageError] = []
        for photo in batch:
            try:
                read.append(classifier.spec.load(photo))
            except UnreadableImageError as error:
                read.append(error)
        pixels = [one for one in read if isinstance(one, np.ndarray)]
        rows = iter(classifier.probabilities(np.stack(pixels)) if pixels else ())
        for photo, one in zip(batch, read, strict=True):
            if isinstance(one, UnreadableImageError):
                yield one
            else:
                yield _answer(classifier, photo, next(rows))


def _answer(classifier: Classifier, photo: Path, probabilities: np.ndarray) -> Answer:
    point = classifier.point
    told = dict(zip(classifier.classes, probabilities.tolist(), strict=True))
    threshold, target = point.melanoma_threshold, None
    if threshold is not None:
        target = float(point.target_probability(probabilities[np.newaxis], classifier.classes)[0])
    return Answer(
        photo,
        told,
        sure=max(told.values()) >= point.abstain_threshold,
        target=target,
        flagged=None if target is None or threshold is None else target >= threshold,
    )
