"""What the page says about rows: comparisons, ties, columns, classes, findings, numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from benchmarks.report.charts.sensitivity import change_tables, shade
from benchmarks.report.charts.small_charts import (
    distributions,
    reliability_charts,
    sustained_charts,
)
from benchmarks.report.charts.tradeoff import runtime_series
from benchmarks.report.findings import findings
from benchmarks.report.formatting import (
    fixed,
    percent,
    plain,
    points,
    short,
    three_digits,
    tiny,
)
from benchmarks.report.rows import NumberedRow, evaluated_files, number_rows, status_counts
from benchmarks.report.table import COLUMNS, table_rows
from tests.benchmarks.report.sample import CLASSES, sample_results


@pytest.fixture(scope="module")
def rows() -> list[NumberedRow]:
    return number_rows(sample_results())


def test_rows_are_compared_with_the_fastest_that_may_ship(rows: list[NumberedRow]) -> None:
    by_number = {numbered.number: numbered for numbered in rows}
    assert by_number[6].to_fastest == 1.0 and not by_number[6].tie
    assert by_number[1].to_fastest == pytest.approx(46.0 / 9.8)
    assert by_number[8].to_fastest is None
    # Its own setting: the phone's only measured row is the fastest there.
    assert by_number[19].to_fastest == 1.0


def test_ties_are_differences_within_the_noise_of_as_many_threads() -> None:
    floor = sample_results().noise_floor
    assert floor is not None
    assert [n.number for n in number_rows(sample_results()) if n.tie] == [7, 16]
    tighter = floor.model_copy(update={"by_threads": {1: 1.01, 2: 1.041}})
    results = sample_results().model_copy(update={"noise_floor": tighter})
    assert [n.number for n in number_rows(results) if n.tie] == [16]
    assert not any(n.tie for n in number_rows(sample_results(noise_floor=None)))


def test_a_failed_gate_is_never_called_the_fastest() -> None:
    results = sample_results()
    fast = [r.model_copy(update={"p50_ms": 1.0}) for r in results.rows if r.status == "gate failed"]
    numbered = number_rows(results.model_copy(update={"rows": [*results.rows[:2], *fast[:1]]}))
    assert numbered[2].to_fastest == pytest.approx(1 / 21)
    assert [
        f.numbered.number for f in findings(numbered) if f.topic == "Fastest" and f.numbered
    ] == [2]


def test_columns_are_distinct_and_explained() -> None:
    for part in ("key", "title", "meaning"):
        values = [getattr(column, part) for column in COLUMNS]
        assert len(values) == len(set(values)) and all(values)
    for view in ("overview", "speed", "accuracy"):
        assert sum(view in column.views for column in COLUMNS) >= 10


def test_a_row_that_was_not_run_has_no_figures(rows: list[NumberedRow]) -> None:
    line = table_rows(rows)[7]
    shown = {column.key: cell for column, cell in zip(COLUMNS, line.cells, strict=True)}
    for key in ("load", "p50", "p99", "ratio", "memory", "runs", "top1", "balanced", "ece"):
        assert shown[key].text == "–" and shown[key].sort is None
    assert shown["size"].text == "2.20"


def test_files_are_judged_once_for_all_their_rows(rows: list[NumberedRow]) -> None:
    files = evaluated_files(rows)
    numbers = {tuple(n.number for n in file.rows) for file in files}
    assert (1, 10) in numbers and (5, 14, 19) in numbers and (6, 7, 15, 16) in numbers
    assert sum(len(file.rows) for file in files) == len(rows)


def test_sensitivity_table_has_signs_and_every_file(rows: list[NumberedRow]) -> None:
    (table,) = change_tables(evaluated_files(rows))
    assert table.classes == CLASSES
    lines = {line.file.first.number: line for line in table.rows}
    assert [cell.change for cell in lines[1].cells] == ["–"] * 6, "torch is the reference"
    assert [cell.change for cell in lines[2].cells] == ["0.0"] * 6
    melanoma = lines[4].cells[CLASSES.index("MEL")]
    assert (melanoma.change, melanoma.sensitivity, melanoma.shade) == ("−20.2", "21.8", "down3")
    assert lines[4].cells[-1].change.startswith("+")
    assert [cell.sensitivity for cell in lines[8].cells] == ["–"] * 6


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (None, "none"),
        (0.0, "none"),
        (0.0004, "none"),
        (0.01, "up1"),
        (-0.02, "down2"),
        (0.3, "up3"),
    ],
)
def test_shades(change: float | None, expected: str) -> None:
    assert shade(change) == expected


def test_every_row_is_drawn_or_named(rows: list[NumberedRow]) -> None:
    found = distributions(rows, runtime_series(rows))
    assert [str(one.setting) for one in found][:2] == ["host · 1 thread", "host · 2 threads"]
    drawn = []
    for one in found:
        wide, narrow = (re.findall(r'id="runs-\d-\w+-box-(\d+)"', chart) for chart in one.charts)
        assert wide == narrow
        drawn += [int(number) for number in wide]
        drawn += [n.number for n in one.silent]
    assert sorted(drawn) == list(range(1, 22))


def test_rows_of_one_device_share_a_scale(rows: list[NumberedRow]) -> None:
    def axis(chart: str) -> list[str]:
        return re.findall(r">(\d+)</text>", chart)

    one, two, phone = (axis(d.charts[0]) for d in distributions(rows, runtime_series(rows)))
    assert one == two != phone


def test_rows_without_runs_draw_nothing(rows: list[NumberedRow]) -> None:
    bare = [replace(n, row=n.row.model_copy(update={"samples_ms": []})) for n in rows]
    assert distributions(bare, runtime_series(bare)) == []


def test_impossible_bins_are_left_out(rows: list[NumberedRow]) -> None:
    row = rows[1].row.model_copy(
        update={"reliability": [(0.5, 0.4, 10), (float("nan"), 0.5, 3), (0.5, 1.5, 3)]}
    )
    changed = NumberedRow(1, row, None, False)
    (diagram,) = reliability_charts(evaluated_files([changed]))
    assert re.findall(r"(\d+) images", diagram.chart) == ["10", "10"], "in label and title"


def test_sustained_curves_are_those_of_rows_that_have_one(rows: list[NumberedRow]) -> None:
    curves = sustained_charts(rows)
    assert [curve.numbered.number for curve in curves] == [2, 11]
    assert "from 21.0 to 24.8 ms" in curves[0].chart


def test_findings_name_ties_and_the_worst_class(rows: list[NumberedRow]) -> None:
    said = {finding.topic: finding for finding in findings(rows)}
    assert said["Largest loss of a class"].text.startswith("MEL −20.2 points")
    assert said["Most accurate file"].numbered is rows[8]
    fastest = [f for f in findings(rows) if f.topic == "Fastest"]
    assert len(fastest) == 3 and fastest[0].text.endswith("within the noise of it: No. 7")


def test_no_loss_is_said_of_all() -> None:
    results = sample_results()
    kept = [row for row in results.rows if row.name == "hierattn_xs-256-fp32.onnx"]
    said = findings(number_rows(results.model_copy(update={"rows": kept})))
    assert said[-1].numbered is None and "no file lost" in said[-1].text


def test_status_counts(rows: list[NumberedRow]) -> None:
    assert list(status_counts(rows).items()) == [
        ("measured", 15),
        ("gate failed", 2),
        ("failed", 2),
        ("not run", 2),
    ]


def test_numbers_as_text() -> None:
    texts = [three_digits(v) for v in (0.1234, 1.234, 12.34, 123.4, 1234.5, 0, -2.5)]
    assert texts == ["0.123", "1.23", "12.3", "123", "1234", "0", "−2.50"]
    assert [points(v) for v in (0.0123, -0.0123, 0.0004, -0.0)] == ["+1.2", "−1.2", "0.0", "0.0"]
    assert (percent(0.4321), fixed(2, 2), tiny(1.2e-6)) == ("43.2", "2.00", "1.2e−06")
    for value in (None, float("nan"), float("inf"), float("-inf")):
        for text in (three_digits, points, percent, fixed, tiny):
            assert text(value) == "–"


def test_names_as_text() -> None:
    assert plain("a\u202eb\x00c") == "a\ufffdb\ufffdc"
    assert plain("Größe 皮膚 🙂") == "Größe 皮膚 🙂"
    long = "a" * 50 + "-int8.onnx"
    assert len(short(long, 30)) == 30 and short(long, 30).endswith("-int8.onnx")
    assert short("short.onnx") == "short.onnx"


def test_a_loss_at_the_threshold_that_apps_flag_by_is_named() -> None:
    results = sample_results()
    rows = [
        row.model_copy(
            update={
                "melanoma_at_threshold": 0.4,
                "change_vs_torch": {**row.change_vs_torch, "melanoma_at_threshold": -0.2},
            }
        )
        for row in results.rows
    ]
    said = {f.topic: f for f in findings(number_rows(results.model_copy(update={"rows": rows})))}
    assert said["Largest loss at the run's threshold"].text == (
        "melanoma sensitivity 40.0 % there, −20.0 points against torch"
    )
