"""Where there is no browser, the end of the run says so."""

import os
import subprocess
import sys

from tests.conftest import REPOSITORY


def test_a_page_that_no_browser_saw_is_named_at_the_end() -> None:
    test = "tests/benchmarks/report/test_browser.py::test_hostile_names_are_text"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        cwd=REPOSITORY,
        env={**os.environ, "PATH": "", "CHROMIUM": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "THE PAGE WAS NOT TESTED IN A BROWSER: 1 tests skipped" in done.stdout
