"""The drawing of the first screen holds the app's own words, with every gap filled."""

import json
import re
from pathlib import Path

import pytest

from android_demo.offline import drawing

POINT = {
    "temperature": 1.0,
    "abstain_threshold": 0.5,
    "melanoma_class": "MEL",
    "melanoma_threshold": 0.2,
    "fitted_on": "made-up photos",
}


@pytest.mark.parametrize(
    ("logits", "words"),
    [
        ([5.0, 0.0, 0.0], ("scores highest: Melanoma (MEL)", "Marked for melanoma", "98.7%")),
        ([0.0, 5.0, 0.0], ("Naevus (mole) (NEV)", "Not marked for melanoma")),
        ([0.0, 0.0, 0.0], ("Not sure", "33.3%, is below 50.0%", "Marked for melanoma", "OTHER")),
    ],
)
def test_words(tmp_path: Path, logits: list[float], words: tuple[str, ...]) -> None:
    folder = tmp_path / "hierattn"
    (folder / "selftest").mkdir(parents=True)
    (folder / "selftest/exact.rgb").write_bytes(bytes(2 * 2 * 3))
    bundle = {"operating_point": POINT, "image_size": 2, "classes": ["MEL", "NEV", "OTHER"]}
    (folder / "bundle.json").write_text(json.dumps(bundle))
    result = {
        "images": [{"file": "exact.png", "logits": logits}],
        "runtime": {"name": "made up", "version": "1"},
    }
    for night in (False, True):
        page = drawing.draw(result, tmp_path, night)
        for word in (*words, "Research demo, not a medical device", "drawing, not a screenshot"):
            assert word in page
        assert not re.search(r"%\d\$|%%|\{\w+\}", page)
