"""The page in a real Chromium: quiet, offline, sortable, by keyboard and pointer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.accuracy.gallery import Answer, Gallery, GalleryPhoto
from benchmarks.report.page import write_report
from tests.benchmarks.report.sample import sample_results
from tests.benchmarks.report.windows import WINDOWS, Opened


@pytest.fixture
def page(browser: Any, report_folder: Path) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(5000)
    page.goto((report_folder / "report.html").as_uri())
    yield page
    context.close()


def _column(page: Any, key: str) -> list[str]:
    return page.locator(f"#results tbody .c-{key}").evaluate_all(
        "cells => cells.map((c) => c.firstChild.textContent.trim())"
    )


def _numbers(texts: list[str]) -> list[float]:
    return [float(text.rstrip("×").replace("−", "-")) for text in texts if text != "–"]


def test_quiet_and_asks_for_nothing(opened: Opened) -> None:
    for header in opened.page.locator("#results thead button").all():
        if header.is_visible():
            header.click()
    for point in opened.page.locator(".point:visible").all()[:3]:
        point.hover()
    opened.page.locator("#theme").click()
    assert opened.said == []
    assert [url for url in opened.requested if not url.startswith("data:")] == [opened.page.url]


def test_sorts_by_a_number_both_ways_with_missing_values_last(page: Any) -> None:
    assert _column(page, "number") == [str(i) for i in range(1, 22)]
    header = page.locator("#results thead .c-p50")
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    rising = _column(page, "p50")
    assert _numbers(rising) == sorted(_numbers(rising))
    assert rising[-4:] == ["–"] * 4 and "–" not in rising[:-4]
    assert _numbers(rising)[0] == 5.76  # 9.8 would come first were they sorted as text
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    falling = _column(page, "p50")
    assert _numbers(falling) == sorted(_numbers(falling), reverse=True)
    assert falling[-4:] == ["–"] * 4
    assert page.locator("#results [aria-sort=descending]").count() == 1
    assert page.locator("#results [aria-sort=ascending]").count() == 0
    assert page.locator("#sorted").inner_text() == "Sorted by p50, ms, descending."


def test_sorts_negative_numbers_and_keeps_ties_in_order(page: Any) -> None:
    page.locator("#results thead .c-change button").click()
    change = _numbers(_column(page, "change"))
    assert change == sorted(change) and change[0] < 0 < change[-1]
    page.locator("#results thead .c-threads button").click()
    numbers = [int(text) for text in _column(page, "number")]
    assert numbers == sorted(numbers), "rows with equal threads stand in the order of the results"


def test_sorts_text_by_keyboard(page: Any) -> None:
    page.locator("#results thead .c-status button").focus()
    page.keyboard.press("Enter")
    assert _column(page, "status") == sorted(_column(page, "status"))
    page.keyboard.press("Space")
    assert _column(page, "status") == sorted(_column(page, "status"), reverse=True)


def test_every_row_stays_in_every_view_with_its_reason(page: Any) -> None:
    for view in ("overview", "speed", "accuracy", "all"):
        page.locator(f"label[for=view-{view}]").click()
        assert page.locator("#results tbody tr:visible").count() == 21
        reasons = page.locator("#results .reason:visible").all_inner_texts()
        assert len(reasons) == 6 and "needs macOS" in reasons
        shown = page.locator("#results thead th:visible").count()
        assert shown == page.locator("#results tbody tr:first-child > :visible").count()


def test_points_tell_their_figures_by_keyboard_and_pointer(page: Any) -> None:
    tip = page.get_by_role("tooltip")
    assert tip.count() == 0
    page.locator(".plot.wide .point[tabindex]").first.focus()
    tip.wait_for()
    assert "balanced accuracy" in tip.inner_text() and "No. 9" in tip.inner_text()
    page.keyboard.press("Escape")
    assert tip.count() == 0
    for point in page.locator(".plot.wide .point").all():
        point.hover()
        tip.wait_for()
        told = point.get_attribute("aria-label") or ""
        assert told and tip.inner_text().replace("\n", "; ") == told
        box, window = tip.bounding_box(), page.viewport_size
        assert box["x"] >= 0 and box["x"] + box["width"] <= window["width"]
        assert box["y"] >= 0 and box["y"] + box["height"] <= window["height"]


def test_hostile_names_are_text(page: Any) -> None:
    assert page.evaluate("window.broken") is None
    assert page.locator("img, iframe, object, embed").count() == 0
    assert page.locator("script").count() == 1
    names = page.locator("#results tbody .c-name").all_inner_texts()
    assert any(name.startswith("<script>alert") for name in names)


@pytest.mark.parametrize("painted", [False, True])
@pytest.mark.parametrize("window", WINDOWS)
def test_the_gallery_shows_its_pictures(
    window: str, painted: bool, browser: Any, tmp_path: Path
) -> None:
    dot = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw=="
    file = ("fixture-export", "hierattn_xs-256-fp32.onnx", "onnxruntime")
    answers = [Answer("seborrheic_keratosis", (0.5, 0.9), (file,))]
    photo = GalleryPhoto("basal_cell_carcinoma/a_long_name_of_a_photo.jpg", "MEL", dot, answers)
    write_report(tmp_path, sample_results(), Gallery([photo] * 5, [photo], 70, 1, 1, 0, painted))
    width, height = WINDOWS[window]
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
    page = context.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    loaded = "e => e.complete && e.naturalWidth > 0"
    pictures = page.locator("#gallery img")
    page.locator("nav a[href='#gallery']").click()
    assert pictures.count() == 6 and all(one.evaluate(loaded) for one in pictures.all())
    assert "5 of 70 shown" in page.locator("#gallery").inner_text()
    assert "50–90 %" in page.locator("#gallery").inner_text()
    assert page.locator("#gallery a").first.get_attribute("href") == "#row-2"
    said = "painted by formula" if painted else "This page holds photographs"
    assert page.get_by_text(said).is_visible()
    assert ("photographs" in page.content()) is not painted
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_without_script_everything_is_there(browser: Any, report_folder: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((report_folder / "report.html").as_uri())
    assert page.locator("#results tbody tr").count() == 21
    assert page.locator("#results thead .c-ece").is_visible()
    assert not page.locator("#theme").is_visible()
    context.close()
