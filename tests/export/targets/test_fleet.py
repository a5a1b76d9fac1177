"""A kind of device that is its line in KINDS and its module works in the commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.plan import Plan
from benchmarks.run import BenchmarkRequest, run_benchmark
from export.schema.manifest import Gate
from export.targets import fleet
from export.targets.verify import verify_on_phones
from hierattn.errors import UnknownNameError
from tests.conftest import Answer
from tests.conftest import cli as cli
from tests.export.bundle_helpers import FP32, write_whole_export
from tests.export.targets import other_kind
from tests.export.targets.adb.stand_ins import benchmark, selftest


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_whole_export(tmp_path / "export", gates={FP32: Gate(status="passed")})
    monkeypatch.setitem(fleet.KINDS, "other", other_kind.__name__)
    answers = {"selftest": selftest(folder, FP32), "benchmark": benchmark(folder, FP32, 5)}
    monkeypatch.setattr(other_kind, "ANSWERS", answers)
    return folder


def test_it_is_verified(export: Path) -> None:
    (check,) = verify_on_phones(export, "other")
    assert check.serial == "one" and check.status == "passed"


def test_it_is_measured_and_one_that_is_not_ready_is_a_failed_row(
    export: Path, tmp_path: Path
) -> None:
    request = BenchmarkRequest(
        (export,),
        tmp_path / "report",
        device="other,other:asleep",
        threads=(1,),
        plan=Plan(runs=5, launches=1),
    )
    rows = run_benchmark(request).results.rows
    assert [row.status for row in rows] == ["measured", "failed"]
    assert rows[1].device == "other:asleep" and rows[1].reason == "is asleep"


def test_its_name_is_among_the_valid_ones(export: Path) -> None:
    with pytest.raises(UnknownNameError, match="other:SERIAL"):
        fleet.parse_devices("othr")


@pytest.mark.parametrize("name", ["benchmark", "verify"])
def test_help_names_it(name: str, export: Path, cli: Callable[..., Answer]) -> None:
    assert "other:SERIAL" in cli(name, "--help").out
