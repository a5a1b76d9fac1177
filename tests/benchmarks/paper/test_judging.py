from pathlib import Path

import pytest

from benchmarks.paper import judging
from benchmarks.paper.study import Study
from benchmarks.paper.trainings import train_system


@pytest.mark.slow
@pytest.mark.long
def test_one_system_from_training_to_its_row(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = [system for system in judging.SYSTEMS if system.model == "hierattn_xs"]
    monkeypatch.setattr(judging, "SYSTEMS", one)
    train_system(study, "hierattn_xs")
    judging.export_system(study, "hierattn_xs")
    timed = judging.time_systems(study, "a test", runs=10)
    predictions = judging.keep_held_out(study, "hierattn_xs", tmp_path / "results")
    assert set(predictions.splits) == {"test"}
    assert (tmp_path / "results/hierattn_xs.predictions.csv").is_file()
    row = judging.make_row(study, "hierattn_xs", predictions, timed)
    assert {latency.runtime for latency in row.latencies} == {"torch", "onnxruntime", "litert"}
    assert row.size_mb is not None
    assert row.size_mb > 4
    assert row.top1.low <= row.top1.value <= row.top1.high
    before = (study.report / "results.json").read_bytes()
    judging.time_systems(study, "again", runs=10)
    assert (study.report / "results.json").read_bytes() == before
