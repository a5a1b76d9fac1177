"""Chooses the photos that some file answers wrongly, or all of them unsurely, with a picture each.

Photos are private: a gallery is made only when the user asks for it, and stands in the page alone.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from benchmarks.accuracy.eval_photos import EvalPhotos
from hierattn.data.pixels.decode import decode_folder
from hierattn.data.synth.dataset import LICENCE as PAINTED
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.predictions import Predictions
from hierattn.preprocessing import PreprocessSpec

MOST_WRONG, MOST_UNSURE = 60, 24
SIDE = 160
"""Of a picture, pixels at most."""

UNSURE_BELOW = 0.5
"""The highest probability below which an answer is unsure where the export fitted no threshold."""


@dataclass(frozen=True)
class FileAnswers:
    """What one file in one runtime answers; all files were asked the same photos.

    Attributes:
        export, name, runtime: as in its rows.
    """

    export: str
    name: str
    runtime: str
    predictions: Predictions
    operating_point: OperatingPoint


@dataclass(frozen=True)
class Answer:
    """A class that some files give for a photo.

    Attributes:
        confidence: the lowest and the highest probability that they give it.
        files: export, name and runtime of each.
    """

    label: str
    confidence: tuple[float, float]
    files: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class GalleryPhoto:
    """One photo.

    Attributes:
        file: its name within the data folder.
        label: its class.
        picture: JPEG as a data URI: the pixels that the network sees, without metadata.
        answers: the one that most files give first.
    """

    file: str
    label: str
    picture: str
    answers: list[Answer]


@dataclass(frozen=True)
class Gallery:
    """Photos worth looking at.

    Attributes:
        wrong: those that most files answer wrongly first, then the surest wrong answer.
        unsure: answered rightly by all, the least sure first.
        wrong_in_all, unsure_in_all: how many there are; at most MOST_WRONG and MOST_UNSURE are
            shown.
        fitted: files for which a certainty was fitted, below which they give no answer; for
            ``unfitted`` ones :data:`UNSURE_BELOW` stands in for it.
        painted: every image is painted by formula, so none is private.
    """

    wrong: list[GalleryPhoto]
    unsure: list[GalleryPhoto]
    wrong_in_all: int
    unsure_in_all: int
    fitted: int
    unfitted: int
    painted: bool = False

    @property
    def unsure_means(self) -> str:
        """What makes an image unsure, as the end of a sentence."""
        declines = "would not answer"
        doubts = f"is less than {100 * UNSURE_BELOW:.0f} % sure (no certainty was fitted for it)"
        ways = [declines] * bool(self.fitted) + [doubts] * bool(self.unfitted)
        return f"at least one {' or '.join(ways)}"


def make_gallery(
    answers: Sequence[FileAnswers], photos: EvalPhotos, spec: PreprocessSpec
) -> Gallery | None:
    """The gallery of a session; None where no file answered.

    Args:
        answers: of every file.
        photos: that were asked.
        spec: by which photos become pictures.

    Raises:
        UnreadableImagesError: a photo can no longer be decoded.
    """
    if not answers:
        return None
    found = [_Judged(one) for one in answers]
    labels = [record.label for record in photos.folder.records]
    misses = [[judged for judged in found if judged.labels[i] != x] for i, x in enumerate(labels)]
    wrong = [i for i, missed in enumerate(misses) if missed]
    wrong.sort(key=lambda i: (-len(misses[i]), -max(m.confidence[i] for m in misses[i]), i))
    unsure = [i for i, m in enumerate(misses) if not m and any(one.unsure[i] for one in found)]
    unsure.sort(key=lambda i: (min(one.confidence[i] for one in found), i))
    shown = wrong[:MOST_WRONG], unsure[:MOST_UNSURE]
    pictures = _pictures([i for part in shown for i in part], photos, spec)
    first, second = ([_photo(i, photos, pictures[i], found) for i in part] for part in shown)
    painted = {record.licence for record in photos.folder.records} == {PAINTED}
    fitted = sum(one.operating_point.abstain_threshold > 0 for one in answers)
    counts = len(wrong), len(unsure), fitted, len(answers) - fitted
    return Gallery(first, second, *counts, painted)


class _Judged:
    """The answers of one file, by photo."""

    def __init__(self, answers: FileAnswers) -> None:
        probabilities = answers.operating_point.probabilities(answers.predictions.logits)
        self.key = (answers.export, answers.name, answers.runtime)
        self.labels = [answers.predictions.classes[i] for i in probabilities.argmax(axis=1)]
        self.confidence = probabilities.max(axis=1)
        least = answers.operating_point.abstain_threshold or UNSURE_BELOW
        self.unsure = self.confidence < least


def _photo(index: int, photos: EvalPhotos, picture: str, found: Sequence[_Judged]) -> GalleryPhoto:
    by_label: dict[str, list[_Judged]] = {}
    for one in found:
        by_label.setdefault(one.labels[index], []).append(one)
    answers = []
    for label, members in sorted(by_label.items(), key=lambda pair: -len(pair[1])):
        sure = [float(one.confidence[index]) for one in members]
        answers.append(Answer(label, (min(sure), max(sure)), tuple(one.key for one in members)))
    record = photos.folder.records[index]
    return GalleryPhoto(record.file, record.label, picture, answers)


def _pictures(indices: Sequence[int], photos: EvalPhotos, spec: PreprocessSpec) -> dict[int, str]:
    if not indices:
        return {}
    records = tuple(photos.folder.records[i] for i in indices)
    pixels = decode_folder(replace(photos.folder, records=records), spec).pixels
    return {i: _data_uri(image) for i, image in zip(indices, pixels, strict=True)}


def _data_uri(pixels: np.ndarray) -> str:
    picture = Image.fromarray(pixels)
    picture.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
