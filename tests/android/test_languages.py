"""Every language has every word, with the same gaps; no word stands in a layout or in Java."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from android_demo.offline.project import APP

RES = APP / "app/src/main/res"
JAVA = APP / "app/src/main/java/org/hierattn/demo"
SCREENS = [*JAVA.glob("*Activity.java"), *JAVA.glob("*View.java"), *JAVA.glob("*Words.java")]
_NOT_SHOWN = {"unexpected: "}  # in the result file that is read in the lab
LANGUAGES = sorted(path.name for path in RES.glob("values-??") if (path / "strings.xml").is_file())
_ANDROID = "{http://schemas.android.com/apk/res/android}"


def _words(folder: str) -> dict[str, str]:
    root = ET.parse(RES / folder / "strings.xml").getroot()
    return {str(item.get("name")): item.text or "" for item in root}


def _gaps(text: str) -> list[str]:
    return sorted(re.findall(r"%(?:\d\$[sd]|%|[^\d%])", text))


def test_there_is_a_second_language() -> None:
    assert "values-de" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_words_with_the_same_gaps(language: str) -> None:
    english, other = _words("values"), _words(language)
    assert list(other) == list(english)
    for name, text in other.items():
        assert text.strip(), name
        assert _gaps(text) == _gaps(english[name]), name
        assert not re.search(r"(?<!\\)[\'\"]", text), f"{name}: Android wants quotes escaped"


@pytest.mark.parametrize("layout", sorted((RES / "layout").glob("*.xml")), ids=lambda p: p.stem)
def test_layouts_name_their_words(layout: Path) -> None:
    for element in ET.parse(layout).iter():
        for attribute in ("text", "contentDescription", "hint"):
            value = element.get(f"{_ANDROID}{attribute}")
            assert value is None or value.startswith("@string/"), value


@pytest.mark.parametrize("screen", sorted(SCREENS), ids=lambda p: p.stem)
def test_screens_name_their_words(screen: Path) -> None:
    """What an exception or a log says stays English; what a screen shows comes from strings.xml."""
    code = re.sub(r"/\*.*?\*/", "", screen.read_text(encoding="utf-8"), flags=re.DOTALL)
    code = re.sub(r"//.*", "", code)
    literals = re.findall(r'"((?:[^"\\\n]|\\.)*)"', code)
    said = [text for text in literals if re.search(r"[a-z]{2,}[:,]? +[a-z]{2,}|[a-z]{3,}: ", text)]
    assert [text for text in said if text not in _NOT_SHOWN] == []


def test_the_app_says_what_it_does_with_photos_and_health() -> None:
    shown = (RES / "layout/activity_about.xml").read_text(encoding="utf-8")
    assert "@string/about_privacy_text" in shown and "@string/about_health_text" in shown
    words = _words("values")
    assert "no permission" in words["about_privacy_text"]
    assert "not a medical device" in words["about_health_text"]


def test_the_manifest_leaves_to_gradle_what_is_gradles() -> None:
    manifest = (APP / "app/src/main/AndroidManifest.xml").read_text(encoding="utf-8")
    assert "extractNativeLibs" not in manifest
