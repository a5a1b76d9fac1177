"""``report.html``: one file that asks for nothing, offline or on line.

Every value is escaped by Jinja. The page's own style and script are put inside it, and its
content security policy admits those two by their hashes and nothing else: no request can leave.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from benchmarks.environment import busy_warning
from benchmarks.report import formatting
from benchmarks.report.charts.pareto_image import draw_pareto
from benchmarks.report.charts.sensitivity import change_tables
from benchmarks.report.charts.small_charts import (
    distributions,
    reliability_charts,
    sustained_charts,
)
from benchmarks.report.charts.tradeoff import (
    NO_POINTS,
    Panel,
    left_out,
    runtime_series,
    tradeoff_panels,
)
from benchmarks.report.charts.tradeoff_chart import (
    NARROW,
    WIDE,
    Layout,
    Overview,
    tradeoff_svg,
)
from benchmarks.report.findings import findings
from benchmarks.report.rows import evaluated_files, number_rows, status_counts
from benchmarks.report.table import COLUMNS, table_rows
from benchmarks.results import PARETO_PNG, REPORT_HTML, Results
from hierattn.common.files import write_text

if TYPE_CHECKING:
    # It loads torch, which a page does not need.
    from benchmarks.accuracy.gallery import Gallery

_TEMPLATES = Path(__file__).parent / "templates"


def write_report(folder: Path, results: Results, gallery: Gallery | None = None) -> None:
    """Write ``report.html`` and ``pareto.png`` into a folder, made if missing.

    The same results give the same bytes. Without a gallery no photo is in them.

    Raises:
        HierAttnError: a file cannot be written.
    """
    write_text(folder / REPORT_HTML, render_page(results, gallery))
    draw_pareto(number_rows(results), folder / PARETO_PNG, results.photos)


def render_page(results: Results, gallery: Gallery | None = None) -> str:
    """The page as HTML."""
    rows = number_rows(results)
    files = evaluated_files(rows)
    runtimes = runtime_series(rows)
    overview = Overview(tradeoff_panels(rows), runtimes)
    style, script = _own("report.css"), _own("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            results=results,
            gallery=gallery,
            row_of={(n.row.export, n.row.name, n.row.runtime): n for n in reversed(rows)},
            warnings=[w for e in results.environments if (w := busy_warning(e))],
            rows=rows,
            counts=status_counts(rows),
            findings=findings(rows),
            columns=COLUMNS,
            table=table_rows(rows),
            panels=[
                (panel, [_tradeoff(panel, overview, place, layout) for layout in (WIDE, NARROW)])
                for place, panel in enumerate(overview.panels)
            ],
            left_out=left_out(rows),
            no_points=NO_POINTS,
            distributions=distributions(rows, runtimes),
            change_tables=change_tables(files),
            diagrams=reliability_charts(files),
            curves=sustained_charts(rows),
            profiles=[numbered for numbered in rows if numbered.row.profile],
            profile_notes=[numbered for numbered in rows if numbered.row.profile_note],
            style=style,
            script=script,
            policy=(
                f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
                f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
            ),
        )
    )


def _tradeoff(panel: Panel, overview: Overview, place: int, layout: Layout) -> Markup:
    return tradeoff_svg(panel, overview, layout, f"tradeoff-{place}-{layout.kind}")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=lambda value: formatting.plain(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        fixed=formatting.fixed,
        percent=formatting.percent,
        pixel=lambda value: f"{value:.1f}",
        short=formatting.short,
        three_digits=formatting.three_digits,
        factor=formatting.factor,
        breakable=_breakable,
    )
    environment.globals["MISSING"] = formatting.MISSING
    return environment


def _breakable(name: str) -> Markup:
    """A class's name, which may go on in the next line after an underscore."""
    return Markup("_<wbr>").join(formatting.plain(name).split("_"))


def _own(name: str) -> Markup:
    """A file of this package, to stand in the page as it is."""
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))


def _hash(content: str) -> str:
    """A content security policy's name for an inline style or script."""
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
