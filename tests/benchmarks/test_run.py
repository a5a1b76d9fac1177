import json
import math
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.logits_cache import LogitsCache
from benchmarks.plan import Plan
from benchmarks.profiling.sweep import sweep
from benchmarks.report.page import write_report
from benchmarks.results import BenchmarkError, read_results
from benchmarks.run import BenchmarkRequest, run_benchmark
from export.errors import ExportError
from export.progress import Progress
from export.schema.metadata import Precision
from export.untrained import write_untrained_run
from hierattn.errors import UnknownNameError
from tests.benchmarks.helpers import CLASSES, record_of, write_export, write_manifest
from tests.data.helpers import write_class_folders

QUICK = Plan(runs=30, launches=3, slices=2, pause_s=0.01, warm_least_s=0.0, warm_most_s=1.0)


@pytest.fixture
def request_(tmp_path: Path) -> BenchmarkRequest:
    return BenchmarkRequest(
        (write_export(tmp_path / "export", layers=2),),
        tmp_path / "report",
        threads=(1,),
        runtimes=("torch", "onnxruntime"),
        plan=QUICK,
        command="hierattn benchmark",
        cache=LogitsCache(tmp_path / "cache"),
    )


def test_a_benchmark_writes_its_report(request_: BenchmarkRequest, tmp_path: Path) -> None:
    data = write_class_folders(tmp_path / "photos", dict.fromkeys(CLASSES, 4))
    outcome = run_benchmark(replace(request_, data=data, profile=True, sustained_s=1.1))
    results = outcome.results
    assert outcome.unmeasured == [] and outcome.comparison is None
    assert read_results(request_.out) == results
    written = {path.name for path in request_.out.iterdir()}
    assert written == {"results.json", "results.csv", "report.html", "pareto.png"}
    torch, file = results.rows
    assert torch.status == "not run" and file.status == "measured" and file.runs == 30
    for name in ("load_ms", "first_ms", "p50_ms", "p90_ms", "p99_ms", "peak_rss_mb"):
        assert getattr(file, name) > 0
    assert file.balanced_accuracy is not None and file.profile and file.sustained
    assert results.complete and results.method and results.method.launches == 3
    assert results.noise_floor and results.noise_floor.by_threads.keys() == {1}
    assert results.noise_floor.name.endswith("onnxruntime")
    (machine,) = results.environments
    assert machine.matrix_product_gmacs[1] > 0 and machine.versions["onnxruntime"]


def test_photos_are_in_the_page_only_when_asked_for(
    request_: BenchmarkRequest, tmp_path: Path
) -> None:
    data = write_class_folders(tmp_path / "photos", dict.fromkeys(CLASSES, 4))
    request = replace(request_, data=data, runtimes=("onnxruntime",), plan=replace(QUICK, runs=3))
    page, results = request.out / "report.html", request.out / "results.json"
    run_benchmark(request)
    assert "data:image" not in page.read_text() and "photographs" not in page.read_text()
    run_benchmark(replace(request, gallery=True))
    assert page.read_text().count('<img src="data:image/jpeg;base64,') >= 4
    assert "This page holds photographs" in page.read_text()
    assert "data:image" not in results.read_text()
    with pytest.raises(BenchmarkError, match="--gallery: is for --data"):
        run_benchmark(replace(request, data=None, gallery=True))


def test_an_identical_file_is_no_finding_and_a_slower_one_is(
    request_: BenchmarkRequest, tmp_path: Path
) -> None:
    earlier = run_benchmark(request_).results
    again = replace(request_, out=tmp_path / "again", compare=request_.out)
    comparison = run_benchmark(again).comparison
    assert comparison is not None and comparison.findings == []
    slow = write_export(tmp_path / "slow", layers=60)
    found = run_benchmark(replace(again, exports=(slow,), out=tmp_path / "third")).comparison
    assert found is not None
    assert any("slower" in line for line in found.findings)
    assert earlier.rows[1].p50_ms


@pytest.mark.slow
def test_ratios_agree_between_two_sessions_within_the_floor(
    request_: BenchmarkRequest, tmp_path: Path
) -> None:
    exports = (*request_.exports, write_export(tmp_path / "slower", layers=6))
    logs, floors = [], []
    for name in ("one", "two"):
        results = run_benchmark(replace(request_, exports=exports, out=tmp_path / name)).results
        p50 = [row.p50_ms for row in results.rows if row.p50_ms]
        assert len(p50) == 2 and results.noise_floor is not None
        logs.append(math.log(p50[0] / p50[1]))
        floors.append(results.noise_floor.of(1))
    assert abs(logs[0] - logs[1]) <= 2 * np.log(max(floors))


def test_a_failed_file_does_not_stop_the_others(request_: BenchmarkRequest) -> None:
    (folder,) = request_.exports
    good = folder / "hierattn_xs-32-fp32.onnx"
    bad = folder / "hierattn_xs-32-fp16.onnx"
    bad.write_bytes(b"nonsense")
    write_manifest(folder, [record_of(bad, precision=Precision.FP16), record_of(good)])
    outcome = run_benchmark(request_)
    _, failed, measured = outcome.results.rows
    assert failed.status == "failed" and bad.name in (failed.reason or "")
    assert measured.status == "measured"
    assert len(outcome.unmeasured) == 1 and bad.name in outcome.unmeasured[0]


def test_an_interruption_keeps_finished_rows(request_: BenchmarkRequest) -> None:
    def interrupt(step: Progress) -> None:
        if "launch 3" in step.text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="what was finished stands in"):
        run_benchmark(request_, interrupt)
    results = read_results(request_.out)
    assert not results.complete and "interrupted" in results.remarks[-1]
    row = results.rows[1]
    assert row.status == "measured" and row.runs == 20
    assert row.reason == "20 of 30 runs: the others had not had their turn"


def test_a_stopped_session_leaves_a_whole_report_as_it_was(request_: BenchmarkRequest) -> None:
    def interrupt(step: Progress) -> None:
        if "launch 3" in step.text:
            raise KeyboardInterrupt

    run_benchmark(request_)
    before = {path.name: path.read_bytes() for path in request_.out.iterdir()}
    with pytest.raises(KeyboardInterrupt, match="holds the earlier report as it was"):
        run_benchmark(request_, interrupt)
    assert {path.name: path.read_bytes() for path in request_.out.iterdir()} == before


def test_a_stop_while_the_report_is_drawn_finds_it_whole(
    request_: BenchmarkRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        signal.raise_signal(signal.SIGINT)
        write_report(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("benchmarks.report.page.write_report", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert run_benchmark(request_).results == read_results(request_.out)
    finally:
        signal.signal(signal.SIGINT, before)
    written = {path.name for path in request_.out.iterdir()}
    assert written == {"results.json", "results.csv", "report.html", "pareto.png"}


@pytest.mark.parametrize("earlier", [False, True])
def test_a_stop_among_the_phones_leaves_no_report_of_this_machine_alone(
    request_: BenchmarkRequest, monkeypatch: pytest.MonkeyPatch, earlier: bool
) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    if earlier:
        run_benchmark(request_)
    before = (request_.out / "results.json").read_bytes() if earlier else None
    monkeypatch.setattr("benchmarks.run.find_devices", lambda names: [])
    monkeypatch.setattr("benchmarks.run.measure_phones", stop)
    words = "holds the earlier report as it was" if earlier else "what was finished stands in"
    with pytest.raises(KeyboardInterrupt, match=words):
        run_benchmark(replace(request_, device="host,adb"))
    if earlier:
        assert (request_.out / "results.json").read_bytes() == before
    else:
        results = read_results(request_.out)
        assert not results.complete and "not measured to their end" in results.remarks[-1]
        assert not (request_.out / "report.html").exists()


def test_a_session_stopped_before_anything_was_known_leaves_nothing(
    request_: BenchmarkRequest,
) -> None:
    def interrupt(step: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="nothing was measured"):
        run_benchmark(request_, interrupt)
    assert not request_.out.exists()


def test_torch_is_run_in_eager_mode(request_: BenchmarkRequest, tmp_path: Path) -> None:
    run = write_untrained_run(tmp_path / "run", "hierattn_xs", 64, CLASSES)
    weights = json.loads((run / "config.json").read_text())["weights_sha256"]
    (folder,) = request_.exports
    write_manifest(folder, [record_of(folder / "hierattn_xs-32-fp32.onnx")], weights=weights)
    quick = replace(QUICK, runs=2, launches=1)
    request = replace(request_, runs=(str(run),), runtimes=("torch",), plan=quick)
    (row,) = run_benchmark(request).results.rows
    assert row.status == "measured" and row.name == "torch" and row.sha256 == weights
    assert row.size_mb and row.p50_ms


@pytest.mark.parametrize(
    ("change", "error", "named"),
    [
        ({"exports": ()}, BenchmarkError, "no export folder"),
        ({"device": "adb:"}, ExportError, "give a serial"),
        ({"device": "adb", "sweep": True}, BenchmarkError, "--sweep: is not done on phones"),
        ({"device": "hots"}, UnknownNameError, "did you mean 'host'"),
        ({"threads": (0,)}, BenchmarkError, "--threads"),
        ({"threads": ()}, BenchmarkError, "--threads"),
        ({"sustained_s": -1.0}, BenchmarkError, "--sustained"),
        ({"runtimes": ("tflite",)}, UnknownNameError, "runtime"),
        ({"class_map": ("a=b",)}, BenchmarkError, "--data"),
        ({"compare": Path("/nowhere")}, BenchmarkError, "/nowhere"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(
    request_: BenchmarkRequest, change: dict[str, object], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=named):
        run_benchmark(replace(request_, **change))
    assert not request_.out.exists()


@pytest.mark.slow
@pytest.mark.long
def test_cost_grows_with_size_and_batch(tmp_path: Path) -> None:
    from benchmarks.exports import read_exports

    folder = write_export(tmp_path / "export")
    record = record_of(folder / "hierattn_xs-32-fp32.onnx")
    write_manifest(folder, [record], model="shufflenet_v2_x1_0")
    exports = read_exports([folder], [], tmp_path)
    manifest = exports[0].manifest.model_copy(update={"image_size": 64})
    exports = [replace(exports[0], manifest=manifest)]
    points, problems = sweep(exports, [1], QUICK, tmp_path / "w", sizes=(128,), batches=(1, 4))
    assert problems == []
    onnx = {
        (point.image_size, point.batch): point for point in points if point.runtime == "onnxruntime"
    }
    assert set(onnx) == {(64, 1), (64, 4), (128, 1)}
    assert {(p.image_size, p.batch) for p in points if p.runtime == "litert"} == {(64, 1), (128, 1)}
    assert onnx[128, 1].multiply_adds > 3 * onnx[64, 1].multiply_adds
    assert onnx[64, 4].p50_ms > onnx[64, 1].p50_ms
    assert all(0 < point.of_matrix_product < 2 for point in points)
