"""Draws the report of earlier results again."""

from __future__ import annotations

from pathlib import Path

from benchmarks.report.files import as_csv, check_report_folder, whole_report
from benchmarks.report.page import write_report
from benchmarks.results import (
    PARETO_PNG,
    REPORT_HTML,
    RESULTS_CSV,
    RESULTS_JSON,
    BenchmarkError,
    read_results,
)
from hierattn.common.files import write_text
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
        if target.exists() and target.read_text(encoding="utf-8") != content:
            raise BenchmarkError(f"{target}: of another session; give another folder")
        with whole_report(out) as drawn:
            write_text(drawn / RESULTS_JSON, content)
            write_text(drawn / RESULTS_CSV, as_csv(results))
            write_report(drawn, results)
    return [out / name for name in (RESULTS_JSON, RESULTS_CSV, REPORT_HTML, PARETO_PNG)]
