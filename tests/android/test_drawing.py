"""The drawing of the first screen holds the app's own words, with every gap filled."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from android_demo.offline import drawing
from android_demo.offline.project import APP

_ANDROID = "{http://schemas.android.com/apk/res/android}"

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
    bundle = {
        "operating_point": POINT,
        "image_size": 2,
        "classes": ["MEL", "NEV", "OTHER"],
        "selftest": {"images": [{}] * 10, "photos": {"images": [{}] * 4, "max_difference": 8}},
    }
    (folder / "bundle.json").write_text(json.dumps(bundle))
    result = {
        "images": [{"file": "exact.png", "logits": logits}],
        "runtime": {"name": "made up", "version": "1"},
    }
    for night in (False, True):
        page = drawing.draw(result, tmp_path, night)
        assert page.index("arked for melanoma") < page.index("Choose a photo") < page.index("<img")
        assert "from 10 PNG pictures" in page and "4 JPEG photos, to within 8 of 255" in page
        for word in (*words, "Research demo, not a medical device", "drawing, not a screenshot"):
            assert word in page
        assert not re.search(r"%\d\$|%%|\{\w+\}", page)


def test_the_mark_stands_before_all_else() -> None:
    """In the layout, as in its drawing: before buttons, headline and picture, and is spoken."""
    layout = ET.parse(APP / "app/src/main/res/layout/activity_main.xml")
    named = {str(e.get(f"{_ANDROID}id")).removeprefix("@+id/"): e for e in layout.iter()}
    order = [name for name in named if name != "None"]
    for later in ("state", "choose", "take", "answer", "headline", "scores", "photo"):
        assert order.index("melanoma") < order.index(later)
    assert named["melanoma"].get(f"{_ANDROID}accessibilityLiveRegion") == "assertive"
    styles = ET.parse(APP / "app/src/main/res/values/styles.xml").getroot()
    heading = next(s for s in styles if s.get("name") == "Heading")
    items = {item.get("name"): item.text for item in heading}
    assert items["android:accessibilityHeading"] == "true"
