"""What commands print, of made-up results: on a console given, or on their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

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
from hierattn.cli.commands.runs import show_runs
from hierattn.cli.commands.verify import show_next, show_verification
from hierattn.cli.next_steps import foresee_targets
from hierattn.cli.reports import print_report
from hierattn.data.records import PassedOver
from hierattn.data.tools.inspect import (
    ClassCount,
    InspectionReport,
    MixedGroup,
    SizeRange,
    UnreadableFile,
)
from hierattn.lineage import caveat_of
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.report import evaluate_predictions
from hierattn.run_list import ListedRun
from tests.benchmarks.helpers import record_of, results, row, write_manifest
from tests.export.bundle_helpers import FP32, write_app, write_whole_export
from tests.metrics.conftest import make_predictions

PRINTED: dict[str, Callable[[Console], None]] = {}


def printed(show: Callable[[Console], None]) -> Callable[[Console], None]:
    PRINTED[show.__name__] = show
    return show


def measured_results() -> Results:
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
    print_latency(console, measured_results())


@printed
def evaluate(console: Console) -> None:
    names = ("actinic_keratosis", "basal_cell_carcinoma", "melanoma")
    point = OperatingPoint(melanoma_class="melanoma", melanoma_threshold=0.3)
    predictions = make_predictions(60, classes=names)
    report = evaluate_predictions(predictions, point, replicates=20)
    print_report(console, report, "run on photos, 60 photos (60 new)")


def made_up_manifest(folder: Path) -> Manifest:
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


SHOWN: dict[str, Callable[[Path], None]] = {}


def shown(show: Callable[[Path], None]) -> Callable[[Path], None]:
    """Marks what prints on the command's own console; takes an empty folder to write in."""
    SHOWN[show.__name__] = show
    return show


@shown
def verify(folder: Path) -> None:
    manifest = made_up_manifest(folder)
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
            None if record.precision == "int8" else record.parity,
            None if record.precision == "int8" else quality,
            gate=Gate(status="passed"),
            problems=["sha256 differs"] if record.precision == "int8" else [],
        )
        for record in manifest.artefacts
    ]
    mine = Path("photos of mine")
    found = Verification(manifest, files, [], "100 of 'photos of mine'", [], data=mine)
    show_verification(found, Path("my export"))
    show_next(found, Path("my export"))
    whole = Verification(manifest, files[:2], [], "none", [], data=mine)
    show_verification(whole, Path("my export"))
    show_next(whole, Path("my export"))


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
    foreseen = foresee_targets([row.name for row in report.classes])
    show_inspection(report, Path("photos of mine"), foreseen)
    bad = UnreadableFile(file="melanoma/b.jpg", reason="not a picture")
    show_inspection(report.model_copy(update={"unreadable": (bad,)}), Path("photos of mine"), None)


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
    parity = made_up_manifest(folder).artefacts[0].parity
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
            fold=f"{place}/3" if place > 1 else None,
            pooled=None,
            judged_on="cross_validation" if place == 1 else "test",
            balanced_accuracy=0.554,
            interval=(0.479, 0.625),
            caveat=caveat_of({"seen": {"test": 3}}, [], "test") if place == 2 else None,
            changed=datetime(2026, 11, 26, tzinfo=UTC),
        )
        for place in range(1, 4)
    ]
    show_runs(found, Path("runs"))


@shown
def bundle(folder: Path) -> None:
    made, app = write_whole_export(folder / "x"), write_app(folder / "app")
    done = run_bundle(BundleRequest(made, app, FP32))
    record = done.record.model_copy(update={"sha256": "0" * 64})
    show_bundle(
        replace(done, folder=Path("app/src/main/assets"), record=record), Path("my export"), app
    )


@shown
def benchmarked(_: Path) -> None:
    outcome = BenchmarkOutcome(measured_results(), None, [])
    show_outcome(outcome, BenchmarkRequest((Path("export"), Path("my export")), Path("a report")))
