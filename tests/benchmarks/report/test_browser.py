"""The page in a real Chromium: quiet, offline, sortable, readable on a phone and a desk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmarks.accuracy.gallery import Answer, Gallery, GalleryPhoto
from benchmarks.report.page import write_report
from tests.benchmarks.report.sample import CLASSES, sample_results

WINDOWS = {"phone": (390, 844), "desktop": (1280, 900)}
THEMES = ("light", "dark")

# Every visible text against the colours behind it, by WCAG 2's formula; tells those below 4.5
# (3 for large text). Translucent backgrounds do not occur on the page.
CONTRAST = """() => {
  const rgb = (css) => css.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility()) continue;
    if (["SCRIPT", "STYLE", "TITLE", "title"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const ink = light(rgb(element.closest("svg") ? style.fill : style.color));
    const back = light(rgb(behind(element).join(" ")));
    const ratio = (Math.max(ink, back) + 0.05) / (Math.min(ink, back) + 0.05);
    const large = parseFloat(style.fontSize) >= 24;
    if (ratio < (large ? 3 : 4.5)) poor.push(`${node.data.trim().slice(0, 40)}: ${ratio}`);
  }
  return poor;
}"""

# Labels of one plot whose boxes share area, and labels that leave their plot.
COLLISIONS = """() => {
  const bad = [];
  for (const plot of document.querySelectorAll(".plot")) {
    if (!plot.checkVisibility()) continue;
    const edge = plot.getBoundingClientRect();
    const boxes = Array.from(plot.querySelectorAll(".label"), (e) => [e.textContent, e.getBBox()]);
    boxes.forEach(([a, p], i) => {
      for (const [b, q] of boxes.slice(i + 1)) {
        if (p.x < q.x + q.width && q.x < p.x + p.width &&
            p.y < q.y + q.height - 3 && q.y < p.y + p.height - 3) bad.push(`${a} on ${b}`);
      }
    });
    for (const text of plot.querySelectorAll("text")) {
      const box = text.getBoundingClientRect();
      const inside = box.left >= edge.left - 1 && box.right <= edge.right + 1;
      if (!inside) bad.push(`${text.textContent} cut`);
    }
  }
  return bad;
}"""

SMALLEST_TEXT = """() => Math.min(...Array.from(document.querySelectorAll("body *"))
  .filter((e) => e.checkVisibility() && e.childNodes.length && e.textContent.trim())
  .map((e) => parseFloat(getComputedStyle(e).fontSize) *
    (e.closest("svg.plot") ? e.closest("svg").getScreenCTM().a : 1)))"""


OPEN_ALL = "document.querySelectorAll('details').forEach((d) => { d.open = true; })"


@dataclass
class Opened:
    """A page and all that it said and asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)


@pytest.fixture(params=[(w, t) for w in WINDOWS for t in THEMES], ids="-".join)
def opened(request: pytest.FixtureRequest, browser: Any, report_folder: Path) -> Iterator[Opened]:
    window, theme = request.param
    width, height = WINDOWS[window]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, offline=True
    )
    opened = Opened(context.new_page())
    opened.page.on("console", lambda message: opened.said.append(message.text))
    opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
    opened.page.on("request", lambda asked: opened.requested.append(asked.url))
    opened.page.goto((report_folder / "report.html").as_uri())
    yield opened
    context.close()


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


def test_fits_the_window_and_can_be_read(opened: Opened) -> None:
    page = opened.page
    page.evaluate(OPEN_ALL)
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(COLLISIONS) == []
    assert page.evaluate(SMALLEST_TEXT) >= 10.5
    for view in ("overview", "speed", "accuracy", "all"):
        page.locator(f"label[for=view-{view}]").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if view != "all":
            region = page.locator(".scroll:has(#results)")
            assert region.evaluate("e => e.scrollWidth <= e.clientWidth"), view


LONG_CLASSES = (
    "actinic_keratosis",
    "basal_cell_carcinoma",
    "melanoma",
    "squamous_cell_carcinoma",
    "seborrheic_keratosis",
    "Pneumonoultramicroscopicsilicovolcanoconiosis_of_the_toe",
)

# Of every class's name and cell at the window's width: broken within a word, or two that touch.
HEADINGS = """() => {
  const bad = [];
  const shown = [];
  const wide = document.querySelector(".heat thead").getBoundingClientRect().height > 2;
  const cells = document.querySelectorAll(wide ? ".heat thead th" : ".heat td");
  for (const cell of cells) {
    const box = cell.getBoundingClientRect();
    const range = document.createRange();
    range.selectNodeContents(cell);
    for (const part of range.getClientRects()) {
      if (part.right > box.right + 1) bad.push(`${cell.textContent} leaves its cell`);
    }
    const over = cell.scrollWidth > cell.clientWidth + 1;
    shown.push([cell.dataset.title || cell.textContent, box, over]);
  }
  shown.forEach(([a, p, over], i) => {
    if (over) bad.push(`${a} is cut`);
    for (const [b, q] of shown.slice(i + 1)) {
      if (p.left < q.right && q.left < p.right && p.top < q.bottom && q.top < p.bottom)
        bad.push(`${a} on ${b}`);
    }
  });
  return bad;
}"""

# Lines that the heading of each cell takes on a phone; names of up to 25 characters fit in one.
HEADING_LINES = """() => Array.from(document.querySelectorAll(".heat td"), (cell) => {
  const style = getComputedStyle(cell, "::before");
  return [cell.dataset.title, Math.round(parseFloat(style.height) / parseFloat(style.lineHeight))];
})"""


@pytest.fixture(scope="module")
def long_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on classes whose names are long."""
    results = sample_results()
    names = dict(zip(CLASSES, LONG_CLASSES, strict=True))
    rows = [
        row.model_copy(
            update={
                "sensitivity": {names[k]: v for k, v in row.sensitivity.items()},
                "change_vs_torch": {
                    f"sensitivity:{names[k.partition(':')[2]]}": v
                    for k, v in row.change_vs_torch.items()
                    if ":" in k
                },
            }
        )
        for row in results.rows[:4]
    ]
    folder = tmp_path_factory.mktemp("long")
    write_report(folder, results.model_copy(update={"rows": rows, "sweep": []}))
    return folder


@pytest.mark.parametrize("window", WINDOWS)
def test_headings_of_classes_neither_break_nor_touch(
    window: str, browser: Any, long_classes: Path
) -> None:
    width, height = WINDOWS[window]
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto((long_classes / "report.html").as_uri())
    page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(HEADINGS) == []
    if window == "phone":
        lines = dict(page.evaluate(HEADING_LINES))
        assert set(lines) == set(LONG_CLASSES)
        assert {lines[name] for name in LONG_CLASSES[:5]} == {1}
    context.close()


def test_on_a_phone_classes_of_short_names_stand_in_one_line(opened: Opened) -> None:
    opened.page.evaluate(OPEN_ALL)
    tops = opened.page.evaluate(
        """() => Array.from(document.querySelectorAll(".heat.short tbody tr"), (row) => {
          const tops = Array.from(row.querySelectorAll("td"), (e) => e.getBoundingClientRect().top);
          return new Set(tops).size;
        })"""
    )
    assert tops and set(tops) == {1}


def test_a_phone_need_not_scroll_for_ever(opened: Opened) -> None:
    """21 rows in three settings, all kinds of sections: some six screens of a phone."""
    page = opened.page
    height = page.evaluate("document.documentElement.scrollHeight")
    table = page.locator("#results tbody").bounding_box()["height"]
    if page.viewport_size["width"] > 800:
        assert height < 11_500 and table < 1700
    else:
        assert height < 5500 and table < 21 * 110


def test_on_a_phone_what_is_looked_up_begins_closed(opened: Opened) -> None:
    page = opened.page
    wide = page.viewport_size["width"] > 800
    assert page.locator(".plot.narrow:visible, .plot.wide:visible").count() == (6 if wide else 1)
    for link in page.locator("nav a").all():
        place = link.get_attribute("href")
        last = page.locator(f"{place} > :last-child, {place} > details.long > :last-child").last
        closed = page.locator(f"{place} > details.long:not([open])").count()
        # Of the settings' charts the first stays open.
        folded = {"#table": 0, "#tradeoff": 2}.get(place, 1)
        assert closed == (0 if wide else folded), place
        link.click()
        assert last.is_visible(), place
        assert page.locator(f"{place} > details.long:not([open])").count() == 0


def test_what_a_phone_folds_is_there_in_print_and_in_the_other_views(opened: Opened) -> None:
    page = opened.page
    columns = "els => els.filter((e) => e.checkVisibility()).map((e) => e.className)"
    cells = page.locator("#results tbody tr:nth-child(2) > .in-overview")
    on_screen = cells.evaluate_all(columns)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("details.long:not([open])").count() == 0
    in_print = cells.evaluate_all(columns)
    assert len(in_print) == cells.count() >= len(on_screen)
    page.emulate_media(media="screen")
    elsewhere: list[str] = []
    for view in ("speed", "accuracy"):
        page.locator(f"label[for=view-{view}]").click()
        elsewhere += page.locator("#results tbody tr:nth-child(2) > .cell").evaluate_all(columns)
    assert set(in_print) <= {*on_screen, *elsewhere}


def test_contrast(opened: Opened) -> None:
    page = opened.page
    page.evaluate(OPEN_ALL)
    page.locator("label[for=view-all]").click()
    assert page.evaluate(CONTRAST) == []
    # The other theme, by the button: system, light, dark.
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    page.mouse.move(0, 0)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light != dark and before in (light, dark)
    assert page.evaluate(CONTRAST) == []


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


@pytest.mark.parametrize("window", WINDOWS)
def test_the_gallery_shows_its_pictures(window: str, browser: Any, tmp_path: Path) -> None:
    dot = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw=="
    file = ("fixture-export", "hierattn_xs-256-fp32.onnx", "onnxruntime")
    answers = [Answer("seborrheic_keratosis", (0.5, 0.9), (file,))]
    photo = GalleryPhoto("basal_cell_carcinoma/a_long_name_of_a_photo.jpg", "MEL", dot, answers)
    write_report(tmp_path, sample_results(), Gallery([photo] * 5, [photo], 70, 1))
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
    assert page.get_by_text("This page holds photographs").is_visible()
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
