"""Tables on screens of any width: nothing is cut, nothing reaches beyond the screen."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.schema.manifest import Quality, QualityChange, QuantisationRecord
from export.schema.metadata import Precision
from hierattn.cli.benchmark_tables import print_latency
from hierattn.cli.console import progress_console, standard_console
from hierattn.cli.export_tables import export_table, legend, remarks
from hierattn.cli.reports import print_report
from hierattn.cli.tables import make_table, print_table
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.report import evaluate_predictions
from tests.cli.screens.screen import screen, terminal, text_of
from tests.cli.screens.shown import made_up_manifest, measured_results
from tests.metrics.conftest import make_predictions


def test_in_a_pipe_a_remark_is_one_line_at_any_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    remark = "FAILED " + "some words of a remark " * 20 + "and its end"
    monkeypatch.setenv("COLUMNS", "80")
    for console in (standard_console(), progress_console()):
        console.print(remark)
    assert capsys.readouterr() == (f"{remark}\n", f"{remark}\n")
    terminal(monkeypatch, 80)
    standard_console().print(remark)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80 and " ".join(map(str.strip, lines)) == remark


def test_the_title_of_a_table_keeps_to_the_screen() -> None:
    table = make_table("All classes: " + "a long name of an exported file " * 5, [("a", "left")])
    console = screen(80)
    print_table(console, table)
    assert max(map(len, text_of(console).splitlines())) <= 80


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        (
            OperatingPoint(
                fitted_on="not fitted: 7 validation images, 20 needed", target_classes=("melanoma",)
            ),
            "none (7 validation images, 20 needed; --validation-fraction, or folds and "
            "--calibrate-from, give more)",
        ),
        (
            OperatingPoint(
                fitted_on="validation: 90 images of 90 groups", target_classes=("melanoma",)
            ),
            "none (no photo of it to fit it on)",
        ),
        (
            OperatingPoint(fitted_on="not fitted: 7 validation images, 20 needed"),
            "none (the training was told of no class to watch)",
        ),
    ],
)
def test_why_there_is_no_operating_point_is_said(point: OperatingPoint, reason: str) -> None:
    console = screen(200)
    print_report(console, evaluate_predictions(make_predictions(30), point, replicates=5), "x")
    (line,) = (line for line in text_of(console).splitlines() if "operating point" in line)
    assert line.split(maxsplit=3)[-1] == reason


def test_wide_is_one_table_with_every_column(tmp_path: Path) -> None:
    console, manifest = screen(80), made_up_manifest(tmp_path)
    print_latency(console, measured_results(), wide=True)
    print_table(console, export_table(manifest, "out", {}, wide=True), wide=True)
    text = text_of(console)
    headings = [line.split() for line in text.splitlines() if line.startswith("file ")]
    assert [len(words) for words in headings] == [15, 10]


def test_without_a_terminal_there_are_120_columns_or_those_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert standard_console().width == 120
    monkeypatch.setenv("COLUMNS", "90")
    assert standard_console().width == 90


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(40, 160),
    names=st.lists(st.text("abcdefgh_", min_size=1, max_size=24), min_size=1, max_size=4),
    numbers=st.lists(st.text("0123456789.", min_size=1, max_size=9), min_size=1, max_size=14),
    keys=st.just(1),
)
def test_nothing_is_cut_and_nothing_reaches_beyond_the_screen(
    width: int, names: list[str], numbers: list[str], keys: int
) -> None:
    headings = [(f"h{place}", "right") for place in range(len(numbers))]
    table = make_table("title", [("name", "left"), *headings])
    for name in names:
        table.add_row(name, *numbers)
    console = screen(width)
    print_table(console, table, keys=keys)
    lines = text_of(console).splitlines()
    assert all(len(line) <= width for line in lines)
    words = [line.split() for line in lines if line]
    rows = {str(place): name for place, name in enumerate(names, 1)}  # of a numbered table
    for name in names:
        told = [
            word
            for line in words
            if rows.get(line[0], line[0]) == name
            for word in line[1:]
            if word != name
        ]
        assert sorted(told) == sorted(numbers * names.count(name))
    for heading, _ in headings:
        assert any(heading in line for line in words)


@pytest.mark.parametrize(("temperature", "said"), [(9.9995, True), (0.2, True), (9.8, False)])
def test_a_temperature_at_the_end_of_its_range_is_said_to_be(
    temperature: float, said: bool
) -> None:
    point = OperatingPoint(temperature=temperature)
    console = screen(120)
    print_report(console, evaluate_predictions(make_predictions(60), point, replicates=5), "x")
    assert ("the end of the fitted range, 0.2 to 10" in text_of(console)) == said


def test_one_evaluator_has_one_line_that_explains_how_it_keeps_halves(tmp_path: Path) -> None:
    name = "graph and weights verified; not Apple's runtime (coremltools 8, torch 2"
    answers = {Precision.FP32: f"{name})", Precision.FP16: f"{name}, fp16 storage)"}
    records = [
        (record, record.parity.model_copy(update={"evaluator": answers[record.precision]}), None)
        for record in made_up_manifest(tmp_path).artefacts
        if record.format == "coreml" and record.precision in answers and record.parity
    ]
    (line,) = (line for line in legend(records) if line.startswith("Core ML: "))
    assert line.startswith(f"Core ML: {name}). fp16 storage: stored numbers and casts in half")


def test_what_an_int8_file_leaves_and_where_the_threshold_finds_another_share_is_told(
    tmp_path: Path,
) -> None:
    manifest = made_up_manifest(tmp_path)
    (record,) = (one for one in manifest.artefacts if one.path.endswith("int8.tflite"))
    change = QualityChange(
        balanced_accuracy=0.0, sensitivity={}, melanoma_at_threshold=-0.2, ece=0.0
    )
    quality = Quality.model_construct(
        sensitivity={}, melanoma_at_threshold=0.4, delta_vs_torch=change
    )
    record = record.model_copy(
        update={
            "quality": quality,
            "quantisation": QuantisationRecord(
                scheme="dynamic", left_in_float={"SOFTMAX": 2, "MUL": 1}
            ),
        }
    )
    told = list(remarks(manifest.model_copy(update={"artefacts": [record]})))
    assert f"{record.path}: dynamic; in float: 3 operators (named in the manifest)" in told
    name = manifest.operating_point.target_name
    words = f"{record.path}: {name} at the run's threshold, and the change in points: 0.400 -20.0"
    assert words in told


def test_a_network_of_one_answer_is_named() -> None:
    varied, console = make_predictions(30), screen(80)
    same = dataclasses.replace(varied, logits=np.tile(np.eye(3)[1], (30, 1)))
    print_report(console, evaluate_predictions(same, replicates=2), "x")
    assert f"NOTE {varied.classes[1]} is the answer to each of these 30 images" in text_of(console)
