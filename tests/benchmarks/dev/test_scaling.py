"""The points and exponents of scaling, with the measurement replaced."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.dev import scaling
from benchmarks.stats import exponent
from hierattn.cli.benchmark_tables import growth
from tests.benchmarks.helpers import results


def test_exponents_of_powers_are_found() -> None:
    assert exponent([64, 128, 256], [3 * size**1.5 for size in (64, 128, 256)]) == pytest.approx(
        1.5
    )
    assert exponent([4, 4], [1.0, 2.0]) is None


def test_the_growth_of_a_sweep() -> None:
    shared = {"model": "net", "runtime": "onnxruntime", "device": "host", "threads": 1}
    shared |= {"multiply_adds": 1, "gmacs": 1.0, "of_matrix_product": 0.5}
    points = [(64, 1, 2.0), (128, 1, 8.0), (256, 1, 32.0), (128, 2, 16.0), (128, 4, 32.0)]
    sweep = [
        {**shared, "image_size": size, "batch": batch, "p50_ms": ms} for size, batch, ms in points
    ]
    line = "net, onnxruntime, 1 thread: p50 grows as px^2.00, batch^1.00"
    assert list(growth(results(sweep=sweep))) == [line]
    assert list(growth(results(sweep=sweep[:1]))) == []


def test_points_and_exponents(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def measure(launcher: Sequence[str], options: Sequence[str]) -> dict[str, Any]:
        asked.append([*launcher, *options])
        given = dict(zip(options[::2], options[1::2], strict=True))
        count = int(launcher[-1].rpartition("=")[2]) if launcher else 1
        rates = {"minimum": 1.0, "median": 10.0 * count, "maximum": 100.0}
        memory = 1e-6 * int(given.get("--photos", 0))
        peaks = {"peak_memory_gb": 2 * memory, "own_memory_gb": memory}
        return {**peaks, "images_per_second": rates}

    monkeypatch.setattr(scaling, "_measure", measure)
    run = CliRunner().invoke
    found = json.loads(run(scaling.app, ["memory", "--photos", "200,100", "--json"]).stdout)
    assert [one["photos"] for one in found["measured"]] == [100, 200]
    assert found["exponent"] == pytest.approx(1) and found["bytes_a_photo"] == pytest.approx(1000)
    assert found["bytes_of_its_pixels"] == 3 * 128 * 128
    found = json.loads(run(scaling.app, ["processes", "--counts", "1,4", "--json"]).stdout)
    assert found["exponent"] == pytest.approx(1)
    assert "--nproc-per-node=4" in asked[-1] and "--nproc-per-node=1" not in asked[-2]
    table = run(scaling.app, ["processes", "--counts", "1,4"]).stdout
    assert "exponent: 1" in table and "40.00" in table
    assert run(scaling.app, ["processes", "--counts", "2"]).exit_code == 2
