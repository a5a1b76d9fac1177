"""Draws the report of earlier results again."""

from __future__ import annotations

from pathlib import Path

from benchmarks.report.files import as_csv, check_report_folder
from benchmarks.report.page import write_report
from benchmarks.results import (
    PARETO_PNG,
    REPORT_HTML,
    RESULTS_CSV,
    RESULTS_JSON,
    BenchmarkError,
    Results,
    read_results,
)
from hierattn.common.files import write_text
from hierattn.common.staging import staged_folder
from hierattn.outputs import claimed_output


def redraw_report(source: Path, out: Path) -> list[Path]:
    """Write a report folder from ``results.json``, which is copied as it is.

    Args:
        source: the file, or a report folder.
        out: made if missing; may be the folder of the results.

    Returns:
        The files written.

    Raises:
        BenchmarkError: no results, or ``out`` holds something else, such as another session's.
        ConfigError: ``out`` is or lies in a run, data or export folder.
    """
    results = read_results(source)
    file = source / RESULTS_JSON if source.is_dir() else source
    content = file.read_text(encoding="utf-8")
    with claimed_output(out):
        check_report_folder(out)
        target = out / RESULTS_JSON
        if target.exists():
            if target.read_text(encoding="utf-8") != content:
                raise BenchmarkError(f"{target}: of another session; give another folder")
            _draw(results, out)
        else:
            # Whole or not at all: results without their page would pass for a report.
            with staged_folder(out) as folder:
                write_text(folder / RESULTS_JSON, content)
                _draw(results, folder)
    return [out / name for name in (RESULTS_JSON, RESULTS_CSV, REPORT_HTML, PARETO_PNG)]


def _draw(results: Results, folder: Path) -> None:
    write_text(folder / RESULTS_CSV, as_csv(results))
    write_report(folder, results)
