"""Writes ``results.json`` and ``results.csv`` of a report folder, each atomically."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.results import (
    PARETO_PNG,
    REPORT_HTML,
    RESULTS_CSV,
    RESULTS_JSON,
    BenchmarkError,
    Results,
    Row,
)
from hierattn.common.csv_text import report_csv
from hierattn.common.files import write_bytes, write_text
from hierattn.common.signals import uninterrupted
from hierattn.common.temporary import temporary_folder

COLUMNS = (
    "model",
    "format",
    "precision",
    "runtime",
    "device",
    "threads",
    "size_mb",
    "load_ms",
    "first_ms",
    "p50_ms",
    "p90_ms",
    "p99_ms",
    "peak_rss_mb",
    "runs",
    "fully_delegated",
    "top1",
    "balanced_accuracy",
    "melanoma_sensitivity",
    "macro_auc",
    "ece",
    "parity_max_abs",
    "status",
    "reason",
    "mean_ms",
    "trimmed_mean_ms",
    "noise_ratio",
    "operators_left",
    "melanoma_at_threshold",
    "export",
    "name",
    "sha256",
)
"""Of ``results.csv``; all are fields of :class:`benchmarks.results.Row`."""

INTERVAL = ("balanced_accuracy_low", "balanced_accuracy_high")


def check_report_folder(out: Path) -> None:
    """Make sure that writing a report into ``out`` replaces nothing but an earlier report.

    Raises:
        BenchmarkError: a file, or a folder that holds something else.
    """
    if out.exists() and not out.is_dir():
        raise BenchmarkError(f"{out} is a file; give a folder")
    there = {path.name for path in out.iterdir()} if out.is_dir() else set()
    if there and RESULTS_JSON not in there:
        raise BenchmarkError(
            f"{out} holds something else than a report ({min(there)}); give another folder"
        )
    if there and not _is_results(out / RESULTS_JSON):
        raise BenchmarkError(f"{out / RESULTS_JSON}: not of a benchmark; give another folder")


def _is_results(path: Path) -> bool:
    """Whether a file is a benchmark's, of whatever version."""
    try:
        fields = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and {"schema", "environments", "rows"} <= fields.keys()


def write_results(out: Path, results: Results) -> None:
    """Write both files, each atomically.

    Raises:
        HierAttnError: they cannot be written.
    """
    text = results.model_dump_json(by_alias=True, indent=1)
    write_text(out / RESULTS_JSON, text + "\n")
    write_text(out / RESULTS_CSV, as_csv(results))


@contextmanager
def whole_report(folder: Path) -> Iterator[Path]:
    """Yield a folder to draw a report in; its four files are put into ``folder`` once all are made.

    So no page ever stands beside results that it does not show, whenever it is stopped or killed.

    Raises:
        HierAttnError: a file cannot be written.
    """
    with temporary_folder("report") as drawn:
        yield drawn
        with uninterrupted():
            for stale in (REPORT_HTML, PARETO_PNG):
                (folder / stale).unlink(missing_ok=True)
            for name in (RESULTS_JSON, RESULTS_CSV, REPORT_HTML, PARETO_PNG):
                write_bytes(folder / name, (drawn / name).read_bytes())


def as_csv(results: Results) -> str:
    """One line a row; empty where a figure is not known."""
    rows: list[list[str]] = [[*COLUMNS, *INTERVAL]]
    for row in results.rows:
        interval = row.balanced_accuracy_interval
        ends = (interval.low, interval.high) if interval else (None, None)
        rows.append([*(_cell(row, name) for name in COLUMNS), *map(_text, ends)])
    return report_csv(rows)


def _cell(row: Row, name: str) -> str:
    return _text(getattr(row, name))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
