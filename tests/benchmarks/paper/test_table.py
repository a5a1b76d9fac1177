from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.paper.judging import parts_of
from benchmarks.paper.published import OURS, SYSTEMS
from benchmarks.paper.study import Study
from benchmarks.paper.table import (
    Latency,
    SystemRow,
    SystemsTable,
    compare_systems,
    to_markdown,
)
from hierattn.errors import DataError
from hierattn.metrics.bootstrap import Interval
from hierattn.metrics.predictions import STRATA, Predictions

CLASSES = ("MEL", "NV", "BCC")


def answers(accuracy: float, seed: int, photos: int = 240) -> Predictions:
    """Three photos a group; a share of them is answered right."""
    labels = np.arange(photos) % 3
    right = np.random.default_rng(seed).random(photos) < accuracy
    logits = np.eye(3)[np.where(right, labels, (labels + 1) % 3)]
    return Predictions(
        logits=logits,
        labels=labels,
        classes=CLASSES,
        groups=tuple(f"lesion {index // 3}" for index in range(photos)),
        files=tuple(f"{CLASSES[label]}/{index}.jpg" for index, label in enumerate(labels)),
        splits=("test",) * photos,
        strata=dict.fromkeys(STRATA, (None,) * photos),
    )


def test_wins_losses_and_what_is_undecided() -> None:
    predictions = {
        "hierattn_xs": answers(0.7, 0),
        "mobilenet_v2": answers(0.3, 1),
        "mobilevit_s": answers(0.98, 2),
        "mnasnet1_0": answers(0.7, 3),
    }
    verdicts = {found.peer: found.verdict for found in compare_systems(predictions, 500)}
    assert verdicts == {
        "mobilenet_v2": "better",
        "mobilevit_s": "worse",
        "mnasnet1_0": "undecided",
    }


def test_each_folder_of_several_is_judged_alone(study: Study) -> None:
    said = answers(0.7, 0)
    files = [f"{'one' if place % 2 else 'other'}/{file}" for place, file in enumerate(said.files)]
    said = replace(said, files=tuple(files))
    assert parts_of(study, said) == {}
    parts = parts_of(replace(study, data=(Path("one"), Path("a/other"))), said)
    assert {name: len(part) for name, part in parts.items()} == {"one": 120, "other": 120}
    found = compare_systems({"hierattn_xs": parts["one"], "mobilenet_v2": parts["one"]}, 50, "one")
    assert [(one.part, one.difference.difference.value) for one in found] == [("one", 0)]


def test_only_peers_are_compared_with() -> None:
    predictions = {name: answers(0.6, seed) for seed, name in enumerate((*OURS, "mnasnet1_0"))}
    pairs = [(found.ours, found.peer) for found in compare_systems(predictions, 50)]
    assert pairs == [("hierattn_xs", "mnasnet1_0"), ("hierattn_s", "mnasnet1_0")]


def test_other_photos_are_never_paired() -> None:
    predictions = {"hierattn_xs": answers(0.6, 0), "mobilenet_v2": answers(0.6, 0, photos=120)}
    with pytest.raises(DataError, match="files"):
        compare_systems(predictions, 50)


def test_the_table_shows_ours_beside_the_published() -> None:
    def row(model: str) -> SystemRow:
        return SystemRow(
            model=model,
            lr=0.002,
            trials={0.001: 0.4, 0.002: 0.5},
            parameters=1_080_000,
            multiply_adds=480_000_000,
            top1=Interval(value=0.5, low=0.4, high=0.6),
            balanced_accuracy=Interval(value=0.45, low=0.35, high=0.55),
            latencies=[Latency(runtime="litert", p50_ms=12.34)],
            size_mb=4.38,
            verified=True,
            run_weights_sha256="0" * 64,
        )

    table = SystemsTable(
        data="ham10000",
        date="2026-11-23",
        command="python -m benchmarks.paper",
        machine="AMD EPYC, 2 cores",
        recipe={"epochs": 4},
        initialisation="random weights for all",
        image_size=96,
        images=240,
        groups=80,
        rows=[row(system.model) for system in SYSTEMS],
        comparisons=compare_systems(
            {n: answers(0.6, 0) for n in ("hierattn_s", "mobilevit_s")}, 50
        ),
    )
    text = to_markdown(table)
    lines = text.splitlines()
    assert len({line.count("|") for line in lines[: len(SYSTEMS) + 2]}) == 1
    xs = next(line for line in lines if line.startswith("| hierattn_xs"))
    assert "1.08" in xs and "| 0.002 |" in xs
    assert "0.450 [0.350, 0.550]" in xs
    assert "12.3" in xs
    assert "96.15 / 90.11" in xs
    assert "undecided" in text
    assert SystemsTable.model_validate_json(table.model_dump_json()) == table
