"""The report of a benchmark as a page and a picture."""

from benchmarks.report.page import render_page, write_report

__all__ = ["render_page", "write_report"]
