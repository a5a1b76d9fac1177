"""The page in a real Chromium: readable on a phone and a desk, in light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.report.page import write_report
from tests.benchmarks.report.sample import CLASSES, sample_results
from tests.benchmarks.report.windows import OPEN_ALL, WINDOWS, Opened

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
