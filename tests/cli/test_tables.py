"""The tables on screens of several widths: nothing is cut, nothing reaches beyond the screen."""

from __future__ import annotations

import io
import os
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from benchmarks.results import Results
from benchmarks.run import BenchmarkOutcome, BenchmarkRequest
from export.schema.manifest import Gate, Manifest, Quality, QualityChange, read_manifest
from export.schema.metadata import Precision
from export.targets.apps.bundle import bundle as run_bundle
from export.targets.apps.choice import BundleRequest
from export.targets.results import PhoneDevice, PhoneRuntime, PhoneSelfTest
from export.targets.verify import PhoneCheck
from export.verification import Verification, VerifiedFile
from hierattn.cli.benchmark_tables import print_latency
from hierattn.cli.commands.benchmark import show_outcome
from hierattn.cli.commands.bundle import show_bundle
from hierattn.cli.commands.data import show_inspection
from hierattn.cli.commands.devices import show_phones
from hierattn.cli.commands.export import show_verification
from hierattn.cli.commands.runs import show_runs
from hierattn.cli.console import progress_console, standard_console
from hierattn.cli.export_tables import export_table
from hierattn.cli.main import app as cli
from hierattn.cli.reports import print_report
from hierattn.cli.tables import make_table, print_table
from hierattn.data.records import PassedOver
from hierattn.data.tools.inspect import (
    ClassCount,
    InspectionReport,
    MixedGroup,
    SizeRange,
    UnreadableFile,
)
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.report import evaluate_predictions
from hierattn.run_list import ListedRun
from tests.benchmarks.helpers import record_of, results, row, write_manifest
from tests.conftest import Answer
from tests.export.bundle_helpers import FP32, write_app, write_whole_export
from tests.metrics.conftest import make_predictions

SNAPSHOTS = Path(__file__).parent / "snapshots"
WIDTHS = (80, 100, 120)
# Begin lines that are not broken, since they hold paths or commands to paste.
_UNBROKEN = (
    "Shipped",
    "Next:",
    "Written:",
    "      hierattn",
    "FAILED",
    "passed over",
    "contact sheet",
)
PRINTED: dict[str, Callable[[Console], None]] = {}


def printed(show: Callable[[Console], None]) -> Callable[[Console], None]:
    PRINTED[show.__name__] = show
    return show


def screen(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Let the commands' own consoles take what they write to for a terminal without colours."""
    for name, value in (("TTY_COMPATIBLE", 1), ("TERM", "dumb"), ("COLUMNS", width), ("LINES", 25)):
        monkeypatch.setenv(name, str(value))


def _measured() -> Results:
    formats = (("onnx", "onnxruntime"), ("tflite", "litert"), ("tflite", "tflite-runtime"))
    return results(
        *(
            row(
                name=f"hierattn_xs-256-{precision}.{format}",
                format=format,
                precision=precision,
                runtime=runtime,
                p50_ms=134.91 + place,
                noise_ratio=1.28,
                balanced_accuracy=0.541,
                melanoma_sensitivity=0.731,
                change_vs_torch={"balanced_accuracy": -0.101, "melanoma_sensitivity": 0.0},
                status="gate failed" if precision == "int8" else "measured",
            )
            for place, (precision, (format, runtime)) in enumerate(
                (precision, pair) for precision in ("fp32", "fp16", "int8") for pair in formats
            )
        )
    )


@printed
def benchmark(console: Console) -> None:
    print_latency(console, _measured())


@printed
def evaluate(console: Console) -> None:
    names = ("actinic_keratosis", "basal_cell_carcinoma", "melanoma")
    point = OperatingPoint(melanoma_class="melanoma", melanoma_threshold=0.3)
    predictions = make_predictions(60, classes=names)
    report = evaluate_predictions(predictions, point, replicates=20)
    print_report(console, report, "run on photos, 60 photos (60 new)")


def _manifest(folder: Path) -> Manifest:
    records = [
        record_of(
            folder / f"hierattn_xs-32-{precision.value}.{suffix}",
            format=format,
            precision=precision,
            gate=Gate(status="failed" if precision is Precision.INT8 else "not run"),
        )
        for precision in Precision
        for format, suffix in (("onnx", "onnx"), ("tflite", "tflite"), ("coreml", "mlpackage"))
    ]
    return read_manifest(write_manifest(folder, records))


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return _manifest(tmp_path)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PRINTED)
def test_a_table_looks_as_it_did(name: str, width: int) -> None:
    console = screen(width)
    PRINTED[name](console)
    _compare(text_of(console), f"{name}-{width}", width)


@pytest.mark.parametrize("width", WIDTHS)
def test_an_export_looks_as_it_did(manifest: Manifest, width: int) -> None:
    console = screen(width)
    print_table(console, export_table(manifest, "out: hierattn_xs at 32 px", {}))
    _compare(text_of(console), f"export-{width}", width)


@pytest.mark.parametrize("width", WIDTHS)
def test_models_look_as_they_did(
    cli: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    terminal(monkeypatch, width)
    answer = cli("models")
    assert answer.code == 0
    shown = "\n".join(line.rstrip() for line in answer.out.splitlines()) + "\n"
    _compare(shown, f"models-{width}", width)


SHOWN: dict[str, Callable[[Path], None]] = {}


def shown(show: Callable[[Path], None]) -> Callable[[Path], None]:
    """Marks what prints on the command's own console; takes an empty folder to write in."""
    SHOWN[show.__name__] = show
    return show


@shown
def verify(folder: Path) -> None:
    manifest = _manifest(folder)
    change = QualityChange(
        balanced_accuracy=-0.101, sensitivity={"mel": -0.02}, melanoma_at_threshold=0.0, ece=0.0
    )
    quality = Quality(
        images=100,
        max_relative=1e-6,
        agreement=0.98,
        top1=0.5,
        balanced_accuracy=0.541,
        sensitivity={"mel": 0.731},
        melanoma_at_threshold=0.8,
        ece=0.1,
        delta_vs_torch=change,
    )
    files = [
        VerifiedFile(
            record,
            record.parity,
            quality,
            gate=Gate(status="passed"),
            problems=["sha256 differs"] if record.precision == "int8" else [],
        )
        for record in manifest.artefacts
    ]
    mine = Path("photos of mine")
    found = Verification(manifest, files, [], "100 of 'photos of mine'", [], data=mine)
    show_verification(found, Path("my export"))
    whole = Verification(manifest, files[:2], [], "none", [], data=mine)
    show_verification(whole, Path("my export"))


@shown
def inspect(folder: Path) -> None:
    names = ("actinic_keratosis", "basal_cell_carcinoma", "黑色素瘤")
    report = InspectionReport(
        root=folder,
        images=1234,
        groups=950,
        manifest=True,
        classes=tuple(ClassCount(name=name, images=411, groups=300) for name in names),
        width=SizeRange(smallest=84, median=256, largest=4000),
        height=SizeRange(smallest=84, median=192.5, largest=3000),
        duplicates=(
            ("melanoma/a.jpg", "melanoma/a_copy.jpg"),
            ("melanoma/c.jpg", "nevus/c.jpg"),
        ),
        contradictions=((), ("melanoma", "nevus")),
        unreadable=(),
        passed_over=(PassedOver(file="notes.txt", reason="no photo"),),
        licences={"CC BY 4.0": 1200, "": 34},
        strata={"age": 1200, "sex": 0, "site": 12, "skin_tone": 0},
        mixed_groups=(MixedGroup(group="lesion:7", images={"melanoma": 1, "nevus": 2}),),
        contact_sheet=Path("sheet.png"),
    )
    show_inspection(report, Path("photos of mine"))
    bad = UnreadableFile(file="melanoma/b.jpg", reason="not a picture")
    show_inspection(report.model_copy(update={"unreadable": (bad,)}), Path("photos of mine"))


@shown
def devices(folder: Path) -> None:
    device = PhoneDevice(
        manufacturer="Fixture",
        model="Phone 3 with a long name",
        chip="made-up 8",
        android="15",
        sdk=35,
        abi="arm64-v8a",
        cores=8,
    )
    result = PhoneSelfTest.model_construct(
        device=device, runtime=PhoneRuntime(name="onnxruntime", version="1.22.0")
    )
    parity = _manifest(folder).artefacts[0].parity
    file, gate = "hierattn_xs-256-fp32.onnx", Gate(status="passed")
    found = [
        PhoneCheck("R5CT30ABCDE", result, file, parity, 1e-5, 0, True, None, gate),
        PhoneCheck("emulator-5554", result, file, parity, 1e-5, 7, False, "7 bytes differ", gate),
        PhoneCheck("adb-R5CT30", None, None, None, None, None, False, "went away"),
    ]
    show_phones(found, Path("my export"))


@shown
def runs(_: Path) -> None:
    found = [
        ListedRun(
            path=Path(f"runs/experiments/november/hierattn_xs-256-fold-{place}"),
            status="finished" if place < 3 else "unfinished",
            model="mobilenet_v3_large",
            data="pad_ufes_20",
            epochs=24,
            of_epochs=24,
            judged_on="cross_validation" if place == 1 else "test",
            balanced_accuracy=0.554,
            interval=(0.479, 0.625),
            changed=datetime(2026, 11, 26, tzinfo=UTC),
        )
        for place in range(1, 4)
    ]
    show_runs(found, Path("runs"))


@pytest.mark.parametrize("width", [*WIDTHS, None])
@pytest.mark.parametrize("name", SHOWN)
def test_what_a_command_shows_looks_as_it_did(
    name: str,
    width: int | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On terminals, and in a pipe, where only tables keep to a width, of 120 columns."""
    if width is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        terminal(monkeypatch, width)
    SHOWN[name](tmp_path)
    lines = capsys.readouterr().out.splitlines()
    _compare("\n".join(line.rstrip() for line in lines) + "\n", f"{name}-{width or 'pipe'}", width)


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


@shown
def bundle(folder: Path) -> None:
    made, app = write_whole_export(folder / "x"), write_app(folder / "app")
    done = run_bundle(BundleRequest(made, app, FP32))
    record = done.record.model_copy(update={"sha256": "0" * 64})
    show_bundle(replace(done, folder=Path("app/src/main/assets"), record=record), Path("my export"))


@shown
def benchmarked(_: Path) -> None:
    outcome = BenchmarkOutcome(_measured(), None, [])
    show_outcome(outcome, BenchmarkRequest((Path("export"), Path("my export")), Path("a report")))


_COMMANDS = {"verify": 1, "inspect": 1, "bundle": 1, "benchmarked": 1}


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_next_command_can_be_pasted(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is one line that a shell takes apart, and a command with options that there are."""
    SHOWN[name](tmp_path)
    _, _, told = capsys.readouterr().out.partition("Next: ")
    commands = [line.strip() for line in told.splitlines() if line.strip().startswith("hierattn ")]
    assert len(commands) == _COMMANDS[name]
    for line in commands:
        _, called, *words = shlex.split(line)
        assert any(" " in word for word in words), "a name with a space stays one word"
        typer.main.get_command(cli).make_context("hierattn", [called, *words])
        if called != "data":
            typer.main.get_group(cli).commands[called].make_context(called, words)


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        (
            OperatingPoint(fitted_on="not fitted: 7 validation images, 20 needed"),
            "none (7 validation images, 20 needed)",
        ),
        (
            OperatingPoint(fitted_on="validation: 90 images of 90 groups"),
            "none (no target class, or no photo to fit it on)",
        ),
    ],
)
def test_why_there_is_no_operating_point_is_said(point: OperatingPoint, reason: str) -> None:
    console = screen(120)
    print_report(console, evaluate_predictions(make_predictions(30), point, replicates=5), "x")
    (line,) = (line for line in text_of(console).splitlines() if "operating point" in line)
    assert line.split(maxsplit=3)[-1] == reason


def test_wide_is_one_table_with_every_column(manifest: Manifest) -> None:
    console = screen(80)
    print_latency(console, _measured(), wide=True)
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


def _compare(text: str, name: str, width: int | None) -> None:
    """Against the file; UPDATE_SNAPSHOTS=1 writes it anew, to be looked at before a commit."""
    assert "…" not in text
    assert width is None or all(len(line) <= width for line in _table_lines(text))
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def _table_lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if not line.startswith(_UNBROKEN))
