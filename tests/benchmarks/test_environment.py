import os
from pathlib import Path

import pytest

from benchmarks import environment as module
from benchmarks.environment import busy_warning, describe_host, finish_host
from tests.benchmarks.helpers import environment


def test_this_machine_is_described() -> None:
    found = describe_host()
    assert found.device == "host" and found.cpu and found.cores == os.cpu_count()
    assert found.versions["python"].startswith("3.")
    assert found.versions["hierattn-mobile"]
    assert found.memory_gb is None or found.memory_gb > 0.1


def test_pinning_and_what_the_system_files_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "governor").write_text("performance\n")
    for zone, value in enumerate(["41000\n", "nonsense", "63400"]):
        (tmp_path / f"thermal_zone{zone}").mkdir()
        (tmp_path / f"thermal_zone{zone}" / "temp").write_text(value)
    monkeypatch.setattr(module, "_GOVERNOR", tmp_path / "governor")
    monkeypatch.setattr(module, "_THERMAL", tmp_path)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 1}, raising=False)
    found = describe_host()
    assert (found.governor, found.thermal, found.pinned_to) == ("performance", "63 °C", [1, 3])


def test_a_busy_machine_is_warned_of() -> None:
    assert busy_warning(environment(load_before=0.9)) is None
    assert busy_warning(environment(load_before=None)) is None
    assert "load average 4 on 2 cores" in (busy_warning(environment(load_before=4.0)) or "")


def test_what_is_known_only_afterwards() -> None:
    found = finish_host(environment(), {"litert": "2.3.0"}, {1: 60.0})
    assert found.versions == {"onnxruntime": "1.32.0", "litert": "2.3.0"}
    assert found.matrix_product_gmacs == {1: 60.0}
