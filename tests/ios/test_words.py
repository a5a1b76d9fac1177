"""Both languages have every word, with the same gaps, as the Android app says it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from tests.conftest import REPOSITORY
from tests.ios.swift_core import DEMO

APP = DEMO / "HierAttnDemo.swiftpm"
ANDROID = REPOSITORY / "android_demo/app/src/main"
LANGUAGES = {"en": "values", "de": "values-de"}
OWN = {
    # Tested at every launch, and there is neither a camera, nor a kept record, nor a note of power.
    *("self_test_running", "about_privacy_text", "benchmark_purpose"),
    *("compute_units", "units_cpu", "units_cpu_gpu", "units_cpu_neural", "units_all"),
}
_PAIR = re.compile(r'"([a-z_]+)" = "((?:[^"\\]|\\["\\n])+)";')
_GAP = re.compile(r"%(\d)\$@")


def words(language: str) -> dict[str, str]:
    """Words by name; a line that is no pair, or a name that stands twice, fails."""
    path = APP / f"Resources/{language}.lproj/Localizable.strings"
    found: dict[str, str] = {}
    for line in filter(None, path.read_text(encoding="utf-8").splitlines()):
        pair = _PAIR.fullmatch(line)
        assert pair and pair[1] not in found, line
        found[pair[1]] = pair[2].replace('\\"', '"')
    return found


def calls() -> Iterator[tuple[str, int]]:
    """The names that ``Words.swift`` asks for, each with how many values it fills in."""
    code = (APP / "Sources/Words.swift").read_text(encoding="utf-8")
    for call in re.finditer(r'\btext\(\s*"(\w+)"', code):
        depth, commas = 1, 0
        for sign in code[call.end() :]:
            depth += (sign == "(") - (sign == ")")
            commas += sign == "," and depth == 1
            if depth == 0:
                break
        yield call[1], commas


def test_both_languages_have_each_word_with_the_same_gaps() -> None:
    english, german = words("en"), words("de")
    assert list(german) == list(english)
    for name, text in german.items():
        gaps = set(_GAP.findall(text))
        assert gaps == set(_GAP.findall(english[name])), name
        assert sorted(gaps) == [str(place + 1) for place in range(len(gaps))], name
        assert "%" not in _GAP.sub("", text + english[name]), name
    same = {name for name, text in german.items() if english[name] == text}
    assert same == {"score_description", "units_cpu"}


def test_every_word_is_used_and_every_gap_filled() -> None:
    english = words("en")
    asked = list(calls())
    assert {name for name, _ in asked} == set(english)
    for name, values in asked:
        assert values == len(set(_GAP.findall(english[name]))), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_apps_say_the_same(language: str) -> None:
    path = ANDROID / "res" / LANGUAGES[language] / "strings.xml"
    told = {str(one.get("name")): one.text or "" for one in ElementTree.parse(path).getroot()}
    own = words(language)
    for name in own.keys() - OWN:
        there = told[name].replace("\\'", "'").replace("\n", "\\n")
        assert own[name] == re.sub(r"%(\d)\$[sd]", r"%\1$@", there), name
    assert all(told.get(name) != own[name] for name in OWN)


def test_both_apps_know_the_same_classes() -> None:
    java = (ANDROID / "java/org/hierattn/demo/ClassNames.java").read_text(encoding="utf-8")
    swift = (APP / "Sources/Words.swift").read_text(encoding="utf-8")
    labels: dict[str, str] = {}
    for cases, name in re.findall(r'((?:case "\w+":\s+)+)return R\.string\.(\w+);', java):
        labels |= dict.fromkeys(re.findall(r'"(\w+)"', cases), name)
    found: dict[str, str] = {}
    for cases, name in re.findall(r'case ("[^:]+): return text\("(class_\w+)"\)', swift):
        found |= dict.fromkeys(re.findall(r'"(\w+)"', cases), name)
    assert found == labels and len(found) >= 11


def test_no_screen_has_words_of_its_own() -> None:
    shown = r'(?:Text|Label|Button|Section|Picker|ProgressView|Link|Title|Label)\(\s*"'
    for path in (APP / "Sources").glob("*.swift"):
        assert re.findall(shown, path.read_text(encoding="utf-8")) == [], path.name


def test_screens_follow_the_readers_text_size_and_the_dark() -> None:
    """Fonts by their role and colours by their meaning alone; no line is cut."""
    fixed = (
        r"\.system\(size|lineLimit|Color\(|\.(?:white|black)\b|preferredColorScheme|minimumScale"
    )
    for path in (APP / "Sources").glob("*.swift"):
        assert re.findall(fixed, path.read_text(encoding="utf-8")) == [], path.name


def test_the_app_asks_for_no_permission_and_knows_no_network() -> None:
    package = (APP / "Package.swift").read_text(encoding="utf-8")
    assert "capabilities" not in package and "entitlements" not in package
    for path in DEMO.glob("HierAttn*/Sources/**/*.swift"):
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"URLSession|import Network|NWConnection|AVCapture", code), path.name


def test_the_package_holds_each_language() -> None:
    package = (APP / "Package.swift").read_text(encoding="utf-8")
    folders = sorted(path.name for path in (APP / "Resources").glob("*.lproj"))
    assert folders == sorted(f"{language}.lproj" for language in LANGUAGES)
    assert [f'.process("Resources/{name}")' in package for name in folders] == [True, True]
    assert 'defaultLocalization: "en"' in package
