import pytest

from benchmarks.compare import compare
from benchmarks.results import BenchmarkError, PhotoSet, Results
from tests.benchmarks.helpers import environment, results, row

PHOTOS = PhotoSet(name="p", sha256="p", images=100)


def _found(old: Results, new: Results) -> str:
    return "\n".join(compare(old, new).findings)


def test_identical_sessions_have_no_finding() -> None:
    session = results(row(), row(precision="int8", p50_ms=7.0))
    assert compare(session, session) == compare(session, session)
    comparison = compare(session, session)
    assert comparison.findings == []
    assert (
        "or worse in" in comparison.nothing_worse and " times as long" in comparison.nothing_worse
    )


@pytest.mark.parametrize(("p50", "slower"), [(10.4, False), (10.6, True), (20.0, True), (5, False)])
def test_only_what_lies_beyond_the_floor_is_slower(p50: float, slower: bool) -> None:
    found = _found(results(row()), results(row(p50_ms=p50, sha256="b" * 64)))
    assert ("slower" in found) is slower
    if slower:
        assert "m onnx fp32, onnxruntime, 1 thread" in found and "10.00" in found


def test_files_of_another_name_are_said_to_be_other_work() -> None:
    old, new = row(name="m-128-fp32.onnx"), row(name="m-96-fp32.onnx", sha256="b" * 64)
    remarks = compare(results(old), results(new)).remarks
    assert any("m-128-fp32.onnx with m-96-fp32.onnx" in line for line in remarks)
    assert not any("another name" in line for line in compare(results(old), results(old)).remarks)


def test_rows_that_the_earlier_session_lacks_are_named() -> None:
    new = results(row(), row(precision="int8", p50_ms=7.0))
    comparison = compare(results(row()), new)
    told = "not compared: 1 row (m onnx int8, onnxruntime, 1 thread)"
    assert any(line.endswith(told) for line in comparison.remarks)
    assert "in 1 row (" in comparison.nothing_worse


def test_the_larger_floor_counts() -> None:
    new = results(row(p50_ms=11.0, sha256="b" * 64))
    assert _found(results(row()), new)
    assert not _found(results(row(), floor=1.2), new)
    assert not _found(results(row()), results(*new.rows, floor=1.2))


def test_a_noisy_row_must_differ_by_more() -> None:
    new = row(p50_ms=13.0, sha256="b" * 64)
    assert _found(results(row()), results(new))
    noisy = new.model_copy(update={"noise_ratio": 1.4})
    assert not _found(results(row()), results(noisy))
    quiet = row(precision="int8")
    told = compare(results(row(), quiet), results(noisy, quiet)).nothing_worse
    assert (
        "slower or worse in 1 row (" in told and "1 row too noisy to tell (a p50 up to 1.40" in told
    )
    alone = compare(results(row()), results(noisy)).nothing_worse
    assert alone.startswith("1 row too noisy to tell")


def test_a_machine_that_slowed_down_by_its_matrix_product_is_named_not_blamed() -> None:
    old = results(row())
    slow = [environment(matrix_product_gmacs={1: 40.0})]
    new = results(row(p50_ms=12.5, sha256="b" * 64), environments=slow)
    found = compare(old, new)
    assert found.findings == []
    assert any("1.25 times slower" in line for line in found.remarks)
    assert "slower" in _found(old, results(row(p50_ms=14, sha256="b" * 64), environments=slow))


def test_the_same_files_tell_how_much_slower_the_machine_was() -> None:
    def session(factor: float, changed: float) -> Results:
        same = [row(precision=p, p50_ms=10 * factor, sha256=p * 16) for p in ("fp16", "int8")]
        return results(*same, row(p50_ms=10 * changed, sha256=str(changed) * 20))

    assert not _found(session(1.0, 1.0), session(1.5, 1.5))
    found = compare(session(1.0, 1.0), session(1.5, 3.0)).findings
    assert len(found) == 1 and "fp32" in found[0]


def test_a_runtime_that_got_slower_is_no_mood_of_the_machine() -> None:
    new = results(row(p50_ms=15.0), environments=[environment(versions={"onnxruntime": "1.33.0"})])
    comparison = compare(results(row()), new)
    assert "slower" in comparison.findings[0]
    assert "onnxruntime was 1.32.0, is 1.33.0" in comparison.remarks


def test_size() -> None:
    assert not _found(results(row()), results(row(size_mb=4.05)))
    assert "larger, 4.00 -> 4.20 MB" in _found(results(row()), results(row(size_mb=4.2)))


@pytest.mark.parametrize(
    ("precision", "loss", "worse"),
    [("fp32", 0.002, True), ("fp16", 0.004, False), ("int8", 0.009, False), ("int8", 0.02, True)],
)
def test_accuracy_may_fall_by_what_its_precision_is_allowed(
    precision: str, loss: float, worse: bool
) -> None:
    def session(value: float) -> Results:
        judged = row(precision=precision, balanced_accuracy=value)
        return results(judged, photos=PHOTOS)

    found = _found(session(0.7), session(0.7 - loss))
    assert ("balanced accuracy" in found) is worse
    assert not _found(session(0.7), session(0.7 + loss))


def test_a_lost_melanoma_is_worse() -> None:
    old = results(row(melanoma_sensitivity=0.8, melanoma_at_threshold=0.9), photos=PHOTOS)
    new = results(row(melanoma_sensitivity=0.7, melanoma_at_threshold=0.8), photos=PHOTOS)
    assert len(compare(old, new).findings) == 2


def test_other_photos_are_not_compared() -> None:
    other = PhotoSet(name="q", sha256="q", images=100)
    old = results(row(balanced_accuracy=0.9), photos=PHOTOS)
    comparison = compare(old, results(row(balanced_accuracy=0.1), photos=other))
    assert comparison.findings == []
    assert any("same images" in line for line in comparison.remarks)


def test_a_row_that_fails_or_is_gone_is_a_finding() -> None:
    old = results(row(), row(precision="int8"))
    failed = row(status="failed", p50_ms=None, reason="crashed (SIGSEGV)")
    found = compare(old, results(failed)).findings
    assert any("was measured, is failed (crashed (SIGSEGV))" in line for line in found)
    assert any("int8" in line and "missing now" in line for line in found)
    narrower = compare(results(row(), row(threads=2), row(runtime="litert")), results(row()))
    assert narrower.findings == []


@pytest.mark.parametrize(
    "change", [{"cpu": "Another"}, {"cores": 4}, {"features": []}, {"system": "Darwin 24"}]
)
def test_another_machine_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BenchmarkError, match=next(iter(change))):
        compare(results(row()), results(row(), environments=[environment(**change)]))


def test_a_new_kernel_is_no_other_machine() -> None:
    compare(results(row()), results(row(), environments=[environment(system="Linux 6.2")]))


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(BenchmarkError, match="no row in common"):
        compare(results(row()), results(row(model="other")))


def test_the_same_model_from_two_exports_is_told_apart() -> None:
    def session(naive: float) -> Results:
        slow = row(export="naive", p50_ms=naive, sha256=str(naive))
        return results(row(export="deploy"), slow)

    assert len(_found(session(20.0), session(30.0)).splitlines()) == 1
    assert not _found(session(20.0), session(20.0))


def test_the_naive_graph_in_place_of_the_deployed_one_is_found() -> None:
    naive = row(export="naive", p50_ms=18.0, sha256="n" * 64)
    assert "slower" in _found(results(row(export="deploy")), results(naive))


def test_a_row_does_not_excuse_itself() -> None:
    """The only row of its kind got slower with the same file: nothing says that the machine did."""
    bare = [environment(matrix_product_gmacs={})]
    old, new = results(row(), environments=bare), results(row(p50_ms=20.0), environments=bare)
    assert "slower" in _found(old, new)


def test_nothing_to_compare_is_no_success() -> None:
    unmeasured = results(row(p50_ms=None, status="not run"))
    with pytest.raises(BenchmarkError, match="nothing was compared"):
        compare(unmeasured, results(row()))
    with pytest.raises(BenchmarkError, match="name no machine"):
        compare(results(row(), environments=[]), results(row()))
