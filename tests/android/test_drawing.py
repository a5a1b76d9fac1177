"""Drawings of the screens hold the app's own words, with every gap filled."""

import json
import re
import xml.etree.ElementTree as ET
from html import escape
from pathlib import Path
from typing import Any

import pytest

from android_demo.offline.drawing import __main__ as drawing
from android_demo.offline.drawing.layouts import Content, Resources, draw_layout
from android_demo.offline.drawing.screens import draw_about, draw_main
from android_demo.offline.errors import BuildError
from android_demo.offline.project import APP

_ANDROID = "{http://schemas.android.com/apk/res/android}"

POINT = {
    "temperature": 1.0,
    "abstain_threshold": 0.5,
    "melanoma_class": "MEL",
    "melanoma_threshold": 0.2,
    "fitted_on": "made-up photos",
}


BUNDLE = {
    "model": "made_up",
    "format": "onnx",
    "precision": "fp32",
    "artefact": "made_up-2-fp32.onnx",
    "sha256": "ab" * 32,
    "intended_use": "For a test.",
    "licence": "None at all.",
    "operating_point": POINT,
    "image_size": 2,
    "classes": ["MEL", "NEV", "OTHER"],
    "selftest": {"images": [{}] * 10, "photos": {"images": [{}] * 4, "max_difference": 8}},
}


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    folder = tmp_path / "hierattn"
    (folder / "selftest").mkdir(parents=True)
    (folder / "selftest/exact.rgb").write_bytes(bytes(2 * 2 * 3))
    (folder / "bundle.json").write_text(json.dumps(BUNDLE))
    (folder / "MODEL_CARD.md").write_text("# Card\n<b>of a test</b>")
    return tmp_path


def _result(*logits: float) -> dict[str, Any]:
    return {
        "images": [{"file": "exact.png", "logits": list(logits)}],
        "runtime": {"name": "made up", "version": "1"},
    }


ENGLISH = [
    ((5.0, 0.0, 0.0), ("scores highest: Melanoma (MEL)", "Marked for melanoma", "98.7%")),
    ((0.0, 5.0, 0.0), ("Naevus (mole) (NEV)", "Not marked for melanoma")),
    ((0.0, 0.0, 0.0), ("Not sure", "33.3%, is below 50.0%", "Marked for melanoma", "OTHER")),
]
GERMAN = [
    ((5.0, 0.0, 0.0), ("höchsten Wert gibt das Netz: Melanom (MEL)", "Als Melanom markiert")),
    ((0.0, 5.0, 0.0), ("Nävus (Muttermal) (NEV)", "Das ist keine Entwarnung", "0,7\xa0%")),
    ((0.0, 0.0, 0.0), ("Nicht sicher", "33,3\xa0%, liegt unter 50,0\xa0%")),
]


@pytest.mark.parametrize("night", [False, True])
@pytest.mark.parametrize(("logits", "words"), ENGLISH)
def test_words(
    assets: Path, logits: tuple[float, ...], words: tuple[str, ...], night: bool
) -> None:
    page = draw_main(Resources(night=night), _result(*logits), assets)
    assert page.index("arked for melanoma") < page.index("Choose a photo") < page.index("<img")
    assert "from 10 PNG pictures" in page and "4 JPEG photos, to within 8 of 255" in page
    for word in (*words, "Research demo, not a medical device", "drawing, not a screenshot"):
        assert word in page
    assert not re.search(r"%\d\$|%%|\{\w+\}|None", page)


@pytest.mark.parametrize(("logits", "words"), GERMAN)
def test_german_words(assets: Path, logits: tuple[float, ...], words: tuple[str, ...]) -> None:
    page = draw_main(Resources(language="de"), _result(*logits), assets)
    for word in (*words, "kein Medizinprodukt", "Foto auswählen", "Über dieses Netz"):
        assert word in page
    for english in ("Choose", "photo ", "Marked", "About"):
        assert english not in page


def test_what_was_not_fitted_is_not_called_calibrated(assets: Path) -> None:
    point = {"temperature": 1.0, "abstain_threshold": 0.0, "melanoma_class": "MEL"}
    point |= {"melanoma_threshold": None, "fitted_on": "not fitted: 12 images, 20 needed"}
    bundle = json.dumps(BUNDLE | {"operating_point": point})
    (assets / "hierattn/bundle.json").write_text(bundle)
    page = draw_main(Resources(), _result(5.0, 0.0, 0.0), assets)
    assert "not calibrated" in page and "no point at which it marks melanoma" in page
    for word in ("scores, calibrated", "fitted on", "Marked for", "Not marked for"):
        assert word not in page


@pytest.mark.parametrize("language", ["", "de"])
def test_about_says_what_it_is_and_what_it_is_not(assets: Path, language: str) -> None:
    resources = Resources(language=language, night=True)
    page = draw_about(resources, _result(1.0, 0.0, 0.0), assets)
    for name in ("about_privacy_text", "about_health_text", "about_licence", "disclaimer"):
        assert escape(resources.say(name)) in page
    for word in ("ab" * 32, "For a test.", "None at all.", "Microsoft", "&lt;b&gt;of a test"):
        assert word in page
    assert "NONINFRINGEMENT" in page and '\\"' not in page


@pytest.mark.parametrize("layout", [p.stem for p in (APP / "app/src/main/res/layout").iterdir()])
def test_every_layout_can_be_drawn(layout: str) -> None:
    assert "drawing, not a screenshot" in draw_layout(Resources(), layout, {})


def test_an_app_without_a_bundle_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drawing, "assets_folder", lambda: tmp_path)
    assert drawing.main([str(tmp_path / "screens")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "no bundle (hierattn bundle" in error
    assert error.count("\n") == 1


def test_what_no_layout_has_is_refused() -> None:
    with pytest.raises(BuildError, match="activity_about has no headline; it has"):
        draw_layout(Resources(), "activity_about", {"headline": Content("nowhere")})


def test_the_mark_stands_before_all_else() -> None:
    """In the layout, as in its drawing: before buttons, headline and picture, and is spoken."""
    layout = ET.parse(APP / "app/src/main/res/layout/activity_main.xml")
    named = {str(e.get(f"{_ANDROID}id")).removeprefix("@+id/"): e for e in layout.iter()}
    order = [name for name in named if name != "None"]
    for later in ("state", "choose", "take", "answer", "headline", "scores", "photo"):
        assert order.index("melanoma") < order.index(later)
    assert named["melanoma"].get(f"{_ANDROID}accessibilityLiveRegion") == "assertive"
    assert named["melanoma"].get("style") == "@style/Heading.Card"
    styles = ET.parse(APP / "app/src/main/res/values/styles.xml").getroot()
    heading = next(s for s in styles if s.get("name") == "Heading")
    items = {item.get("name"): item.text for item in heading}
    assert items["android:accessibilityHeading"] == "true"
