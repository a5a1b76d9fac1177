"""Every language has every word, with the same gaps; no word stands in a layout or in Java."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from android_demo.offline.project import APP

RES = APP / "app/src/main/res"
SOURCES = APP / "app/src"
REASON = APP / "core/src/main/java/org/hierattn/core/Reason.java"
JAVA = [
    path
    for flavour in ("main", "ort", "litert")
    for path in sorted((SOURCES / flavour / "java").rglob("*.java"))
]
LANGUAGES = sorted(path.name for path in RES.glob("values-??") if (path / "strings.xml").is_file())
_ANDROID = "{http://schemas.android.com/apk/res/android}"
# What puts words before a user; what an exception or a result says stays English, for the lab.
_SHOWS = re.compile(r"\b(setText|setContentDescription|setTitle|setHint|makeText|getString|fail)\(")
_LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_NOT_SHOWN = re.compile(r'\.get\("\w+"\)|String\.format\("[^"]*",')
_ENGLISH = re.compile(r"[A-Za-z]{2,}")


def _words(folder: str) -> dict[str, str]:
    root = ET.parse(RES / folder / "strings.xml").getroot()
    words = {}
    for item in root:
        name = str(item.get("name"))
        for place, part in enumerate(list(item) or [item]):
            words[f"{name} {place}" if item.tag == "string-array" else name] = part.text or ""
    return words


def _gaps(text: str) -> list[str]:
    return sorted(re.findall(r"%(?:\d\$[.\d]*[sdfge]|%|[^\d%])", text))


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
    same = {name for name in english if len(english[name]) > 20 and english[name] == other[name]}
    assert not same, "never translated"


@pytest.mark.parametrize("layout", sorted((RES / "layout").glob("*.xml")), ids=lambda p: p.stem)
def test_layouts_name_their_words(layout: Path) -> None:
    for element in ET.parse(layout).iter():
        for attribute in ("text", "contentDescription", "hint"):
            value = element.get(f"{_ANDROID}{attribute}")
            assert value is None or value.startswith("@string/"), value


def _statements(source: Path) -> list[str]:
    code = re.sub(r"/\*.*?\*/", "", source.read_text(encoding="utf-8"), flags=re.DOTALL)
    code = re.sub(r"//.*", "", code)
    # A semicolon within a literal, such as a list's, ends nothing.
    code = _LITERAL.sub(lambda found: found[0].replace(";", ","), code)
    return re.split(r"[;{}]", _NOT_SHOWN.sub("", code))


def _is_english(shown: str) -> bool:
    literals = [text for text in _LITERAL.findall(shown) if _ENGLISH.search(text)]
    return bool(literals) or bool(re.search(r"getMessage\(\)|toString\(\)|\+ error\b", shown))


@pytest.mark.parametrize("source", JAVA, ids=lambda p: f"{p.parents[4].name}-{p.stem}")
def test_what_is_shown_comes_from_the_strings(source: Path) -> None:
    shown = [text.strip() for text in _statements(source) if _SHOWS.search(text)]
    assert [text for text in shown if _is_english(text)] == []


def test_every_reason_has_its_words() -> None:
    """The switch from a kind to its sentence is complete, and no sentence belongs to none."""
    kinds = re.findall(r"^        ([A-Z_]+),?$", REASON.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(kinds) > 20
    chosen = re.findall(
        r"put\(Reason\.Kind\.([A-Z_]+), R\.string\.(\w+)\)",
        (SOURCES / "main/java/org/hierattn/demo/Words.java").read_text(encoding="utf-8"),
    )
    assert chosen == [(kind, f"why_{kind.lower()}") for kind in kinds]
    for folder in ("values", *LANGUAGES):
        words = _words(folder)
        assert [name for name in words if name.startswith("why_")] == [name for _, name in chosen]


@pytest.mark.parametrize("language", LANGUAGES)
def test_english_that_is_shown_in_another_language_is_set_apart(language: str) -> None:
    """What the bundle, a runtime or Android says of itself is not translated."""
    technical = {"values-de": "(technisch: "}[language]
    words = _words(language)
    told = [name for name, text in _words("values").items() if "(technical: " in text]
    assert len(told) > 4
    for name in (*told, "fitted_on"):
        assert technical in words[name], name


def test_every_heat_has_its_word() -> None:
    device = (SOURCES / "main/java/org/hierattn/demo/Device.java").read_text(encoding="utf-8")
    named = re.search(r"THERMAL = Collections.unmodifiableList\(Arrays.asList\(([^)]*)\)", device)
    assert named is not None
    heats = re.findall(r'"(\w+)"', named[1])
    words = _words("values")
    assert [words[f"thermal {place}"] for place in range(len(heats))] == heats
    assert f"thermal {len(heats)}" not in words


def test_the_app_says_what_it_does_with_photos_and_health() -> None:
    shown = (RES / "layout/activity_about.xml").read_text(encoding="utf-8")
    assert "@string/about_privacy_text" in shown and "@string/about_health_text" in shown
    words = _words("values")
    assert "no permission" in words["about_privacy_text"]
    assert "not a medical device" in words["about_health_text"]


def test_the_manifest_leaves_to_gradle_what_is_gradles() -> None:
    manifest = (APP / "app/src/main/AndroidManifest.xml").read_text(encoding="utf-8")
    assert "extractNativeLibs" not in manifest
