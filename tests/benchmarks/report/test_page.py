from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.environment import busy_warning
from benchmarks.report.page import render_page, write_report
from hierattn.errors import HierAttnError
from tests.benchmarks.report.sample import HOSTILE, HOSTILE_EXPORT, sample_results

VOID = {"meta", "link", "input", "br", "img"}


class _Page(HTMLParser):
    """Tags that open and close in order, every attribute, and the text outside of script."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def source() -> str:
    return render_page(sample_results())


@pytest.fixture(scope="module")
def page(source: str) -> _Page:
    return _Page(source)


@pytest.mark.slow
def test_same_results_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_report(tmp_path / name, sample_results())
    for file in ("report.html", "pareto.png"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["pareto.png", "report.html"]


def test_tags_are_balanced_and_ids_unique(page: _Page) -> None:
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {a["href"] for t, a in page.tags if t == "a"}
    assert {f"#{i}" for i in ids} >= targets, "every link leads to a place on the page"


def test_nothing_points_outside(source: str, page: _Page) -> None:
    for tag, attributes in page.tags:
        assert "src" not in attributes and "style" not in attributes
        assert not any(name.startswith("on") for name in attributes), tag
    assert [a["href"] for t, a in page.tags if t == "link"] == ["data:,"]
    assert "http://" not in source and "https://" not in source
    assert not re.search(r"url\((?!#)", source) and "@import" not in source
    policy = next(a["content"] for t, a in page.tags if "http-equiv" in a)
    assert policy is not None and policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_what_a_chart_refers_to_is_on_the_page(source: str, page: _Page) -> None:
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    used = {a["href"] for t, a in page.tags if t == "use"}
    used |= {f"#{name}" for name in re.findall(r"url\(#([^)]+)\)", source)}
    assert used and used <= {f"#{name}" for name in ids}


def test_a_busy_machine_is_said_loudly_and_once() -> None:
    results = sample_results()
    busy = results.environments[0].model_copy(update={"load_before": 1.9})
    warning = busy_warning(busy)
    assert warning is not None
    changes = {"environments": [busy], "remarks": [*results.remarks, warning]}
    page = _Page(render_page(results.model_copy(update=changes)))
    assert page.words.count("the machine was busy") == 1
    assert [a["class"] for _, a in page.tags if a.get("role") == "alert"] == ["notice loud"]
    assert "Busy machine" not in _Page(render_page(results)).words


def test_names_are_escaped(source: str, page: _Page) -> None:
    assert [t for t, _ in page.tags].count("script") == 1
    assert [t for t, _ in page.tags].count("img") == 0
    assert HOSTILE in page.words
    assert "<b>out of memory</b> & gone" in page.words
    assert "remark of a fixture: <i>made up</i>" in page.words
    assert HOSTILE not in source
    assert "\u202e" not in source and HOSTILE_EXPORT.split("\u202e")[0] in page.words


def test_every_row_has_its_status_and_reason(page: _Page) -> None:
    words = page.words
    assert "15 measured, 2 gate failed, 2 failed, 2 not run" in words
    for reason in ("needs macOS", "the device went away after 40 runs", "fell by 20.0 points"):
        assert reason in words
    assert "Not a medical device" in words


def test_missing_values_are_dashes_not_words(page: _Page) -> None:
    assert "–" in page.words
    assert not re.search(r"\b(None|nan|NaN|inf|undefined|null)\b", page.words)


def test_values_that_are_not_finite_are_missing() -> None:
    results = sample_results()
    rows = [results.rows[1].model_copy(update={"p50_ms": float("nan"), "ece": float("inf")})]
    words = _Page(render_page(results.model_copy(update={"rows": rows, "sweep": []}))).words
    assert "No row has both an accuracy and a latency" in words
    assert not re.search(r"\b(nan|inf)\b", words)


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": []},
        {"environments": [], "sweep": [], "method": None},
        {"photos": None, "noise_floor": None},
        {"complete": False},
    ],
    ids=["no rows", "no surroundings", "no accuracy", "interrupted"],
)
def test_pages_of_partial_results(changes: dict[str, object], tmp_path: Path) -> None:
    write_report(tmp_path, sample_results(**changes))
    page = _Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.open == []
    assert ("Not complete." in page.words) == ("complete" in changes)
    assert (tmp_path / "pareto.png").stat().st_size > 1000


def test_rows_without_accuracy_draw_no_plot() -> None:
    results = sample_results()
    bare = {
        "balanced_accuracy": None,
        "balanced_accuracy_interval": None,
        "sensitivity": {},
        "change_vs_torch": {},
        "reliability": [],
    }
    rows = [row.model_copy(update=bare) for row in results.rows]
    words = _Page(render_page(results.model_copy(update={"rows": rows}))).words
    for said in ("nothing to draw", "No sensitivities were measured", "No calibration"):
        assert said in words
    assert "Most accurate" not in words


@pytest.mark.parametrize(
    "changes",
    [
        {"p50_ms": 5e-324, "samples_ms": [1e-300, 1e300]},
        {"p50_ms": 1.7e308, "balanced_accuracy": 1e308},
        {"balanced_accuracy": -5.0, "size_mb": -3.0},
        {"size_mb": float("nan"), "samples_ms": [float("inf"), -1.0, 0.0]},
        {"name": "\n皮膚 $x^2$", "device": "d" * 500},
        {"name": "", "export": "", "samples_ms": [5.0] * 2000},
    ],
)
@pytest.mark.filterwarnings("error")
def test_absurd_values_neither_crash_nor_warn(changes: dict[str, object], tmp_path: Path) -> None:
    results = sample_results()
    row = results.rows[1].model_copy(update=changes)
    write_report(tmp_path, results.model_copy(update={"rows": [row, results.rows[2]]}))
    write_report(tmp_path, results.model_copy(update={"rows": [row]}))


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(HierAttnError, match="cannot write"):
        write_report(tmp_path / "taken", sample_results())


def test_image_shows_every_panel(report_folder: Path) -> None:
    with Image.open(report_folder / "pareto.png") as image:
        width, height = image.size
        assert width > 1500 and height > 2000, "three settings, one below the other"
        colours = image.convert("RGB").getcolors(1 << 24)
    assert colours is not None and len(colours) > 50
