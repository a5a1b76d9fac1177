"""A real browser for the page: Chromium by $CHROMIUM or by its usual names, else a skip."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report.page import write_report
from tests.benchmarks.report.sample import sample_results
from tests.benchmarks.report.windows import THEMES, WINDOWS, Opened
from tests.conftest import NO_BROWSER

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="session")
def report_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of the made-up results; read only."""
    folder = tmp_path_factory.mktemp("report")
    write_report(folder, sample_results())
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium; skips with the reason where there is none."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip(NO_BROWSER)
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[object]:
    """A headless Chromium, driven by playwright."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason=f"{NO_BROWSER} (package playwright)"
    )
    with sync_api.sync_playwright() as playwright:
        # Root in a container has no sandbox; the page is our own.
        started = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield started
        started.close()


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
