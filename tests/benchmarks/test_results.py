import json
from pathlib import Path

import pytest

from benchmarks.report.files import COLUMNS, as_csv, check_report_folder, write_results
from benchmarks.results import BenchmarkError, Row, read_results
from tests.benchmarks.helpers import results, row

CONTRACT = """
model format precision runtime device threads size_mb load_ms first_ms p50_ms p90_ms p99_ms
peak_rss_mb runs fully_delegated top1 balanced_accuracy melanoma_sensitivity macro_auc ece
parity_max_abs status reason
"""


def test_results_read_back_as_they_were(tmp_path: Path) -> None:
    written = results(row(samples_ms=[1.0, 2.0], reliability=[(0.5, 0.25, 3)], reason="a,b\n"))
    write_results(tmp_path, written)
    assert read_results(tmp_path) == read_results(tmp_path / "results.json") == written


def test_the_table_of_the_contract(tmp_path: Path) -> None:
    contract = CONTRACT.split()
    assert list(COLUMNS[: len(contract)]) == contract
    assert set(COLUMNS) <= set(Row.model_fields)
    head, line = as_csv(
        results(row(fully_delegated=True, p50_ms=None, status="not run"))
    ).splitlines()
    cells = dict(zip(head.split(","), line.split(","), strict=True))
    assert cells["fully_delegated"] == "true"
    assert cells["p50_ms"] == "" and cells["size_mb"] == "4"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b'{"schema": 2}', "field 'schema'"),
        (b"{}", "field"),
        (b"not json", "results.json"),
        (b"\xff\x00", "results.json"),
        (b"[" * 100_000, "results.json"),
    ],
)
def test_other_or_damaged_results_are_one_line(tmp_path: Path, content: bytes, named: str) -> None:
    (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(BenchmarkError, match=named) as caught:
        read_results(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threads", 0),
        ("threads", 10**401),
        ("size_mb", 1e308),
        ("p50_ms", 0),
        ("p50_ms", None),
        ("device", "elsewhere"),
        ("samples_ms", [-1]),
        ("balanced_accuracy", 1.5),
        ("sensitivity", {"MEL": 2}),
        ("reliability", [[0.5, 0.5, -1]]),
    ],
)
def test_figures_that_nothing_can_have_are_refused(
    tmp_path: Path, field: str, value: object
) -> None:
    write_results(tmp_path, results(row()))
    content = json.loads((tmp_path / "results.json").read_text())
    content["rows"][0][field] = value
    (tmp_path / "results.json").write_text(json.dumps(content))
    with pytest.raises(BenchmarkError, match=rf"results\.json: .*rows.*{field}"):
        read_results(tmp_path)


def test_missing_results_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="No such file"):
        read_results(tmp_path)


def test_only_a_report_is_replaced(tmp_path: Path) -> None:
    check_report_folder(tmp_path / "new")
    check_report_folder(tmp_path)
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(BenchmarkError, match=r"photo\.jpg"):
        check_report_folder(tmp_path)
    (tmp_path / "results.json").write_text('{"mine": 1}')
    with pytest.raises(BenchmarkError, match="not of a benchmark"):
        check_report_folder(tmp_path)
    write_results(tmp_path, results())
    check_report_folder(tmp_path)
    with pytest.raises(BenchmarkError, match="is a file"):
        check_report_folder(tmp_path / "photo.jpg")


def test_ties_are_symmetric_and_as_wide_as_the_noisier_row() -> None:
    session = results(floor=1.1)
    fast, near, far = row(p50_ms=10.0), row(p50_ms=10.9), row(p50_ms=11.1)
    assert session.is_tie(fast, near) and session.is_tie(near, fast)
    assert not session.is_tie(fast, far)
    noisy = far.model_copy(update={"noise_ratio": 1.5})
    assert session.is_tie(fast, noisy) and session.is_tie(noisy, fast)
    assert not session.is_tie(fast, row(p50_ms=None, status="failed"))
    assert session.noise_floor is not None and session.noise_floor.of(8) == 1.1


def test_phones_have_no_control_so_small_differences_are_ties() -> None:
    session = results(floor=1.02)
    phone = [row(p50_ms=ms, device="Pixel 9") for ms in (10.0, 12.0, 13.0)]
    assert session.is_tie(phone[0], phone[1])
    assert not session.is_tie(phone[0], phone[2])


def test_words_of_a_manifest_in_the_table_steer_no_terminal() -> None:
    assert "\x1b" not in as_csv(results(row(status="failed", reason="q\x1b[2J\nall hold")))
