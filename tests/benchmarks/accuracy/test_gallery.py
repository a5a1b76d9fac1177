import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from benchmarks.accuracy import gallery as module
from benchmarks.accuracy.eval_photos import EvalPhotos, choose_eval_photos
from benchmarks.accuracy.gallery import FileAnswers, Gallery, make_gallery
from hierattn.data.synth.dataset import LICENCE as PAINTED
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.preprocessing import PreprocessSpec
from tests.benchmarks.helpers import CLASSES
from tests.data.helpers import write_class_folders

SPEC = PreprocessSpec(image_size=32)
SURE, UNSURE = 6.0, 0.5


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> EvalPhotos:
    """Two photos a class, by class: mel, nv, other."""
    root = write_class_folders(tmp_path_factory.mktemp("p") / "photos", dict.fromkeys(CLASSES, 2))
    return choose_eval_photos(root, [])


def answers(
    photos: EvalPhotos, name: str, said: list[int], size: list[float], least: float = 0.0
) -> FileAnswers:
    """Answers of one file: the class it gives each photo, and by how large a logit."""
    logits = np.array(size)[:, None] * np.eye(3)[said]
    predictions = photos.predictions(logits, CLASSES)
    return FileAnswers(
        "export", name, "litert", predictions, OperatingPoint(abstain_threshold=least)
    )


def gallery_of(photos: EvalPhotos, *files: FileAnswers) -> Gallery:
    found = make_gallery(files, photos, SPEC)
    assert found is not None
    return found


def test_the_wrong_and_the_unsure_are_found_in_order(photos: EvalPhotos) -> None:
    names = [record.file for record in photos.folder.records]
    one = answers(photos, "one", [0, 1, 1, 1, 2, 0], [SURE, 2, SURE, UNSURE, SURE, SURE])
    two = answers(photos, "two", [0, 0, 1, 1, 2, 0], [SURE, SURE, SURE, SURE, SURE, 2])
    found = gallery_of(photos, one, two)
    # The last is wrong in both; the second in one only.
    assert [photo.file for photo in found.wrong] == [names[5], names[1]]
    assert [photo.file for photo in found.unsure] == [names[3]]
    worst = found.wrong[0]
    assert worst.label == "other"
    assert [(a.label, len(a.files)) for a in worst.answers] == [("mel", 2)]
    low, high = worst.answers[0].confidence
    assert low < high and worst.answers[0].files[1] == ("export", "two", "litert")


def test_the_files_own_threshold_says_what_is_unsure(photos: EvalPhotos) -> None:
    right = [0, 0, 1, 1, 2, 2]
    confident = answers(photos, "one", right, [SURE] * 6)
    assert gallery_of(photos, confident).unsure == []
    assert "no certainty was fitted" in gallery_of(photos, confident).unsure_means
    strict = answers(photos, "one", right, [SURE] * 6, least=0.9999)
    assert gallery_of(photos, strict).unsure_in_all == 6
    assert gallery_of(photos, strict).unsure_means == "at least one would not answer"
    both = gallery_of(photos, strict, confident).unsure_means
    assert "would not answer or is less than 50 % sure" in both


def test_pictures_are_small_and_say_nothing_but_pixels(photos: EvalPhotos) -> None:
    wrong = answers(photos, "one", [1, 0, 1, 1, 2, 2], [SURE] * 6)
    (photo,) = gallery_of(photos, wrong).wrong
    kind, _, data = photo.picture.partition(",")
    assert kind == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        assert picture.size == (32, 32) and not picture.getexif()


def test_painted_images_are_not_called_photographs(photos: EvalPhotos) -> None:
    wrong = [1, 0, 1, 1, 2, 2], [SURE] * 6
    assert not gallery_of(photos, answers(photos, "one", *wrong)).painted
    first, *others = photos.folder.records
    for rest, expected in ((others, False), ([replace(r, licence=PAINTED) for r in others], True)):
        records = (replace(first, licence=PAINTED), *rest)
        drawn = replace(photos, folder=replace(photos.folder, records=records))
        assert gallery_of(drawn, answers(drawn, "one", *wrong)).painted is expected


def test_what_is_left_out_is_counted(photos: EvalPhotos, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WRONG", 2)
    found = gallery_of(photos, answers(photos, "one", [1, 1, 0, 0, 0, 0], [SURE] * 6))
    assert len(found.wrong) == 2 and found.wrong_in_all == 6


def test_no_answers_no_gallery(photos: EvalPhotos) -> None:
    assert make_gallery([], photos, SPEC) is None
